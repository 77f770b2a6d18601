"""Cut-off markers: what the registry announced for one partition against what this service holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["COMPARED", "difference"]

COMPARED: Final = ("beneficiaries", "beneficiary_versions", "representatives", "representative_versions")
"""The registry's totals that this service can recount; its other totals concern other consumers."""


def difference(announced: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    """Announced minus found, for every total that differs; empty where all agree.

    A total that was not announced counts as zero, so that a marker that says nothing never passes for one that agrees.
    """
    gaps = {name: announced.get(name, 0) - found.get(name, 0) for name in COMPARED}
    return {name: gap for name, gap in gaps.items() if gap != 0}
