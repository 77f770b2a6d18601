"""The reform of 2025 in small; and reforms nobody planned, with payments before, between and after.

Communes are joined, split and renamed twice, and codes handed on. Ground is a set of pieces. Each unit holds some; what became of a
unit is who holds its pieces next. So it is known without asking any tree of units what lay wholly in what.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from reporting_builders import World

from common.contracts.registry_v1 import AdministrativeUnitChanged, UnitOrigin
from common.ids import stable_id
from reporting.domain.months import last_day
from reporting.domain.unit_trees import KnownUnit

BEFORE, AFTER = "2025-06-30", "2025-12-31"
BEGIN, FIRST, SECOND = date(2004, 1, 1), date(2025, 7, 1), date(2026, 4, 30)
DAYS = (date(2025, 6, 30), date(2025, 12, 31), date(2026, 12, 31))
MONTHS = (date(2025, 3, 1), date(2025, 9, 1), date(2026, 2, 1), date(2026, 6, 1))


def became(world: World, path: str, name: str, origins: list[str], since: str = "2025-07-01") -> None:
    """A unit made from others: '60/594/3*' a part, '75/26068@2004-01-01' the one that stood from that day."""
    old = [(*one.rstrip("*").partition("@")[::2], one.endswith("*")) for one in origins]
    world.events.append(
        AdministrativeUnitChanged(
            version=1, business_date=date.fromisoformat(since), unit_id=stable_id("unit", path, since), code=path.rpartition("/")[2],
            name=name, level="commune" if "/" in path else "province", parent_code=path.split("/")[0] if "/" in path else None, path=path,
            valid_from=date.fromisoformat(since), valid_to=None,
            formed_from=[
                UnitOrigin(unit_id=stable_id("unit", one, day or "2004-01-01"), path=one, kind="PART" if part else "WHOLE")
                for one, day, part in old
            ],
        )
    )  # fmt: skip


def reformed() -> World:
    """Two old provinces become one; two communes of one district are joined, one is split."""
    world = World()
    for path, name in (
        ("60", "Tỉnh Bình Thuận"), ("60/593", "Phan Thiết"), ("60/593/1", "Xã Một"), ("60/593/2", "Xã Hai"), ("60/594", "La Gi"),
        ("60/594/3", "Xã Ba"), ("68", "Tỉnh Lâm Đồng cũ"), ("68/672", "Đà Lạt"), ("68/672/4", "Xã Bốn"),
    ):  # fmt: skip
        world.unit(path, name, valid_to=BEFORE)
    became(world, "68", "Tỉnh Lâm Đồng", ["60", "68"])
    became(world, "68/1", "Xã Mới", ["60/593/1", "60/593/2"])
    became(world, "68/31", "Ba Đông", ["60/594/3*"])
    became(world, "68/32", "Ba Tây", ["60/594/3*"])
    became(world, "68/4", "Xã Bốn", ["68/672/4"])
    return world


@dataclass
class Story:
    """Units with their ground, and payments as (unit, month, đồng)."""

    dice: random.Random
    units: dict[UUID, KnownUnit] = field(default_factory=dict)
    ground: dict[UUID, frozenset[int]] = field(default_factory=dict)
    paid: list[tuple[KnownUnit, date, int]] = field(default_factory=list)

    def on(self, day: date) -> list[KnownUnit]:
        """The units of a day."""
        return [unit for unit in self.units.values() if unit.stands_on(day)]

    def communes(self, day: date) -> list[KnownUnit]:
        """Those of them with nothing below."""
        standing = self.on(day)
        return [unit for unit in standing if not any(other.path.startswith(unit.path + "/") for other in standing)]

    def add(self, path: str, since: date, ground: Iterable[int], origins: Iterable[KnownUnit] = ()) -> None:
        """A unit that begins, made from whoever held its ground."""
        held = frozenset(ground)
        made = tuple((old.unit_id, self.ground[old.unit_id] <= held) for old in origins if self.ground[old.unit_id] & held)
        number = stable_id("unit", path, since.isoformat())
        self.units[number] = KnownUnit(number, path, f"{path} từ {since.year}", since, None, made)
        self.ground[number] = held

    def end(self, unit: KnownUnit, day: date) -> None:
        """A unit that stands until the day before."""
        until = day - timedelta(days=1)
        self.units[unit.unit_id] = KnownUnit(unit.unit_id, unit.path, unit.name, unit.valid_from, until, unit.formed_from)

    def reform(self, day: date, olds: list[KnownUnit], codes: list[str]) -> None:
        """Join some communes of one province, split some, hand codes on."""
        shares: list[set[int]] = [set() for _ in codes]
        for old in olds:
            whole = self.dice.randrange(len(codes))
            split = self.dice.random() < 0.4
            for piece in sorted(self.ground[old.unit_id]):
                shares[self.dice.randrange(len(codes)) if split else whole].add(piece)
        for old in olds:
            self.end(old, day)
        for code, share in zip(codes, shares, strict=True):
            if share:
                self.add(f"68/{code}", day, share, olds)


def story(seed: int) -> Story:
    """Two provinces, one with districts; joined on one day, their communes changed once more on another."""
    told, pieces = Story(random.Random(seed)), iter(range(10_000))
    for province, districts in (("60", ("593", "594")), ("68", ("",))):
        for district in districts:
            above = f"{province}/{district}".rstrip("/")
            for code in told.dice.sample(range(1, 9), told.dice.randint(1, 3)):
                told.add(f"{above}/{code}", BEGIN, [next(pieces) for _ in range(told.dice.randint(1, 3))])
            if district:
                told.add(above, BEGIN, _below(told, above))
        told.add(province, BEGIN, _below(told, province))
    old = {province: [unit for unit in told.communes(DAYS[0]) if unit.path.startswith(province)] for province in ("60", "68")}
    codes = [str(code) for code in told.dice.sample(range(1, 9), 6)]
    for unit in [one for one in told.on(DAYS[0]) if one not in told.communes(DAYS[0])]:
        told.end(unit, FIRST)
    told.reform(FIRST, old["60"], codes[:3])
    told.reform(FIRST, old["68"], codes[3:])
    provinces = [unit for unit in told.units.values() if unit.path in ("60", "68")]
    told.add("68", FIRST, {piece for unit in provinces for piece in told.ground[unit.unit_id]}, provinces)
    changed = [unit for unit in told.communes(DAYS[1]) if told.dice.random() < 0.7]
    kept = {unit.path for unit in told.communes(DAYS[1]) if unit not in changed}
    free = [code for code in map(str, range(1, 12)) if f"68/{code}" not in kept]
    if changed:
        told.reform(SECOND, changed, told.dice.sample(free, 3))
    _pay(told)
    return told


def _below(told: Story, path: str) -> set[int]:
    return {piece for unit in told.units.values() if unit.path.startswith(path + "/") for piece in told.ground[unit.unit_id]}


def _pay(told: Story) -> None:
    """Each commune in each of its months; and whoever is still told at a commune that has ended, where its path says who is meant."""
    for number, month in enumerate(MONTHS):
        day = last_day(month)
        borne = {unit.path for unit in told.on(day)}
        ended = [unit for earlier in DAYS[:2] for unit in told.communes(earlier) if unit.valid_to is not None and unit.valid_to < day]
        last = {unit.path: unit for unit in sorted(ended, key=lambda one: one.valid_from)}
        for unit in (*told.communes(day), *(one for path, one in sorted(last.items()) if path not in borne)):
            told.paid.append((unit, month, told.dice.randint(1, 9) * 10**number))
