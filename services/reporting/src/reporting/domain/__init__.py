"""Pure rules of reporting: rounding, states, words. No database, no web."""
