"""The law in slow, plain Python: month by month, decision by decision, written from the legal texts and not from the engine's SQL.

Months are counted from the year 0 (`at(2024, 7)`). What is known on a date follows from each text's day of effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from common.db import Tx

__all__ = ["Decision", "Other", "Person", "Span", "amounts_of", "at", "due", "insert"]


def at(year: int, month: int) -> int:
    return year * 12 + month - 1


def first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


@dataclass(frozen=True)
class Span:
    """Months from `first` to `last`, inclusive; open when `last` is None."""

    first: int
    last: int | None
    kind: str = ""

    def has(self, month: int) -> bool:
        return self.first <= month and (self.last is None or month <= self.last)


@dataclass(frozen=True)
class Other:
    """A pension or another monthly benefit of the Social Insurance."""

    span: Span
    amount: int | None


@dataclass(frozen=True)
class Decision:
    category: str
    start: int
    end: int | None = None
    percent: int = 0
    quantity: int = 1
    arrears: int | None = None
    child_born: int | None = None
    pauses: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Person:
    born: int | None
    decisions: tuple[Decision, ...]
    died: int | None = None
    groups: tuple[Span, ...] = ()
    stays: tuple[Span, ...] = ()
    others: tuple[Other, ...] = ()
    one_offs: tuple[tuple[int, int], ...] = field(default=())


# Decree 20/2021 Arts. 6 and 20: coefficient in tenths of the standard.
TENTHS = {
    "SA1_LT4": 25, "SA1_GE4": 15, "SA2": 15, "SA3_LT4": 25, "SA3_4_16": 20, "SA4": 10, "SA4_STUDY": 10, "SA5A_60_80": 15,
    "SA5A_GE80": 20, "SA5B": 10, "SA5C": 10, "SA5D": 30, "SA6_XS": 20, "SA6_XS_CE": 25, "SA6_S": 15, "SA6_S_CE": 20, "SA7": 15, "SA8": 15,
    "CS_CHILD_LT4": 25, "CS_CHILD_4_16": 15, "CS_PREG1": 15, "CS_PREG2": 20, "CS_HH_XS": 10, "CS_FOSTER_XS": 15, "CS_FOSTER_XS_CHILD": 25,
}  # fmt: skip
# Decree 77/2024, July 2024 to June 2026.
MERIT = {
    "MR_BEFORE_1945_LEFT": 3_117_000, "MR_BEFORE_1945_STAYED": 5_291_000, "MR_SENIORITY": 529_000, "MR_1945": 2_884_000,
    "MR_MARTYR_1": 2_789_000, "MR_MARTYR_2": 5_578_000, "MR_MARTYR_3": 8_367_000, "MR_NURTURE": 2_231_000, "MR_MOTHER": 8_367_000,
    "MR_MOTHER_SUPPL": 2_337_000, "MR_MOTHER_CARER": 2_789_000, "MR_HERO": 2_337_000, "MR_WOUNDED_SUPPL_81": 1_399_000,
    "MR_WOUNDED_SUPPL_SPECIAL": 2_867_000, "MR_WOUNDED_CARER_81": 2_789_000, "MR_WOUNDED_CARER_SPECIAL": 3_582_000,
    "MR_SICK_41_50": 2_911_000, "MR_SICK_51_60": 3_627_000, "MR_SICK_61_70": 4_622_000, "MR_SICK_71_80": 5_329_000,
    "MR_SICK_81_90": 6_378_000, "MR_SICK_91_100": 7_104_000, "MR_SICK_SUPPL_81": 1_399_000, "MR_SICK_SUPPL_SPECIAL": 2_789_000,
    "MR_CHEM_21_40": 2_120_000, "MR_CHEM_41_60": 3_542_000, "MR_CHEM_61_80": 4_964_000, "MR_CHEM_81": 6_358_000,
    "MR_CHEM_SUPPL_81": 1_399_000, "MR_CHEM_SUPPL_SPECIAL": 2_789_000, "MR_CHEM_CHILD_61_80": 1_673_000, "MR_CHEM_CHILD_81": 2_789_000,
    "MR_PRISON": 1_673_000, "MR_HELPER_MEDAL": 1_639_000, "MR_HELPER_1945": 2_789_000, "MR_SURVIVOR": 1_565_000,
    "MR_SURVIVOR_NURTURE": 2_231_000, "MR_EDUCATION_FULL": 2_789_000, "MR_EDUCATION_PART": 1_399_000, "MR_WORSHIP": 1_400_000,
}  # fmt: skip

# In the month somebody (or the child paid for) reaches the age: the next category, or None = stops the month after.
BIRTHDAYS: dict[str, tuple[int, str | None]] = {
    "SA1_LT4": (4 * 12, "SA1_GE4"), "SA1_GE4": (16 * 12, None), "SA2": (22 * 12, None), "SA3_LT4": (4 * 12, "SA3_4_16"),
    "SA3_4_16": (16 * 12, None), "SA4": (16 * 12, None), "SA4_STUDY": (22 * 12, None), "SA5A_60_80": (80 * 12, "SA5A_GE80"),
    "SA5B": (80 * 12, "SA5C"), "SA7": (36, None), "CS_CHILD_LT4": (4 * 12, "CS_CHILD_4_16"), "CS_CHILD_4_16": (16 * 12, None),
    "CS_PREG1": (36, None), "CS_PREG2": (36, "CS_PREG1"), "CS_FOSTER_XS_CHILD": (16 * 12, "CS_FOSTER_XS"), "SP_70": (75 * 12, "SP_75"),
    "SA6_S": (60 * 12, "SA6_S_CE"), "SA6_XS": (60 * 12, "SA6_XS_CE"), "SA6_S_CE": (16 * 12, "SA6_S"), "SA6_XS_CE": (16 * 12, "SA6_XS"),
}  # fmt: skip
POOR = {"SA3_LT4", "SA3_4_16", "SA5A_60_80", "SA5A_GE80", "SA8"}
POOR_OR_NEAR = {"SA4", "SA4_STUDY", "SA5B", "SA7", "SP_70"}
NOT_WITH_SINGLE_PARENT = ("SA1", "SA2", "SA3", "SA7", "SP")  # Decree 20 Art. 6.2: clause 4 stays beside clauses 5, 6 and 8 only


def standards(name: str, known: date) -> Iterator[tuple[int, int]]:
    """(from month, đồng) as known on a date, latest first."""
    if known >= date(2026, 10, 5):
        yield at(2026, 7), 540_000
    if name == "SA":
        yield at(2024, 7), 500_000
        yield at(2021, 7), 360_000
    elif known >= date(2025, 7, 1):
        yield at(2025, 7), 500_000


def amount(category: str, percent: int, month: int, known: date, wounded: dict[tuple[str, int], int]) -> int | None:
    """Đồng of one level, or None where no table is known."""
    if category.startswith("MR_"):
        if not at(2024, 7) <= month <= at(2026, 6) or known < date(2024, 7, 1):
            return None
        return wounded[(category, percent)] if percent else MERIT[category]
    found = next((vnd for start, vnd in standards("SP" if category.startswith("SP") else "SA", known) if month >= start), None)
    return None if found is None else found * TENTHS.get(category, 10) // 10


def about_child(category: str) -> bool:
    return category.startswith(("CS_", "SA4"))


def category_in(person: Person, decision: Decision, month: int) -> str | None:
    """The category a decision has become by a month, or None when it is not due for it by its dates and ages."""
    start = decision.start if decision.arrears is None else min(decision.start, decision.arrears)
    if month < start or (decision.end is not None and month >= decision.end) or (person.died is not None and month > person.died):
        return None
    born = decision.child_born if about_child(decision.category) else person.born
    category, changed_at = decision.category, -1
    for now in range(start, month + 1):
        step = BIRTHDAYS.get(category)
        if born is not None and step is not None and now - born == step[0] and now > changed_at:
            if step[1] is None:
                return category if now == month else None
            category, changed_at = step[1], now
    if category in ("SA5B", "SA5C") and month > at(2025, 6):
        return None
    return None if category.startswith("SP") and month < at(2025, 7) else category


def set_aside(person: Person, decision: Decision, category: str, month: int, sum_: int | None) -> bool:
    """Pause, institution, pension, group."""
    if any(pause.has(month) and pause.kind != "PAID_BACK" for pause in decision.pauses):
        return True
    community = category.startswith("SA") and not about_child(category)
    if community and any(stay.first < month and (stay.last is None or month <= stay.last) for stay in person.stays):
        return True
    for other in person.others:
        if not other.span.has(month):
            continue
        if category == "SA5C":
            return True
        if category.startswith("SP") and (other.amount is None or (sum_ is not None and other.amount >= sum_)):
            return True
    if category in POOR | POOR_OR_NEAR and person.groups:
        fits = {"POOR"} if category in POOR else {"POOR", "NEAR_POOR"}
        known = month >= min(group.first for group in person.groups)
        return known and not any(group.has(month) and group.kind in fits for group in person.groups)
    return False


def stacking(category: str) -> tuple[str, int]:
    """Which allowances exclude each other, and how many of them may be held (99: all)."""
    for names, group, keep in (
        (("MR_MARTYR",), "martyr", 1), (("MR_NURTURE", "MR_SURVIVOR_NURTURE"), "nurture", 1), (("MR_SURVIVOR",), "survivor", 2),
        (("MR_MOTHER_CARER", "MR_WOUNDED_CARER"), "carer", 1), (("MR_EDUCATION",), "education", 1),
        (("MR_WOUNDED_SUPPL",), "wounded supplement", 1), (("MR_SICK_SUPPL",), "sick supplement", 1),
        (("MR_CHEM_SUPPL",), "chemical supplement", 1), (("CS_PREG",), "pregnancy", 1), (("SA4",), "single parent", 99),
        (("CS_", "MR_"), "adds", 99), (("SA", "SP"), "main", 1),
    ):  # fmt: skip
        if category.startswith(names):
            return group, keep
    raise KeyError(category)


Level = tuple[str, int | None]


def keep_highest(levels: list[Level], keep: int) -> list[Level]:
    """The highest ones; a level nobody knows comes first: it cannot be called lower."""
    return sorted(levels, key=lambda level: (level[1] is not None, -(level[1] or 0)))[:keep]


def sum_of(levels: list[Level]) -> int:
    return sum(vnd or 0 for _, vnd in levels)


def stack(levels: list[Level]) -> list[Level]:
    """What remains of everything somebody would have in a month."""
    kept: list[Level] = []
    groups = {stacking(category)[0] for category, _ in levels}
    by_group = {group: [level for level in levels if stacking(level[0])[0] == group] for group in groups}
    parent = by_group.pop("single parent", [])
    main = by_group.pop("main", [])
    for members in by_group.values():
        kept += keep_highest(members, stacking(members[0][0])[1])
    if not parent:
        return kept + keep_highest(main, 1)
    alone = keep_highest([level for level in main if level[0].startswith(NOT_WITH_SINGLE_PARENT)], 1)
    beside = keep_highest([level for level in main if not level[0].startswith(NOT_WITH_SINGLE_PARENT)], 1)
    unknown = any(vnd is None for _, vnd in alone)
    known_beside = not any(vnd is None for _, vnd in beside)
    if alone and (
        (unknown and (known_beside or not beside)) or (not unknown and known_beside and sum_of(alone) >= sum_of(beside + parent))
    ):
        return kept + alone
    return kept + beside + parent


def due(person: Person, month: int, known: date, wounded: dict[tuple[str, int], int]) -> dict[str, int | None]:
    """Đồng by programme for a month; None where a part has no known rate."""
    levels: list[Level] = []
    for decision in person.decisions:
        category = category_in(person, decision, month)
        if category is None or (category == "MR_WORSHIP" and (month % 12 != 6 or month > at(known.year + 1, 12))):
            continue
        vnd = amount(category, decision.percent, month, known, wounded)
        vnd = vnd * decision.quantity if vnd is not None and category == "MR_SENIORITY" else vnd
        if not set_aside(person, decision, category, month, vnd):
            levels.append((category, vnd))
    found: dict[str, int | None] = {}
    for category, vnd in stack(levels):
        programme = {"MR": "MERIT", "SP": "SOCIAL_PENSION"}.get(category[:2], "SOCIAL_ASSISTANCE")
        before = found.get(programme, 0)
        found[programme] = None if vnd is None or before is None else before + vnd
    extra = sum(vnd for when, vnd in person.one_offs if when == month)
    if extra:
        found["CAMPAIGN"] = extra
    return found


def birth_text(month: int | None) -> str | None:
    return None if month is None else first_day(month).isoformat()[:7]


async def insert(tx: Tx, person: Person, unit_path: str = "60/593/22924") -> UUID:
    """The person as rows of the register."""
    died = None if person.died is None else first_day(person.died).replace(day=9)
    person_id = await tx.value(
        "INSERT INTO person (is_beneficiary, full_name, name_folded, birth_date, sex, unit_code, unit_path, identity_fingerprint,"
        " created_by, status, death_date) VALUES (true, 'A', 'A', :born, 'F', '22924', :path, 'x', 'test', :status, :died)"
        " RETURNING person_id",
        born=birth_text(person.born), path=unit_path, status="DECEASED" if died else "ACTIVE", died=died,
    )  # fmt: skip
    for n, decision in enumerate(person.decisions):
        entitlement = await tx.value(
            "INSERT INTO entitlement (person_id, programme, funding_source, category, percent, quantity, per_dependant, benefit_line,"
            " decision_number, decision_date, from_month, arrears_from, until, dependant_birth_date)"
            " SELECT :id, c.programme, c.funding_source, c.code, :percent, :quantity, c.per_dependant, c.benefit_line, :number, :signed,"
            " :start, CAST(:arrears AS date), CAST(:until AS date), CAST(:child AS text) FROM benefit_category c WHERE c.code = :category"
            " RETURNING entitlement_id",
            id=person_id, percent=decision.percent, quantity=decision.quantity, number=f"{n}/QĐ", signed=first_day(decision.start),
            start=first_day(decision.start), arrears=None if decision.arrears is None else first_day(decision.arrears),
            until="infinity" if decision.end is None else str(first_day(decision.end)), child=birth_text(decision.child_born),
            category=decision.category,
        )  # fmt: skip
        for pause in decision.pauses:
            await tx.execute(
                "INSERT INTO entitlement_pause (entitlement_id, from_month, until, reason, back_pay)"
                " VALUES (:id, :first, CAST(:until AS date), 'x', :back)",
                id=entitlement, first=first_day(pause.first), back=pause.kind == "PAID_BACK",
                until="infinity" if pause.last is None else str(first_day(pause.last + 1)),
            )  # fmt: skip
    await _facts(tx, person_id, person)
    return UUID(str(person_id))


async def _facts(tx: Tx, person_id: Any, person: Person) -> None:
    for group in person.groups:
        await tx.execute(
            "INSERT INTO group_membership (person_id, group_code, from_date, to_date) VALUES (:id, :kind, :first, CAST(:last AS date))",
            id=person_id, kind=group.kind, first=first_day(group.first), last=None if group.last is None else str(first_day(group.last)),
        )  # fmt: skip
    for stay in person.stays:
        await tx.execute(
            "WITH i AS (INSERT INTO institution (code, name, unit_code, unit_path, valid_from)"
            " VALUES ('I' || upper(replace(CAST(uuidv7() AS text), '-', '')), 'x', '60', '60', '2000-01-01') RETURNING institution_id)"
            " INSERT INTO institution_stay (institution_id, person_id, from_date, to_date)"
            " SELECT institution_id, :id, :first, CAST(:last AS date) FROM i",
            id=person_id, first=first_day(stay.first).replace(day=17),
            last=None if stay.last is None else str(first_day(stay.last).replace(day=20)),
        )  # fmt: skip
    for n, other in enumerate(person.others):
        await tx.execute(
            "INSERT INTO other_benefit (person_id, source, kind, from_month, until, monthly_amount, told_on)"
            " VALUES (:id, 'BHXH', :kind, :first, CAST(:until AS date), CAST(:amount AS bigint), '2024-01-01')",
            id=person_id, kind=f"PENSION_{n}", first=first_day(other.span.first), amount=other.amount,
            until="infinity" if other.span.last is None else str(first_day(other.span.last + 1)),
        )  # fmt: skip
    for when, vnd in person.one_offs:
        await tx.execute(
            "INSERT INTO one_off_due (person_id, programme, funding_source, kind, benefit_line, month, amount, basis, source_id,"
            " created_by) VALUES (:id, 'CAMPAIGN', 'CENTRAL_BUDGET', 'CAMPAIGN', 'C01', :month, :vnd, 'x', uuidv7(), 'test')",
            id=person_id, month=first_day(when), vnd=vnd,
        )  # fmt: skip


async def amounts_of(tx: Tx, person_id: UUID, first: int, last: int) -> dict[int, dict[str, int | None]]:
    """What the register says, month by month, by programme; None where a rate is missing."""
    rows = await tx.rows(
        "SELECT month_no(from_month) AS f, month_no(until) AS t, programme, amount, status FROM due_interval WHERE person_id = :id",
        id=person_id,
    )
    found: dict[int, dict[str, int | None]] = {month: {} for month in range(first, last + 1)}
    for month, sums in found.items():
        for row in rows:
            if row["f"] <= month < row["t"]:
                before = sums.get(row["programme"], 0)
                missing = before is None or row["status"] == "RATE_MISSING"
                sums[row["programme"]] = None if missing else int(before or 0) + int(row["amount"])
    return found
