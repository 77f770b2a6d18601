"""Reporting: its own log of every event, read models made from it, and the figures the province publishes."""
