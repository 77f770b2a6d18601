"""Cut-off markers: what the registry announced for one partition against what this service holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["difference", "split"]

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


def split(gaps: Mapping[str, int], parked: int) -> tuple[dict[str, int], dict[str, int]]:
    """Differences that `parked` people do not explain, and those they do.

    A person whose events are parked is missing here or stands at an older version: as many people as are parked may be
    missing, and sums of versions (and representatives, of whom one person may have several) may lag. A copy that is
    ahead, or lacks more people than are parked, is never explained: it blocks.
    """
    lagging = {name: gap for name, gap in gaps.items() if parked > 0 < gap and (name != "beneficiaries" or gap <= parked)}
    return {name: gap for name, gap in gaps.items() if name not in lagging}, lagging
