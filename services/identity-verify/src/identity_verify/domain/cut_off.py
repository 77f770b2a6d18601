"""Cut-off markers: what the registry announced for one partition against what this service holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["difference"]

REQUIRED: Final = ("beneficiaries", "beneficiary_versions")
OPTIONAL: Final = ("representatives", "representative_versions")


def difference(announced: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    """Announced minus found, for every total that differs; empty where all agree.

    A required total that was not announced counts as zero, so that a marker that says nothing never passes for one that
    agrees. Optional totals are compared where they are announced; totals of other things concern other consumers.
    """
    names = [*REQUIRED, *(name for name in OPTIONAL if name in announced)]
    gaps = {name: announced.get(name, 0) - found.get(name, 0) for name in names}
    return {name: gap for name, gap in gaps.items() if gap != 0}
