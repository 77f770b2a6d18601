"""HTTP: reports, operations, console."""
