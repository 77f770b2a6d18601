"""All SQL of disbursement; functions take the transaction their use case opened."""
