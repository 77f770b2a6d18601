"""Shares exact counts out over districts and communes: one byte per person says what will happen to him or her.

Everything here is integer arithmetic on quotas (largest remainder), so that totals come out exactly whatever the size;
a million people take a million bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from ansinh.sample.law import MERIT, SOCIAL_ASSISTANCE
from ansinh.sample.presets import Outcome, Preset, ProgrammeCounts
from ansinh.sample.units import Commune, District, Province

__all__ = ["CommunePlan", "Extras", "account_count_for_rate", "apportion", "make_plan"]

# Rough relative sizes of the ten districts of Bình Thuận, in thousands of inhabitants (order of magnitude, not a statistic).
_DISTRICT_SIZE = {"593": 227, "594": 107, "595": 143, "596": 127, "597": 179, "598": 113, "599": 104, "600": 127, "601": 71, "602": 28}
_GROUP = 3  # unrelated payees on one shared account


@dataclass(slots=True)
class Extras:
    """Rows of one commune and programme beside the people's own rows, and how many people have arrears or a corrected row."""

    duplicates: int = 0
    malformed: int = 0
    malformed_corrected: int = 0
    deceased: int = 0
    arrears: int = 0


@dataclass(slots=True)
class CommunePlan:
    """All that one commune's files need; independent of every other commune."""

    district: District
    commune: Commune
    first_index: int = 0
    outcomes: dict[str, bytes] = field(default_factory=dict)
    extras: dict[str, Extras] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """People of both programmes that count (without rows on top)."""
        return sum(len(v) for v in self.outcomes.values())

    @property
    def index_room(self) -> int:
        """Person indexes this commune may use: people, a representative each for one in three, and everybody on top."""
        extra = sum(e.duplicates + e.malformed + e.deceased for e in self.extras.values())
        return self.people + extra


def apportion(total: int, weights: Sequence[float], caps: Sequence[int] | None = None) -> list[int]:
    """`total` shared out in proportion to `weights` by largest remainder, no share above its cap.

    Raises `ValueError` when the caps together are below the total.
    """
    shares = [0] * len(weights)
    open_to = [i for i, w in enumerate(weights) if w > 0 and (caps is None or caps[i] > 0)]
    left = total
    while left:
        if not open_to:
            msg = f"cannot share out {total}: {left} do not fit"
            raise ValueError(msg)
        weight = sum(weights[i] for i in open_to)
        exact = {i: left * weights[i] / weight for i in open_to}
        grant = {i: int(exact[i]) for i in open_to}
        for i in sorted(open_to, key=lambda i: (grant[i] - exact[i], i))[: left - sum(grant.values())]:
            grant[i] += 1
        for i in open_to:
            room = left if caps is None else caps[i] - shares[i]
            shares[i] += min(grant[i], room)
        left = total - sum(shares)
        if caps is not None:
            open_to = [i for i in open_to if shares[i] < caps[i]]
    return shares


def account_count_for_rate(people: int, rate_tenths: int) -> int:
    """The count whose share of `people` rounds half up to `rate_tenths` (172 = 17.2 percent). Raises `ValueError` if there is none."""
    near = round(people * rate_tenths / 1000)
    for count in sorted(range(max(0, near - 1), near + 2), key=lambda c: abs(c * 1000 - people * rate_tenths)):
        if (count * 2000 + people) // (2 * people) == rate_tenths:
            return count
    msg = f"no whole number of {people} people is {rate_tenths / 10} percent"
    raise ValueError(msg)


def _chosen_units(preset: Preset, province: Province) -> list[tuple[District, list[Commune]]]:
    """Districts and communes in use: all of them, or so few that a commune has about forty people."""
    districts = [d for d in province.districts if preset.district in (None, d.code)]
    if not districts:
        msg = f"province {province.code} has no district {preset.district}"
        raise ValueError(msg)
    wanted = max(1, preset.people // 40)
    every = sum(len(d.communes) for d in districts)
    if wanted >= every:
        return [(d, list(d.communes)) for d in districts]
    districts = districts[:wanted]
    counts = apportion(wanted, [len(d.communes) for d in districts], [len(d.communes) for d in districts])
    for i, n in enumerate(counts):  # every chosen district keeps one commune; the largest gives it
        if n == 0:
            counts[counts.index(max(counts))] -= 1
            counts[i] = 1
    return [(d, list(d.communes[:n])) for d, n in zip(districts, counts, strict=True)]


def _district_accounts(preset: Preset, programme: str, districts: list[District], people: list[int], rng: Random) -> list[int]:
    """People settled by account in each district; where a rate is published, the count that gives it."""
    total = preset.counts[programme].account
    fixed: dict[int, int] = {}
    if programme == SOCIAL_ASSISTANCE:
        for i, d in enumerate(districts):
            if d.code in preset.account_rates_tenths:
                fixed[i] = account_count_for_rate(people[i], preset.account_rates_tenths[d.code])
    weights = [0.0 if i in fixed else n * rng.uniform(0.8, 1.2) for i, n in enumerate(people)]
    rest = apportion(total - sum(fixed.values()), weights, [int(n * 0.8) for n in people])
    return [fixed.get(i, rest[i]) for i in range(len(districts))]


def _deal(rng: Random, sizes: list[int], counts: dict[int, int]) -> list[bytes]:
    """One district's outcomes dealt to its communes; people who share an account are of one commune."""
    shared = counts.get(Outcome.ACCOUNT_SHARED, 0)
    groups = [[] for _ in sizes]  # type: list[list[int]]
    while shared:
        size = shared if shared < 2 * _GROUP else _GROUP
        fits = [i for i, n in enumerate(sizes) if n - len(groups[i]) >= size]
        at = rng.choice(fits)
        groups[at].extend([Outcome.ACCOUNT_SHARED] * size)
        shared -= size
    deck = bytearray()
    for outcome, n in sorted(counts.items()):
        if outcome != Outcome.ACCOUNT_SHARED:
            deck.extend(bytes((outcome,)) * n)
    deck.extend(bytes((Outcome.CASH,)) * (sum(sizes) - len(deck) - counts.get(Outcome.ACCOUNT_SHARED, 0)))
    rng.shuffle(deck)
    out, at = [], 0
    for group, size in zip(groups, sizes, strict=True):
        take = size - len(group)
        hand = bytearray(group) + deck[at : at + take]
        at += take
        rng.shuffle(hand)
        out.append(bytes(hand))
    return out


def _shared_counts(total: int, people: list[int]) -> list[int]:
    """People on shared accounts per district, in groups of at least two."""
    if total < 2:
        return [0] * len(people)
    sizes = apportion(max(1, total // _GROUP), people)
    counts = [n * _GROUP for n in sizes]
    at = counts.index(max(counts))
    counts[at] += total - sum(counts)
    return counts


def _outcomes_per_district(preset: Preset, counts: ProgrammeCounts, people: list[int], accounts: list[int]) -> list[dict[int, int]]:
    """Every other outcome shared out over the districts; people without a number spare the smallest district(s)."""
    per: list[dict[int, int]] = [{Outcome.ACCOUNT: a} for a in accounts]
    room = [p - a for p, a in zip(people, accounts, strict=True)]
    smallest = sorted(range(len(people)), key=lambda i: people[i])[: preset.no_id_spared if len(people) > 1 else 0]
    for outcome, total in sorted(counts.outcomes.items(), key=lambda kv: kv[0] != Outcome.ACCOUNT_SHARED):
        if outcome == Outcome.ACCOUNT_SHARED:
            shares = _shared_counts(total, people)
        else:
            spared = smallest if outcome in (Outcome.NO_ID, Outcome.NOT_IN_DB) else []
            shares = apportion(total, [0 if i in spared else p for i, p in enumerate(people)], room)
        for i, n in enumerate(shares):
            room[i] -= n
            if n:
                per[i][outcome] = n
    return per


def make_plan(preset: Preset, province: Province, seed: int) -> list[CommunePlan]:
    """One plan per commune, in code order within district order; the same seed gives the same plans."""
    rng = Random(f"{seed}:plan:{preset.name}")
    units = _chosen_units(preset, province)
    plans = [[CommunePlan(d, c) for c in communes] for d, communes in units]
    district_weights = [_DISTRICT_SIZE.get(d.code) or len(d.communes) * rng.uniform(0.8, 1.25) for d, _ in units]
    commune_weights = [[rng.uniform(0.5, 1.5) for _ in communes] for _, communes in units]
    for programme in (MERIT, SOCIAL_ASSISTANCE):
        counts = preset.counts[programme]
        people = apportion(counts.people, district_weights)
        accounts = _district_accounts(preset, programme, [d for d, _ in units], people, rng)
        per_district = _outcomes_per_district(preset, counts, people, accounts)
        for i, communes in enumerate(plans):
            sizes = apportion(people[i], commune_weights[i])
            for plan, hand in zip(communes, _deal(rng, sizes, per_district[i]), strict=True):
                plan.outcomes[programme] = hand
                plan.extras[programme] = Extras()
        flat = [p for communes in plans for p in communes]
        _share_extras(flat, programme, counts)
    flat = [p for communes in plans for p in communes]
    index = 0
    for plan in flat:
        plan.first_index = index
        index += plan.index_room
    return flat


def _share_extras(plans: list[CommunePlan], programme: str, counts: ProgrammeCounts) -> None:
    sizes = [len(p.outcomes[programme]) for p in plans]
    for name in ("duplicates", "malformed", "malformed_corrected", "deceased", "arrears"):
        total = getattr(counts, name)
        caps = [n // 4 for n in sizes] if name in ("malformed_corrected", "arrears") else None
        shares = apportion(min(total, sum(caps)) if caps else total, sizes, caps)
        for plan, n in zip(plans, shares, strict=True):
            setattr(plan.extras[programme], name, n)
