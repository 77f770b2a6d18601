"""Mechanisms every service shares (outbox, inbox, bus, idempotency, auth, audit, sealing, problems) and the event contracts."""
