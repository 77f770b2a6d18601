"""HTTP routes of disbursement: thin, they parse, call one use case and answer."""
