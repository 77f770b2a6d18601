"""The plugin holds the fixtures; nothing else belongs here."""

pytest_plugins = ["common.testing"]
