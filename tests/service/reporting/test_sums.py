"""The sums behind every figure equal a count over all lines and people, whatever came in whatever order, and after a rebuild."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from period_count import compare_periods, compare_years
from reporting_builders import PARTNERS, Reporting, World, cycle_of, incoming, shuffled
from sqlalchemy import RowMapping

from common.actor import SYSTEM
from common.contracts.accounts_v1 import AccountKind, AccountLinked, AccountOpeningChanged, AccountStatus, PayoutMethod, PayoutMethodChosen
from common.contracts.disbursement_v1 import Channel, HoldReason, PaymentHeld, PaymentReleased, PaymentSettled, PaymentStatus
from common.contracts.envelope import Event
from common.contracts.identity_verify_v1 import BeneficiaryVerificationFailed, Verdict
from common.contracts.registry_v1 import (
    BeneficiaryStatus,
    BeneficiaryUpdated,
    DueInterval,
    DuesChanged,
    DuesLine,
    DueStatus,
    PreferenceRecorded,
    Programme,
    Sex,
)  # fmt: skip
from common.ids import stable_id
from common.jobs import Job, JobRunner
from reporting.storage.contributions import MONTH_SUMS, contributions
from reporting.storage.lines import tried_again
from reporting.storage.merged import MERGED, counted_twice
from reporting.storage.owed import OWED_SUMS, dues, owed
from reporting.storage.partner_sums import partners
from reporting.storage.standings import STANDING_SUMS, standing
from reporting.storage.unit_sums import ABOVE, above
from reporting.usecases import rebuild

UNITS = ("60/593/22924", "60/593/22918", "60/594/23235")
MONTHS = ("2024-11", "2024-12", "2025-01")
PEOPLE = 4
ENOUGH = 20  # steps; a shorter story may tell only what no figure counts


def counted(sql: str, columns: str) -> str:
    """SQL of everything by key, without zeros, in an order of its own."""
    names = columns.split(", ")
    counts = [name for name in names if name in ("people", "lines", "dong", "payments")]
    keys = ", ".join(name for name in names if name not in counts)
    sums = ", ".join(f"sum({name}) AS {name}" for name in counts)
    some = " OR ".join(f"sum({name}) <> 0" for name in counts)
    return f"SELECT {keys}, {sums} FROM ({sql}) AS s GROUP BY {keys} HAVING {some} ORDER BY {keys}"


_STATES = {
    "listed": "TRUE",
    "paid": "status IN ('SETTLED', 'COLLECTED')",
    "by_account": "status = 'SETTLED' AND channel NOT LIKE 'CASH%'",
    "in_cash": "status = 'COLLECTED' OR (status = 'SETTLED' AND channel LIKE 'CASH%')",
    "unpaid": "status IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED')",
    "on_the_way": "status NOT IN ('SETTLED', 'COLLECTED', 'FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED')",
}
_COUNTED = ", ".join(
    f"count(DISTINCT beneficiary_id) FILTER (WHERE {condition}) AS {stem}_people,"
    f" coalesce(sum(amount) FILTER (WHERE {condition}), 0)::bigint AS {stem}_dong"
    for stem, condition in _STATES.items()
)
AT_PARTNERS = f"""
WITH latest AS (
    SELECT DISTINCT ON (partner, beneficiary_id, cycle_id) * FROM payment WHERE month = :month
    ORDER BY partner, beneficiary_id, cycle_id, attempt DESC, version DESC, payment_id
),
last AS (
    SELECT DISTINCT ON (beneficiary_id, cycle_id) * FROM payment WHERE month = :month
    ORDER BY beneficiary_id, cycle_id, attempt DESC, version DESC, payment_id
),
own AS (
    SELECT beneficiary_id, programme, funding_source, partner, status, channel, amount
    FROM latest AS o WHERE NOT ({_STATES["unpaid"]} AND {tried_again("o", more="q.partner = o.partner")})
),
whole AS (
    SELECT * FROM last AS o WHERE NOT ({_STATES["unpaid"]} AND {tried_again("o")})
)
SELECT coalesce(programme, '*') AS programme, coalesce(funding_source, '') AS funding_source, coalesce(partner, '') AS partner, {_COUNTED}
FROM own GROUP BY GROUPING SETS ((programme, funding_source, partner), (programme), ())
UNION ALL SELECT programme, '*', '*', {_COUNTED} FROM whole GROUP BY programme
ORDER BY 1, 2, 3
"""
"""What the report of the payment organisations is of a province, counted over its payments."""


OWED = """
WITH told AS (
    SELECT DISTINCT ON (key) key AS beneficiary_id, body ->> 'unit_path' AS unit_path, body -> 'lines' AS lines
    FROM event_log WHERE type = 'DuesChanged' ORDER BY key, CAST(body ->> 'version' AS bigint) DESC
),
owed AS (
    SELECT beneficiary_id, split_part(unit_path, '/', 2) AS district, x.programme, x.funding_source || '/' || x.benefit_line AS line,
           i.amount, i.status, greatest(CAST(i.from_month || '-01' AS date), :first) AS a,
           least(coalesce(CAST(i.to_month || '-01' AS date), :last), :last) AS b
    FROM told CROSS JOIN LATERAL jsonb_to_recordset(lines) AS x (programme text, funding_source text, benefit_line text, intervals jsonb)
    CROSS JOIN LATERAL jsonb_to_recordset(x.intervals) AS i (from_month text, to_month text, amount bigint, status text)
)
SELECT programme, CASE WHEN grouping(district) = 0 THEN '60/' || district END AS segment, grouping(district) AS all_units,
       count(DISTINCT beneficiary_id) AS people, count(DISTINCT (beneficiary_id, line)) AS lines,
       coalesce(sum(amount) FILTER (WHERE a = :first AND status = 'DUE'), 0)::bigint AS first_month_dong,
       coalesce(sum(amount * (extract(month FROM b) - extract(month FROM a) + 1)) FILTER (WHERE status = 'DUE'), 0)::bigint AS period_dong,
       count(DISTINCT (beneficiary_id, line)) FILTER (WHERE status <> 'DUE') AS rate_missing_lines
FROM owed WHERE a <= b GROUP BY GROUPING SETS ((programme, district), (programme)) ORDER BY programme, all_units DESC, segment
"""
"""What decisions owe in a year, from what the register last told of each person."""


def said(rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Rows without zeros; those of all partners together say people only."""
    kept = [{name: value for name, value in row.items() if value and (row["partner"] or not name.endswith("_dong"))} for row in rows]
    return [row for row in kept if "listed_people" in row]


async def compare(reporting: Reporting) -> int:
    """The kept sums against a count over everything; how many there are."""
    found = 0
    async with reporting.db.read() as tx:
        for month in MONTHS:
            day = date.fromisoformat(f"{month}-01")
            assert said(await partners(tx, day, "60")) == said(await tx.rows(AT_PARTNERS, month=day))
        for year in range(2022, 2028):
            first, last = date(year, 1, 1), date(year, 12, 1)
            assert list(map(dict, await dues(tx, first, "60"))) == list(map(dict, await tx.rows(OWED, first=first, last=last))), year
        months = f"({contributions(lines='TRUE', year='TRUE')}) UNION ALL ({counted_twice(MERGED.format(prefix=''))})"
        for table, columns, sql in (
            ("month_sum", MONTH_SUMS, months),
            ("standing_change", STANDING_SUMS, standing()),
            ("owed_change", OWED_SUMS, owed()),
        ):
            kept = [tuple(row.values()) for row in await tx.rows(counted(f"SELECT {columns} FROM {table}", columns))]
            scanned = [tuple(row.values()) for row in await tx.rows(counted(sql, columns))]
            assert kept == scanned
            upper = [tuple(row.values()) for row in await tx.rows(counted(f"SELECT {columns} FROM {ABOVE[table]}", columns))]
            assert upper == [tuple(row.values()) for row in await tx.rows(counted(above(columns, f"({sql})"), columns))]
            found += len(kept)
    await compare_periods(reporting, MONTHS)
    await compare_years(reporting, MONTHS)
    return found


class Story:
    """Events of a few people over a few months, drawn by dice: every fact of the indicators changes, moves and takes back."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.versions: dict[Any, int] = {}
        self.events: list[Event] = []

    def version(self, *part: Any) -> dict[str, Any]:
        month = self.dice.choice(MONTHS)
        self.versions[part] = self.versions.get(part, 0) + 1
        return {"version": self.versions[part], "business_date": date.fromisoformat(f"{month}-15")}

    def place(self) -> dict[str, str]:
        unit = self.dice.choice(UNITS)
        return {"unit_code": unit.rpartition("/")[2], "unit_path": unit}

    def step(self) -> None:
        who = stable_id("person", self.dice.randrange(PEOPLE))
        other = stable_id("person", self.dice.randrange(PEOPLE))
        kind = self.dice.choice((self.person, self.preference, self.verified, self.method, self.account, self.opening, self.paid, self.paid,
                                 self.paid, self.held, self.dues))  # fmt: skip
        kind(who, other)

    def person(self, who: UUID, other: UUID) -> None:
        programmes = self.dice.sample([Programme.MERIT, Programme.SOCIAL_ASSISTANCE, Programme.SOCIAL_PENSION], self.dice.randrange(4))
        self.events.append(
            BeneficiaryUpdated(
                **self.version("person", who), **self.place(), beneficiary_id=who, file_code="HS", full_name="Nguyễn Văn A",
                birth_date=None, sex=Sex.UNKNOWN, programmes=sorted(programmes), national_number={}, identity_fingerprint="f",
                status=self.dice.choice((BeneficiaryStatus.ACTIVE, BeneficiaryStatus.ACTIVE, BeneficiaryStatus.DECEASED)),
                unresolved_duplicate=self.dice.random() < 0.3,
                merged_into=other if other != who and self.dice.random() < 0.7 else None,  # undone again by the next word of it
            )
        )  # fmt: skip

    def preference(self, who: UUID, _: UUID) -> None:
        answer = self.dice.choice(("UNKNOWN", "WANTS_ACCOUNT", "DECLINES", "FORCE_MAJEURE"))
        base = self.version("preference", who)
        self.events.append(
            PreferenceRecorded(
                **base, **self.place(), beneficiary_id=who, preference=answer, recorded_on=base["business_date"], evidence=None
            )
        )

    def verified(self, who: UUID, _: UUID) -> None:
        base = self.version("verified", who)
        self.events.append(
            BeneficiaryVerificationFailed(
                **base, **self.place(), beneficiary_id=who, subject_id=who, subject_kind="BENEFICIARY",
                verdict=self.dice.choice(list(Verdict)), source_status="MATCH", fields={}, identity_fingerprint="f",
                checked_on=base["business_date"],
                valid_until=base["business_date"], reference=None,
            )
        )  # fmt: skip

    def method(self, who: UUID, other: UUID) -> None:
        payee = self.dice.choice((who, other))
        account = self.dice.choice((None, stable_id("account", payee, 0)))
        self.events.append(
            PayoutMethodChosen(
                **self.version("method", who), **self.place(), beneficiary_id=who, payee_id=payee,
                payee_kind="SELF" if payee == who else "CARER", account_id=account, reason=None,
                method=PayoutMethod.ACCOUNT if account else PayoutMethod.CASH_POST,
            )
        )  # fmt: skip

    def account(self, who: UUID, _: UUID) -> None:
        number = self.dice.randrange(2)
        status = self.dice.choice((AccountStatus.ACTIVE, AccountStatus.REJECTED, AccountStatus.CLOSED))
        self.events.append(
            AccountLinked(
                **self.version("account", who, number), **self.place(), payee_id=who, account_id=stable_id("account", who, number),
                kind=AccountKind.BANK, provider_code="AGRIBANK", partner="agribank", account_number={}, masked_number="…1",
                holder_name=None, status=status, reason="NOT_FOUND" if status is AccountStatus.REJECTED and number else None,
            )
        )  # fmt: skip

    def opening(self, who: UUID, other: UUID) -> None:
        self.events.append(
            AccountOpeningChanged(
                **self.version("opening", who, other), **self.place(), payee_id=who, request_id=stable_id("opening", who, other),
                provider_code="AGRIBANK", status=self.dice.choice(("SENT", "OPENED", "WITHDRAWN")),
                beneficiary_id=self.dice.choice((None, other)),
            )
        )  # fmt: skip

    def line(self, who: UUID) -> dict[str, Any]:
        month = self.dice.choice(MONTHS)
        programme = self.dice.choice((Programme.MERIT, Programme.SOCIAL_ASSISTANCE))
        source = self.dice.choice(("LOCAL_BUDGET", "LOCAL_BUDGET", "CENTRAL"))
        cycle = cycle_of(month, programme, source, number=self.dice.randrange(1, 4))  # main, supplementary, re-issue: in any order
        return {"cycle_id": cycle, "beneficiary_id": who, "month": month, "programme": programme, "funding_source": source}

    def replaces(self, who: UUID, line: dict[str, Any]) -> dict[UUID, int] | None:
        """Nothing said, or a word about any payment of the person in the month."""
        if self.dice.random() < 0.4:
            return None
        cycles = [cycle_of(line["month"], line["programme"], line["funding_source"], number=number) for number in range(1, 4)]
        ids = [stable_id("payment", who, cycle, attempt) for cycle in cycles for attempt in (1, 2)]
        return {known: self.dice.choice((0, 0, self.dice.randrange(500))) for known in self.dice.sample(ids, self.dice.randrange(3))}

    def paid(self, who: UUID, _: UUID) -> None:
        line = self.line(who)
        attempt, channel = self.dice.choice((1, 1, 2)), self.dice.choice(list(Channel))
        months = sorted({line["month"], self.dice.choice(MONTHS)})
        known = stable_id("payment", who, line["cycle_id"], attempt)
        self.events.append(
            PaymentSettled(
                **self.version("payment", known), **self.place(), **line, payment_id=known, payee_id=who, payee_kind="SELF",
                attempt=attempt, status=self.dice.choice(list(PaymentStatus)), reference=known.hex[:20],
                amount=self.dice.randrange(1_000), months=months,
                channel=channel, partner=PARTNERS[channel], reason=self.dice.choice((None, "ACCOUNT_CLOSED")),
                occurred_at="2024-12-01T00:00:00Z", replaces=self.replaces(who, line),
            )
        )  # fmt: skip

    def held(self, who: UUID, _: UUID) -> None:
        line = self.line(who)
        known = stable_id("hold", who, line["cycle_id"])
        done = self.dice.random() < 0.3
        self.events.append(
            (PaymentReleased if done else PaymentHeld)(
                **self.version("hold", known), **self.place(), **line, hold_id=known, amount=self.dice.choice((0, 500)), released=done,
                months=self.dice.choice(([], [line["month"]], sorted({line["month"], self.dice.choice(MONTHS)}))),
                reason=self.dice.choice((HoldReason.DECEASED, HoldReason.SUSPENDED, HoldReason.DUPLICATE)), actor="COMMUNE_POLICE",
                replaces=self.replaces(who, line),
            )
        )  # fmt: skip

    def dues(self, who: UUID, _: UUID) -> None:
        self.events.append(
            DuesChanged(**self.version("dues", who), **self.place(), beneficiary_id=who,
                        lines=[self.dues_line(number) for number in range(self.dice.randrange(3))])
        )  # fmt: skip

    def dues_line(self, number: int) -> DuesLine:
        months = sorted(self.dice.sample([f"{year}-{month:02}" for year in (2022, 2023, 2024, 2025) for month in (1, 4, 12)], 4))
        ends = [months[1], self.dice.choice((None, months[3]))]
        return DuesLine(
            programme=self.dice.choice((Programme.MERIT, Programme.SOCIAL_ASSISTANCE)), funding_source="CENTRAL",
            benefit_line=f"M0{number}",
            intervals=[
                DueInterval(from_month=since, to_month=until, amount=self.dice.randrange(1_000), basis="x", decision_number=None,
                            status=self.dice.choice((DueStatus.DUE, DueStatus.DUE, DueStatus.RATE_MISSING)), explicit_arrears=False)
                for since, until in zip(months[::2], ends, strict=True)
            ],
        )  # fmt: skip


def story(seed: int, steps: int) -> list[Event]:
    made = Story(seed)
    for _ in range(steps):
        made.step()
    return made.events


async def one_story(make: Callable[[], Reporting], seed: int, steps: int, batch: int) -> None:
    print(f"seed {seed}, {steps} steps, batches of {batch}")
    events = incoming(story(seed, steps))
    wild, straight = make(), make()
    for start in range(0, len(events), max(1, len(events) // 3)):  # in any order, again and again
        await wild.hear(shuffled(events[: start + max(1, len(events) // 3)], seed), batch=batch)
        await compare(wild)
    await straight.hear(events, batch=len(events))
    found = await compare(straight)
    assert found > 0 or steps < ENOUGH
    assert await wild.tables() == await straight.tables()

    async def handler(job: Job) -> dict[str, object]:
        return await rebuild.rebuild(wild.db, job)

    await rebuild.request_rebuild(wild.db, SYSTEM("operator"), date(2024, 12, 1))
    assert await JobRunner(wild.db, {rebuild.KIND: handler}, owner="test").run_one()
    await compare(wild)
    assert await wild.tables() == await straight.tables()


@pytest.mark.parametrize("seed", [3])
async def test_sums_equal_a_count_over_everything(make_reporting: Callable[[], Reporting], seed: int) -> None:
    await one_story(make_reporting, seed, 60, 17)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_sums_equal_a_count_over_everything_for_any_story(make_reporting: Callable[[], Reporting]) -> None:
    loop = asyncio.new_event_loop()

    @settings(
        max_examples=10, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    )
    @given(seed=st.integers(0, 2**32), steps=st.integers(1, 80), batch=st.sampled_from([5, 40, 500]))
    def run(seed: int, steps: int, batch: int) -> None:
        loop.run_until_complete(one_story(make_reporting, seed, steps, batch))

    try:
        run()
    finally:
        loop.close()


async def test_a_world_of_one_unit_adds_up(reporting: Reporting) -> None:
    world = World()
    for _ in range(3):
        world.paid(UNITS[0], Programme.MERIT, Channel.BANK, [PaymentStatus.SETTLED])
    await reporting.hear(incoming(world.events))
    assert await compare(reporting) > 0
