"""Which events of others are heard, and what is done on each."""
