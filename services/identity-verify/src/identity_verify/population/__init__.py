"""The national population database: the only place where a sealed number is opened, in memory."""
