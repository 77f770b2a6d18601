"""All SQL of the registry."""
