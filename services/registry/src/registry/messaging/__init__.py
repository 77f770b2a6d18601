"""Events the registry listens to."""
