"""Where somebody lived when, out of the history of their record (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from registry.domain.history import Version

__all__ = ["Address", "addresses"]


@dataclass(frozen=True, slots=True)
class Address:
    """A unit and an address from a day to a day; `from_date` None is "since before registration", `to_date` None "until now"."""

    unit_code: str
    unit_path: str
    address: str | None
    hamlet: str | None
    from_date: date | None
    to_date: date | None = None

    def same_place(self, other: Address) -> bool:
        """Whether both name the same place, whatever the dates."""
        return (self.unit_code, self.unit_path, self.address, self.hamlet) == (
            other.unit_code,
            other.unit_path,
            other.address,
            other.hamlet,
        )


def addresses(versions: Iterable[Version]) -> list[Address]:
    """The places in order of time. A change recorded later that holds from an earlier day replaces what was said of the days after."""
    found: list[Address] = []
    for version in sorted(versions, key=lambda item: item.seq):
        state = version.state
        if state is None:
            continue
        since = version.effective_on if found else None
        place = Address(state["unit_code"], state["unit_path"], state.get("address"), state.get("hamlet"), since)
        if found and found[-1].same_place(place):
            continue
        while since is not None and found[-1].from_date is not None and found[-1].from_date >= since:
            found.pop()
        if found and found[-1].same_place(place):
            continue
        found.append(place)
    ends: list[date | None] = [item.from_date - timedelta(days=1) if item.from_date is not None else None for item in found[1:]]
    return [replace(item, to_date=end) for item, end in zip(found, [*ends, None], strict=True)]
