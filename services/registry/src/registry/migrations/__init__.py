"""Schema of the registry."""
