"""HTTP routes of identity-verify."""
