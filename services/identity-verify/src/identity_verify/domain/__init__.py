"""What the population database's answers mean; no database, no network."""
