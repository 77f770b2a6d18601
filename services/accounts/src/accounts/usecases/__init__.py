"""The verbs of accounts, and the only openers of transactions."""
