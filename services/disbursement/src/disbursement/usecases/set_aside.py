"""Stored things that cannot be read wait with a growing pause, loudly, so that they stop nobody else."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

__all__ = ["FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS", "SET_ASIDE", "show_none_yet"]

SET_ASIDE: Final = Counter("ansinh_disbursement_set_aside_total", "Stored things that could not be read", ["kind", "partner"])
"""Counts every failed try; `kind` is notice or batch. Any growth wants a person."""

FIRST_PAUSE_SECONDS: Final = 10
LONGEST_PAUSE_SECONDS: Final = 900
"""A key that was missing is back for everything within this time of being put in its place."""


def show_none_yet(partner: str) -> None:
    """Show this partner's counts from the start: a count that is born with its first one never grew, as an alert on growth sees it."""
    for kind in ("batch", "notice"):
        SET_ASIDE.labels(kind, partner)
