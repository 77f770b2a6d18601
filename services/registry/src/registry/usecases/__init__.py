"""The verbs of the registry; the only openers of transactions."""
