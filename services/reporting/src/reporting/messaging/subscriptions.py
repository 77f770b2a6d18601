"""Reporting hears every event of every topic: appended to the log and projected in the same transaction."""

from __future__ import annotations

from typing import Final

from common.consumer import Subscription
from common.contracts.catalogue import publications
from common.contracts.envelope import Event
from common.topics import ALL_TOPICS
from reporting.usecases.receive import receive

__all__ = ["IGNORED", "SUBSCRIPTIONS"]


def _events_on(topic: str) -> tuple[type[Event], ...]:
    return tuple({p.event.type_name(): p.event for p in publications() if p.topic == topic}.values())


SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = tuple(Subscription(topic, _events_on(topic), receive) for topic in ALL_TOPICS)

IGNORED: Final[dict[str, tuple[type[Event], ...]]] = {}
"""Topic → events deliberately not applied: none. Events without a read model (dues, entitlements, cut-offs) are logged."""
