"""The verbs of disbursement; the only room that opens transactions."""
