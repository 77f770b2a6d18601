"""What an account list says and what a provider's answer means; no database, no network."""
