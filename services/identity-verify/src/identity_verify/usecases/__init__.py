"""The verbs of identity-verify, and the only openers of transactions."""
