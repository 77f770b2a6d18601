"""Statutory reports as data: what a layout may say, checked before the service starts; due days; whom a report goes to.

A layout says which figures stand in which column, for which groups, when it is due and on what the report rests. Text of a form that
nobody here has read is not imitated: `form_number` stays empty and `open` says what must be asked.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, cast

from reporting.domain.indicators import GROUPS, INDICATORS, Kind, Unit
from reporting.domain.states import Words

__all__ = [
    "PARTNER_FIGURES",
    "RECOVERY_FIGURES",
    "Addressee",
    "BadLayout",
    "Basis",
    "Budget",
    "Column",
    "ColumnKind",
    "Due",
    "Layout",
    "Period",
    "PeriodKind",
    "Source",
    "addressees_of",
    "month_after",
    "parse_addressees",
    "parse_layout",
    "period_of",
    "steps_of",
]  # fmt: skip


class BadLayout(ValueError):
    """A layout file says something that cannot be; the service does not start with it."""


class PeriodKind(StrEnum):
    """Over what time a report is."""

    MONTH = "MONTH"
    HALF_YEAR = "HALF_YEAR"
    YEAR = "YEAR"


class Source(StrEnum):
    """Where the figures come from: the indicators, payments by partner, or what the decisions in force will owe."""

    INDICATORS = "INDICATORS"
    PARTNERS = "PARTNERS"
    DUES = "DUES"


_STEPS: Final = {"commune": {"COMMUNE"}, "district": {"COMMUNE", "DISTRICT"}, "province": {"DEPARTMENT", "PAYMENT_ORGANISATION"}}


def steps_of(level: str) -> frozenset[str]:
    """Which steps of a report are a unit's own: until 30 June 2025 the district also did what communes do now; ministries are no unit."""
    return frozenset(_STEPS.get(level, ()))


class ColumnKind(StrEnum):
    """What a cell holds. Counts and đồng are whole numbers, a rate is text as published."""

    COUNT = "COUNT"
    DONG = "DONG"
    RATE = "RATE"


_MONTHS: Final = {PeriodKind.MONTH: 1, PeriodKind.HALF_YEAR: 6, PeriodKind.YEAR: 12}

PARTNER_FIGURES: Final[Mapping[str, ColumnKind]] = {
    f"{stem}_{suffix}": kind
    for stem in ("listed", "paid", "by_account", "in_cash", "unpaid", "on_the_way")
    for suffix, kind in (("people", ColumnKind.COUNT), ("dong", ColumnKind.DONG))
}
"""Figures of one payment partner; unpaid: failed, returned, uncollected or cancelled, which goes to the next month."""

DUES_FIGURES: Final[Mapping[str, ColumnKind]] = {
    "people": ColumnKind.COUNT,
    "lines": ColumnKind.COUNT,
    "first_month_dong": ColumnKind.DONG,
    "period_dong": ColumnKind.DONG,
    "rate_missing_lines": ColumnKind.COUNT,
}
"""What the decisions in force owe in the period, and the lines whose rate is not loaded (their amount is not guessed)."""

RECOVERY_FIGURES: Final[Mapping[str, ColumnKind]] = {
    "recovery_open_people": ColumnKind.COUNT,
    "recovery_open_dong": ColumnKind.DONG,
    "recovered_dong": ColumnKind.DONG,
    "recovery_left_people": ColumnKind.COUNT,
    "recovery_left_dong": ColumnKind.DONG,
}
"""Beside the indicators: people who were paid too much, and the money (Circular 44/2022/TT-BTC Art.15). `open`: what is still to come back
when the report is made, as first versions of layouts have it; `recovered`: what came back in the period, by business date; `left`: what
was still to come back at its end, without what was waived."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a report rests on. `read`: the text was read; otherwise it is known from texts that cite it."""

    vi: str
    en: str
    read: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its number on the form, its words, the figure; or `share_bp` hundredths of a percent of a figure in đồng, half-up."""

    key: str
    words: Words
    kind: ColumnKind
    figure: str
    share_bp: int | None = None

    def cell(self, value: int) -> int:
        """What stands in the column for a value of its figure."""
        return value if self.share_bp is None else (2 * value * self.share_bp + 10_000) // 20_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Where the money of a report stands in the state budget, for periods that end from a day to a day (inclusive)."""

    words: Words
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Due:
    """Who must have handed a report over, and when: `day` of the month that is `months` after the period's last month.

    `strict`: before that day; otherwise on it at the latest.
    """

    who: str
    words: Words
    months: int
    day: int
    strict: bool
    since: date | None
    until: date | None

    def day_for(self, last_month: date) -> date:
        """The day named by the rule; 31 is the last day of a month that has fewer."""
        month = month_after(last_month, self.months)
        return month.replace(day=min(self.day, monthrange(month.year, month.month)[1]))

    def late(self, last_month: date, on: date) -> bool:
        """Whether handing over on a day is late."""
        limit = self.day_for(last_month)
        return on >= limit if self.strict else on > limit

    def days_late(self, last_month: date, on: date) -> int:
        """Days over the last good day; 0 when in time."""
        return max((on - self.day_for(last_month)).days + (1 if self.strict else 0), 0)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who was competent for a programme from a day to a day (inclusive): the ministry, and the province's department that reports."""

    programme: str
    since: date
    until: date | None
    ministry: Words
    department: Words


@dataclass(frozen=True, slots=True)
class Layout:
    """One version of one report."""

    code: str
    version: int
    digest: str
    title: Words
    period: PeriodKind
    source: Source
    groups: tuple[str, ...]
    form_number: str
    to_ministry: bool
    sender: Words
    columns: tuple[Column, ...]
    dues: tuple[Due, ...]
    basis: tuple[Basis, ...]
    open: tuple[Words, ...]
    signatures: tuple[tuple[str, str], ...]
    sum_in_words: str | None
    budget: tuple[Budget, ...] = ()
    counting: int = 1
    """How it counts. 1: as reports frozen before were, `ALL` over every programme there is, each month's lists by themselves, and units of
    other days by `unit_trees_first`.

    2: `ALL` is the sum of the layout's own groups, what one list of the period could not pay and a later one took over counts once, and
    units of other days are told by `unit_trees`.

    3: the same, and what nothing is due of any more (a merged file, a death or an end told late) is not unpaid.

    4: the same, and of a year somebody paid under several files that were merged is one person; so is who has several recoveries in a unit.
    """

    def budget_on(self, last: date) -> Words | None:
        """Chapter, category and item for a period that ends on a day."""
        return next(
            (one.words for one in self.budget if (one.since is None or one.since <= last) and (one.until is None or last <= one.until)),
            None,
        )


@dataclass(frozen=True, slots=True)
class Period:
    """First and last month, both as their first day."""

    kind: PeriodKind
    first: date
    last: date

    @property
    def label(self) -> Words:
        """'Tháng 9 năm 2024', '6 tháng đầu năm 2024', 'Năm 2024'."""
        year = self.first.year
        if self.kind is PeriodKind.MONTH:
            return Words(f"Tháng {self.first.month} năm {year}", f"{self.first:%B} {year}")
        if self.kind is PeriodKind.HALF_YEAR:
            early = self.first.month == 1
            return Words(f"6 tháng {'đầu' if early else 'cuối'} năm {year}", f"{'First' if early else 'Second'} half of {year}")
        return Words(f"Năm {year}", f"Year {year}")


def month_after(month: date, count: int) -> date:
    """The first day of the month `count` months later (or earlier)."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def period_of(kind: PeriodKind, first: date) -> Period:
    """The period that begins in a month. Raises ValueError where such a period does not begin there."""
    if (kind is PeriodKind.HALF_YEAR and first.month not in (1, 7)) or (kind is PeriodKind.YEAR and first.month != 1):
        raise ValueError("the period does not begin in that month")
    return Period(kind, first.replace(day=1), month_after(first, _MONTHS[kind] - 1))


def addressees_of(table: Sequence[Addressee], programmes: Sequence[str], on: date) -> list[tuple[Addressee, tuple[str, ...]]]:
    """Who is competent for these programmes on a day, each once with its programmes. Raises `LookupError` where nobody is."""
    found: dict[str, tuple[Addressee, list[str]]] = {}
    for programme in programmes:
        one = next((a for a in table if a.programme == programme and a.since <= on and (a.until is None or on <= a.until)), None)
        if one is None:
            raise LookupError(programme)
        found.setdefault(one.ministry.vi, (one, []))[1].append(programme)
    return [(one, tuple(names)) for one, names in found.values()]


def _words(data: Mapping[str, Any], where: str) -> Words:
    if set(data) != {"vi", "en"} or not all(isinstance(text, str) and text.strip() for text in data.values()):
        raise BadLayout(f"{where}: needs a text in vi and in en")
    return Words(data["vi"], data["en"])


def _taken(data: dict[str, Any], name: str, kind: type, where: str) -> Any:
    value = data.pop(name, None)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadLayout(f"{where}: {name} is missing or is not a {kind.__name__}")
    return value


_WHOLE_BP: Final = 10_000
_FIGURES: Final = {Source.INDICATORS: RECOVERY_FIGURES, Source.PARTNERS: PARTNER_FIGURES, Source.DUES: DUES_FIGURES}


def _column(source: Source, data: dict[str, Any], where: str) -> Column:
    share = data.pop("share_bp", None)
    if share is None:
        return _plain_column(source, data, where)
    if not isinstance(share, int) or isinstance(share, bool) or not 0 < share <= _WHOLE_BP:
        raise BadLayout(f"{where}: share_bp is a whole number of hundredths of a percent, 1 to {_WHOLE_BP}")
    column = _plain_column(source, data, where)
    if column.kind is not ColumnKind.DONG:
        raise BadLayout(f"{where}, column {column.key}: only of đồng there is a share")
    return replace(column, share_bp=share)


def _plain_column(source: Source, data: dict[str, Any], where: str) -> Column:
    key, figure = _taken(data, "key", str, where), _taken(data, "figure", str, where)
    words = _words(data, f"{where}, column {key}")
    if source is Source.INDICATORS and figure not in RECOVERY_FIGURES:
        indicator = INDICATORS.get(figure)
        if indicator is None:
            raise BadLayout(f"{where}, column {key}: there is no indicator {figure}")
        if indicator.kind is Kind.RATE:
            return Column(key, words, ColumnKind.RATE, figure)
        return Column(key, words, ColumnKind.DONG if indicator.unit is Unit.DONG else ColumnKind.COUNT, figure)
    kind = _FIGURES[source].get(figure)
    if kind is None:
        raise BadLayout(f"{where}, column {key}: {source} has no figure {figure}")
    return Column(key, words, kind, figure)


def _due(data: dict[str, Any], where: str) -> Due:
    who, months, day = _taken(data, "who", str, where), _taken(data, "months", int, where), _taken(data, "day", int, where)
    if not 1 <= day <= 31:
        raise BadLayout(f"{where}: no month has a day {day}")
    strict, since, until = data.pop("before", False), data.pop("since", None), data.pop("until", None)
    return Due(who, _words(data, f"{where}, due {who}"), months, day, bool(strict), since, until)


def _budget(data: dict[str, Any], where: str) -> Budget:
    since, until = data.pop("since", None), data.pop("until", None)
    return Budget(_words(data, f"{where}, budget"), since, until)


def parse_layout(data: Mapping[str, Any], digest: str, where: str) -> Layout:
    """Read and check one layout. Raises :class:`BadLayout` naming the file and what is wrong in it."""
    rest = dict(data)
    code, version = _taken(rest, "code", str, where), _taken(rest, "version", int, where)
    try:
        source, period = Source(rest.pop("source", "")), PeriodKind(rest.pop("period", ""))
    except ValueError as error:
        raise BadLayout(f"{where}: {error}") from error
    if source is Source.PARTNERS and period is not PeriodKind.MONTH:
        raise BadLayout(f"{where}: what partners paid is counted month by month, and people of several months are not the sum of them")
    if source is Source.DUES and period is not PeriodKind.YEAR:
        raise BadLayout(f"{where}: what decisions will owe is counted by the year")
    groups = tuple(_taken(rest, "groups", list, where))
    if unknown := [group for group in groups if group not in GROUPS]:
        raise BadLayout(f"{where}: there is no group {unknown[0]}")
    columns = tuple(_column(source, dict(one), where) for one in _taken(rest, "columns", list, where))
    if not columns or len({column.key for column in columns}) != len(columns):
        raise BadLayout(f"{where}: columns need keys of their own")
    sum_in_words = rest.pop("sum_in_words", None)
    if sum_in_words is not None and not any(c.key == sum_in_words and c.kind is ColumnKind.DONG for c in columns):
        raise BadLayout(f"{where}: sum_in_words names no column in đồng")
    layout = Layout(
        code=code, version=version, digest=digest, title=_words(_taken(rest, "title", dict, where), where), period=period, source=source,
        groups=groups, form_number=_taken(rest, "form_number", str, where), to_ministry=_taken(rest, "to_ministry", bool, where),
        sender=_words(_taken(rest, "sender", dict, where), where), columns=columns,
        dues=tuple(_due(dict(one), where) for one in rest.pop("due", [])),
        basis=tuple(
            Basis(one["vi"], one["en"], cast(bool, one["read"])) for one in _taken(rest, "basis", list, where)
        ),
        open=tuple(_words(one, where) for one in rest.pop("open", [])),
        signatures=tuple((one["title"], one["note"]) for one in _taken(rest, "signatures", list, where)), sum_in_words=sum_in_words,
        budget=tuple(_budget(dict(one), where) for one in rest.pop("budget", [])), counting=rest.pop("counting", 1),
    )  # fmt: skip
    if layout.counting not in (1, 2, 3, 4):
        raise BadLayout(f"{where}: counting is 1, 2, 3 or 4")
    if rest:
        raise BadLayout(f"{where}: nobody knows what {min(rest)} means")
    if not layout.form_number and not layout.open:
        raise BadLayout(f"{where}: a report without a form number must say what is open")
    return layout


def parse_addressees(data: Mapping[str, Any], where: str) -> tuple[Addressee, ...]:
    """Read the dated table of competent ministries and departments; one at a time for each programme."""
    table = tuple(
        Addressee(one["programme"], one["since"], one.get("until"), _words(one["ministry"], where), _words(one["department"], where))
        for one in data["competent"]
    )
    for programme in {one.programme for one in table}:
        rows = sorted((one for one in table if one.programme == programme), key=lambda one: one.since)
        for before, after in pairwise(rows):
            if before.until is None or before.until >= after.since:
                raise BadLayout(f"{where}: two ministries at once for {programme}")
    return table
