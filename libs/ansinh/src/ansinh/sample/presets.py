"""What is asked for: presets with published counts, and a general province of any size."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ansinh.sample.law import MERIT, SOCIAL_ASSISTANCE

__all__ = ["DEFAULT_PRESET", "MAX_PEOPLE", "PRESETS", "Outcome", "Preset", "ProgrammeCounts", "Published", "find_preset", "scaled"]

MAX_PEOPLE = 1_000_000
DEFAULT_PRESET = "binh-thuan-2024-09"


class Outcome:
    """What is planned for a person, one byte each; the truth file says what follows from it."""

    CASH = 0
    ACCOUNT = 1
    HOME = 2
    NO_ID = 3
    NOT_IN_DB = 4
    REVIEW = 5
    SUSPECTED = 6
    ACCOUNT_CLOSED = 7
    ACCOUNT_NOT_FOUND = 8
    ACCOUNT_NAME = 9
    ACCOUNT_SHARED = 10
    ACCOUNT_ID = 11
    ACCOUNT_MIDDLE = 12
    ACCOUNT_DORMANT = 13
    ACCOUNT_NOT_UPGRADED = 14
    FAIL_CLOSED = 15
    FAIL_NAME = 16
    REP_SUSPECTED = 17
    REP_DECEASED = 18
    UNCOLLECTED = 19

    DEFECTS = frozenset(range(7, 15))
    FAILS = frozenset((15, 16))
    REQUESTS = frozenset((1, *range(7, 19)))  # outcomes whose account row asks for an account
    NEVER_OPEN = frozenset((ACCOUNT_CLOSED, ACCOUNT_NOT_FOUND))  # asks for an account that does not exist (any more)


@dataclass(frozen=True)
class ProgrammeCounts:
    """Counts of one programme: people on the list, settled by account, and everything else that is not plain cash."""

    people: int
    account: int
    outcomes: dict[int, int]
    duplicates: int
    malformed: int
    malformed_corrected: int
    deceased: int
    arrears: int


@dataclass(frozen=True)
class Published:
    """A figure as it was published: its id in the list of published figures, and the indicator that must say the same, to the digit.

    `unit`: a district of the preset's province; None: the preset's own unit.
    """

    source: str
    group: str
    indicator: str
    value: str
    unit: str | None = None


@dataclass(frozen=True)
class Preset:
    """One month of one province (or of one district of it)."""

    name: str
    province: str
    month: str
    business_date: str
    counts: dict[str, ProgrammeCounts]
    district: str | None = None
    account_rates_tenths: dict[str, int] = field(default_factory=dict)
    no_id_spared: int = 0
    requests_exact: bool = False
    note: str = ""
    published: tuple[Published, ...] = ()

    @property
    def people(self) -> int:
        """People on the lists, both programmes."""
        return sum(c.people for c in self.counts.values())


_MERIT = ProgrammeCounts(
    people=9_137,
    account=3_728,
    outcomes={
        Outcome.HOME: 420, Outcome.REVIEW: 72, Outcome.SUSPECTED: 21, Outcome.ACCOUNT_CLOSED: 34, Outcome.ACCOUNT_NOT_FOUND: 38,
        Outcome.ACCOUNT_NAME: 36, Outcome.ACCOUNT_SHARED: 12, Outcome.ACCOUNT_ID: 31, Outcome.ACCOUNT_MIDDLE: 29,
        Outcome.ACCOUNT_DORMANT: 14, Outcome.ACCOUNT_NOT_UPGRADED: 11, Outcome.FAIL_CLOSED: 12, Outcome.FAIL_NAME: 7,
        Outcome.REP_SUSPECTED: 8, Outcome.REP_DECEASED: 9, Outcome.UNCOLLECTED: 38,
    },
    duplicates=34, malformed=18, malformed_corrected=26, deceased=41, arrears=60,
)  # fmt: skip
_SA = ProgrammeCounts(
    people=45_486,
    account=12_667,
    outcomes={
        Outcome.HOME: 1_630, Outcome.NO_ID: 189, Outcome.NOT_IN_DB: 118, Outcome.REVIEW: 348, Outcome.SUSPECTED: 93,
        Outcome.ACCOUNT_CLOSED: 121, Outcome.ACCOUNT_NOT_FOUND: 134, Outcome.ACCOUNT_NAME: 147, Outcome.ACCOUNT_SHARED: 69,
        Outcome.ACCOUNT_ID: 96, Outcome.ACCOUNT_MIDDLE: 118, Outcome.ACCOUNT_DORMANT: 52, Outcome.ACCOUNT_NOT_UPGRADED: 73,
        Outcome.FAIL_CLOSED: 37, Outcome.FAIL_NAME: 22, Outcome.REP_SUSPECTED: 19, Outcome.REP_DECEASED: 23, Outcome.UNCOLLECTED: 187,
    },
    duplicates=176, malformed=64, malformed_corrected=97, deceased=139, arrears=310,
)  # fmt: skip

_BINH_THUAN = Preset(
    name="binh-thuan-2024-09",
    province="60",
    month="2024-09",
    business_date="2024-08-20",
    counts={MERIT: _MERIT, SOCIAL_ASSISTANCE: _SA},
    account_rates_tenths={"600": 172, "597": 177, "593": 195, "599": 232},
    no_id_spared=1,
    note=(
        "Counts as the province published them for September 2024. Its 121 communes are those of the list of 30 June 2025: three wards of "
        "Phan Thiết merged on 1 December 2024 are no longer in that list. District totals were not published and are shared out by size."
    ),
    published=(
        Published("BT-01", MERIT, "by_account_people", "3728"),
        Published("BT-02", MERIT, "due_people", "9137"),
        Published("BT-03", SOCIAL_ASSISTANCE, "by_account_people", "12667"),
        Published("BT-04", SOCIAL_ASSISTANCE, "due_people", "45486"),
        Published("BT-05", "ALL", "by_account_people", "16395"),
        Published("BT-06", "ALL", "due_people", "54623"),
        Published("BT-07", "ALL", "by_account_rate", "30.0"),
        Published("BT-08", MERIT, "by_account_rate", "40.8"),
        Published("BT-09", SOCIAL_ASSISTANCE, "by_account_rate", "27.8"),
        Published("BT-11", SOCIAL_ASSISTANCE, "no_number_or_not_in_database_people", "307"),
        Published("BT-12", SOCIAL_ASSISTANCE, "by_account_rate", "17.2", "600"),
        Published("BT-13", SOCIAL_ASSISTANCE, "by_account_rate", "17.7", "597"),
        Published("BT-14", SOCIAL_ASSISTANCE, "by_account_rate", "19.5", "593"),
        Published("BT-15", SOCIAL_ASSISTANCE, "by_account_rate", "23.2", "599"),
    ),
)


def _at(
    base: ProgrammeCounts, people: int, *, requests: int | None = None, opened: int | None = None, paid: bool = True
) -> ProgrammeCounts:
    """`base` scaled to `people`; every kind keeps at least one case while the programme has 250 people or more.

    `requests`: how many ask for an account; `opened`: how many have one open when the month is over, of which those that fail as closed
    are not, where the programme is `paid` at all.
    """
    factor = people / base.people

    def scale(n: int) -> int:
        return max(1 if people >= 250 else 0, round(n * factor)) if n else 0

    outcomes = {k: scale(n) for k, n in base.outcomes.items()}
    if outcomes.get(Outcome.ACCOUNT_SHARED):
        outcomes[Outcome.ACCOUNT_SHARED] = max(2, outcomes[Outcome.ACCOUNT_SHARED])
    account = round(base.account * factor)
    if requests is not None:
        account = requests - sum(n for k, n in outcomes.items() if k in Outcome.REQUESTS)
    if opened is not None:
        closed = Outcome.NEVER_OPEN | ({Outcome.FAIL_CLOSED} if paid else set())
        account = opened - sum(n for k, n in outcomes.items() if k in Outcome.REQUESTS - closed)
    return replace(
        base, people=people, account=account, outcomes=outcomes,
        duplicates=scale(base.duplicates), malformed=scale(base.malformed), malformed_corrected=scale(base.malformed_corrected),
        deceased=scale(base.deceased), arrears=scale(base.arrears),
    )  # fmt: skip


PRESETS: dict[str, Preset] = {
    "binh-thuan-2024-09": _BINH_THUAN,
    "kien-giang-2024-03": Preset(
        name="kien-giang-2024-03",
        province="91",
        month="2024-03",
        business_date="2024-02-20",
        counts={MERIT: _at(_MERIT, 13_400, opened=3_223, paid=False), SOCIAL_ASSISTANCE: _at(_SA, 52_600, opened=5_967)},
        requests_exact=True,
        note=(
            "3,223 merit and 5,967 assistance accounts opened (March 2024) are published: open at the month's end. The numbers of people "
            "are assumed. Merit tables before July 2024 are not loaded, so merit is held RATE_MISSING; the assistance standard is 360,000."
        ),
        published=(
            Published("KG-01", MERIT, "opened_people", "3223"),
            Published("KG-02", SOCIAL_ASSISTANCE, "opened_people", "5967"),
            Published("KG-03", "ALL", "opened_people", "9190"),
        ),
    ),
    "huong-khe-2024-01": Preset(
        name="huong-khe-2024-01",
        province="42",
        district="444",
        month="2024-01",
        business_date="2023-12-20",
        counts={MERIT: _at(_MERIT, 2_172, requests=240), SOCIAL_ASSISTANCE: _at(_SA, 8_000, requests=665)},
        requests_exact=True,
        note=(
            "10,172 monthly beneficiaries, 905 registered for an account (January 2024) are published; the split by programme is assumed. "
            "Merit tables before July 2024 are not loaded, so merit is held RATE_MISSING; the assistance standard is 360,000."
        ),
        published=(
            Published("HK-01", "ALL", "beneficiaries", "10172"),
            Published("HK-02", "ALL", "registered_people", "905"),
            Published("HK-03", "ALL", "registered_rate", "8.9"),
            Published("HK-04", "ALL", "not_registered_people", "9267"),
        ),
    ),
}


def find_preset(name: str) -> Preset:
    """The preset by its name, or by the place alone (`kien-giang`). Raises `ValueError` naming the presets there are."""
    for known, preset in PRESETS.items():
        if name in (known, known.rsplit("-", 2)[0]):
            return preset
    msg = f"unknown preset {name!r}: choose from {', '.join(sorted(PRESETS))}"
    raise ValueError(msg)


def scaled(preset: Preset, province: str | None, people: int | None) -> Preset:
    """The preset itself, or its shape in another province or size. Raises `ValueError` outside 60 to `MAX_PEOPLE` people."""
    if province is None and people is None:
        return preset
    total = preset.people if people is None else people
    if not 60 <= total <= MAX_PEOPLE:
        msg = f"people must be between 60 and {MAX_PEOPLE:,}, not {total:,}"
        raise ValueError(msg)
    code = preset.province if province is None else province
    merit = max(20, round(total * preset.counts[MERIT].people / preset.people))
    counts = {MERIT: _at(preset.counts[MERIT], merit), SOCIAL_ASSISTANCE: _at(preset.counts[SOCIAL_ASSISTANCE], total - merit)}
    same = code == preset.province
    return replace(
        preset, name=f"province-{code}-{total}", province=code, counts=counts, requests_exact=False,
        district=preset.district if same else None, account_rates_tenths=preset.account_rates_tenths if same and total >= 20_000 else {},
        no_id_spared=1 if total >= 5_000 else 0, note=f"Shape of the preset {preset.name}, other province or size: no published counts.",
    )  # fmt: skip
