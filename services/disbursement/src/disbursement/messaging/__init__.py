"""Which events disbursement listens to, and how they reach its copies."""
