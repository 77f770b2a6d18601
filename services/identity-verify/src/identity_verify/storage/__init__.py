"""All SQL of identity-verify."""
