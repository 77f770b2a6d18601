"""The plugins hold the fixtures; here is only what holds for every test."""

from hypothesis import HealthCheck, settings

# How fast an example is found and run is the machine's business.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

pytest_plugins = ["common.testing", "common.testing_brokers", "ansinh.testing"]
