"""The words services say to each other: one module per producing service, one class per event."""
