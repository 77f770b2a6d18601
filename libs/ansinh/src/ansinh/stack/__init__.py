"""The embedded default: PostgreSQL, a Kafka-protocol broker, the services and the simulators as children of one supervisor."""
