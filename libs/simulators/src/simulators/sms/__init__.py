"""An SMS gateway with books of its own: what it took under which reference, and whose telephone it reached."""
