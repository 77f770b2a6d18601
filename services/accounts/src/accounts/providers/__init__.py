"""Payment partners and the provider directory: who keeps an account, and whose it is."""
