"""Payment channels: what the outside speaks, behind one protocol. Only this room opens account numbers."""
