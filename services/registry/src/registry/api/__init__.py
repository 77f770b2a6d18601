"""HTTP of the registry."""
