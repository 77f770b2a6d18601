"""Kafka: what reporting listens to."""
