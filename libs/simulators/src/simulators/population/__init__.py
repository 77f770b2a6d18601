"""Mock of the national population database: answers match or mismatch per field, never more than it was asked."""
