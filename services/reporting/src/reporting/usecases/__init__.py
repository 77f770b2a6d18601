"""The verbs of reporting; the only openers of transactions."""
