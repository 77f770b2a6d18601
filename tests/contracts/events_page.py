"""Who hears what: reads every service's SUBSCRIPTIONS. `python tests/contracts/events_page.py` writes docs/architecture/events.md."""

from __future__ import annotations

import importlib
from pathlib import Path

from common.contracts.generate import events_page

SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
PAGE = Path(__file__).parents[2] / "docs" / "architecture" / "events.md"


def subscribers() -> dict[str, dict[str, frozenset[str]]]:
    """Service → topic → names of the events it applies there."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for service in SERVICES:
        module = importlib.import_module(f"{service.replace('-', '_')}.messaging.subscriptions")
        topics: dict[str, set[str]] = {}
        for subscription in module.SUBSCRIPTIONS:
            topics.setdefault(subscription.topic, set()).update(event.type_name() for event in subscription.event_types)
        found[service] = {topic: frozenset(names) for topic, names in topics.items()}
    return found


def ignored() -> dict[str, dict[str, frozenset[str]]]:
    """Service → topic → names of the events it declares as deliberately not applied."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for service in SERVICES:
        module = importlib.import_module(f"{service.replace('-', '_')}.messaging.subscriptions")
        declared = getattr(module, "IGNORED", {})
        found[service] = {topic: frozenset(event.type_name() for event in events) for topic, events in declared.items()}
    return found


if __name__ == "__main__":
    PAGE.write_text(events_page(subscribers()), encoding="utf-8")
