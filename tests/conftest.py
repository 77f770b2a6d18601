"""The plugins hold the fixtures; nothing else belongs here."""

pytest_plugins = ["common.testing", "common.testing_brokers", "ansinh.testing"]
