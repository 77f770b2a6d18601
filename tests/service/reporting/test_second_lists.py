"""A month with more than one list: a supplementary list and a re-issue are cycles of their own, and what they pay is paid."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from reporting_builders import ASSISTANCE, CLASSES, DAY, MERIT, MONTH, Reporting, S, World, incoming, payment_of, shuffled

from common.actor import SYSTEM, Role
from common.contracts.disbursement_v1 import Channel, HoldReason, PaymentHeld, PaymentSettled, PaymentStatus
from common.contracts.envelope import Event
from reporting.domain.indicators import EACH_ONCE
from reporting.domain.states import reason_words
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask

ClientAs = Callable[..., httpx.AsyncClient]
HERE = "60/593/22924"
SEPTEMBER = date(2024, 9, 1)
STEMS = "due listed paid in_progress failed returned uncollected held released unpaid unpaid_at_end overdue"


async def figures(reporting: Reporting, programme: str = "MERIT") -> dict[str, tuple[int, int]]:
    """People and đồng of September as told in November, what is 0 left out."""
    answer = await measure(
        reporting.db, SYSTEM("test"), Ask(unit_path="60", first=SEPTEMBER, last=SEPTEMBER, as_of=date(2024, 11, 30), codes=None)
    )
    values = answer.row(programme).values
    found = {stem: (values[f"{stem}_people"], values[f"{stem}_dong"]) for stem in STEMS.split()}
    return {stem: told for stem, told in found.items() if told != (0, 0)}


async def told(officer: httpx.AsyncClient) -> list[tuple[str, int, str | None]]:
    """Nobody left behind: state, đồng and whose turn it is."""
    asked = {"month": MONTH, "unit_path": "60", "business_date": "2024-11-30"}
    answer = await officer.get("/v1/reports/nobody-left-behind", params=asked)
    assert answer.status_code == 200, answer.text
    return sorted((row["state"], row["amount"], row["turn"]) for row in answer.json()["rows"])


async def paper(officer: httpx.AsyncClient, layout: str, programme: str = "MERIT", total: bool = True) -> Any:
    asked = {"layout": layout, "period": MONTH, "unit_path": "60", "business_date": "2024-11-03"}
    answer = await officer.post("/v1/papers", json=asked, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    (row,) = [row for row in answer.json()["rows"] if row["programme"] == programme and row["is_total"] is total]
    return row["cells"]


async def unpaid_list(officer: httpx.AsyncClient) -> list[str]:
    answer = await officer.get("/v1/papers/unpaid-list", params={"month": MONTH, "unit_path": "60", "form": "csv"})
    return answer.content.decode("utf-8-sig").splitlines()[2:]


def october(events: list[Event], months: list[str]) -> list[Event]:
    change = {"month": "2024-10", "months": months, "business_date": date(2024, 10, 7)}
    return [event.model_copy(update=change) for event in events if "months" in type(event).model_fields]


@pytest.fixture
def officer(reporting: Reporting, client_as: ClientAs) -> httpx.AsyncClient:
    return client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="an.so")


@pytest.mark.parametrize(
    ("channel", "died", "arrived"),
    [
        (Channel.BANK, [S.APPROVED, S.FAILED], S.SETTLED), (Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED], S.COLLECTED),
        (Channel.BANK, [S.APPROVED, S.SETTLED, S.RETURNED], S.SETTLED),
    ],
)  # fmt: skip
async def test_what_a_reissue_paid_is_paid_and_counts_once(
    reporting: Reporting, officer: httpx.AsyncClient, channel: Channel, died: list[PaymentStatus], arrived: PaymentStatus
) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận")
    who = world.paid(HERE, MERIT, channel, died, reason="X")
    await reporting.hear(incoming(world.events))
    assert "unpaid" in await figures(reporting)
    world.paid(HERE, MERIT, channel, [S.APPROVED, arrived], who=who, attempt=2)
    await reporting.hear(incoming(world.events))
    once = (1, 500_000)
    assert await figures(reporting) == {"due": once, "listed": once, "paid": once}
    ((state, amount, turn),) = await told(officer)
    assert (state.startswith("PAID"), amount, turn) == (True, 500_000, None)
    assert (await paper(officer, "directive-21-monthly"))["13"] == 0
    for total in (True, False):  # of the programme, and of the one partner
        own = await paper(officer, "payment-organisation-monthly", total=total)
        assert (own["1"], own["2"], own["3"], own["4"], own["9"], own["10"]) == (1, 500_000, 1, 500_000, 0, 0)
    assert await unpaid_list(officer) == []
    coverage = (await officer.get("/v1/reports/coverage", params={"month": MONTH, "unit_path": "60"})).text
    assert '"amount_paid_total":500000' in coverage.replace(" ", "")


async def test_a_reissue_after_the_month_was_unpaid_when_it_ended(reporting: Reporting) -> None:
    world = World()
    who = world.paid(HERE, MERIT, Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED])
    world.paid(HERE, MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], who=who, attempt=2, day=date(2024, 10, 3))
    await reporting.hear(incoming(world.events))
    once = (1, 500_000)
    assert await figures(reporting) == {"due": once, "listed": once, "paid": once, "unpaid_at_end": once}


async def test_a_reissue_that_died_too_is_one_unpaid_line_and_says_the_newest_reason(
    reporting: Reporting, officer: httpx.AsyncClient
) -> None:
    world = World()
    who = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], reason="ACCOUNT_CLOSED")
    world.paid(HERE, MERIT, Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED], who=who, attempt=2)
    await reporting.hear(incoming(world.events))
    once = (1, 500_000)
    assert await figures(reporting) == dict.fromkeys(("due", "listed", "uncollected", "unpaid", "unpaid_at_end", "overdue"), once)
    assert await told(officer) == [("UNCOLLECTED", 500_000, "COMMUNE_OFFICER")]


async def test_who_was_held_and_paid_by_a_supplementary_list_is_paid(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = World()
    who = world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, released=True)
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED], who=who, number=2)
    await reporting.hear(incoming(world.events))
    once = (1, 500_000)
    assert (await figures(reporting)).keys() == {"due", "listed", "in_progress", "unpaid", "unpaid_at_end", "overdue"}
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], who=who, number=2)
    await reporting.hear(incoming(world.events))
    assert await figures(reporting) == {"due": once, "listed": once, "paid": once}
    assert await told(officer) == [("PAID_BY_ACCOUNT", 500_000, None)]


async def test_who_is_held_on_every_list_is_held_once(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = World()
    who = world.held(HERE, MERIT, HoldReason.NOT_VERIFIED)
    world.held(HERE, MERIT, HoldReason.SUSPECTED_IDENTITY, who=who, number=2)
    dead = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])
    world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, who=dead, number=2)
    await reporting.hear(incoming(world.events))
    twice = (2, 1_000_000)
    assert await figures(reporting) == dict.fromkeys(("due", "held", "unpaid", "unpaid_at_end", "overdue"), twice)
    assert [state for state, _, _ in await told(officer)] == ["HELD", "HELD"]
    for person, reason in ((who, "SUSPECTED_IDENTITY"), (dead, "NOT_VERIFIED")):
        assert [hold["reason_text"] for hold in (await statement(officer, person))["holds"]] == [vars(reason_words(reason))]


async def statement(officer: httpx.AsyncClient, who: UUID) -> Any:
    asked = {"since": "2024-01", "until": "2024-12", "purpose": "Người hưởng đề nghị"}
    answer = await officer.get(f"/v1/statements/{who}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_money_of_another_kind_is_due_beside_it(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    """A supplementary list may pay more for the month, or other months; a later list takes nothing over that it does not pay."""
    world = World()
    more = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED])
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 100_000, who=more, number=2)
    kept = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED])  # paid, and what came since is held
    world.held(HERE, MERIT, HoldReason.ACCOUNT_CHANGED, 100_000, who=kept, number=2)
    left = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED])  # paid, and what came since did not arrive
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], 100_000, who=left, number=2)
    late = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # it died after a list had paid a little more
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 100_000, who=late, number=2)
    arrears = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # the same, and a list had paid other months
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 1_000_000, who=arrears, number=2, months=["2024-07", "2024-08"])
    await reporting.hear(incoming(world.events))
    told_of = await figures(reporting)
    assert told_of["due"] == (5, 5 * 500_000 + 4 * 100_000 + 1_000_000)
    assert told_of["paid"] == (5, 3 * 500_000 + 2 * 100_000 + 1_000_000)
    assert told_of["held"] == (1, 100_000)
    assert told_of["failed"] == (3, 1_100_000)
    assert told_of["unpaid"] == told_of["overdue"] == (4, 1_200_000)
    assert len(await told(officer)) == 10


async def test_another_source_of_money_pays_for_itself(reporting: Reporting) -> None:
    world = World()
    who = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])
    other = World(people=50)
    other.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], who=who, number=2)
    other.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], who=who, number=3)
    central = [event.model_copy(update={"funding_source": "CENTRAL"}) for event in other.events]
    rolled = october(central[2:], [MONTH, "2024-10"])
    await reporting.hear(incoming(world.events + central[:2] + rolled))
    told_of = await figures(reporting)
    assert (told_of["due"], told_of["unpaid"], told_of["overdue"]) == ((1, 1_000_000), (1, 500_000), (1, 500_000))


async def test_a_month_that_the_next_list_paid_does_not_stay_unpaid(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận")
    who = world.paid(HERE, MERIT, Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED])
    waits = world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, released=True)
    await reporting.hear(incoming(world.events))
    twice = (2, 1_000_000)
    assert (await figures(reporting))["unpaid"] == twice
    later = World(people=50)
    for person in (who, waits):
        later.paid(HERE, MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], 1_000_000, who=person, number=9)
    await reporting.hear(incoming(world.events + october(later.events, [MONTH, "2024-10"])))
    told_of = await figures(reporting)
    assert told_of["due"] == told_of["unpaid_at_end"] == twice
    assert "unpaid" not in told_of
    assert "overdue" not in told_of
    assert (await paper(officer, "directive-21-monthly"))["13"] == 0
    assert {turn for _, _, turn in await told(officer)} == {None}


async def test_everybody_once_over_programmes(reporting: Reporting) -> None:
    world = World()
    who = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], day=DAY)
    world.paid(HERE, ASSISTANCE, Channel.BANK, [S.APPROVED, S.SETTLED], who=who)
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], who=who, attempt=2)
    await reporting.hear(incoming(world.events))
    assert await figures(reporting, EACH_ONCE) == dict.fromkeys(("due", "listed", "paid"), (1, 1000000))


async def test_what_is_less_due_than_died_is_paid_by_less(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    """Dues were lowered after a payment died: the supplementary list pays all that is due, which is less."""
    world = World()
    world.unit("60", "Tỉnh Bình Thuận")
    who = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])
    dead = payment_of(who, MERIT)
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 300_000, who=who, number=2, replaces={dead: 0})
    await reporting.hear(incoming(world.events))
    assert await figures(reporting) == dict.fromkeys(("due", "listed", "paid"), (1, 300_000))
    assert await told(officer) == [("PAID_BY_ACCOUNT", 300_000, None)]
    assert await unpaid_list(officer) == []
    assert (await paper(officer, "directive-21-monthly"))["13"] == 0
    own = await paper(officer, "payment-organisation-monthly")
    assert (own["1"], own["2"], own["9"], own["10"]) == (1, 300_000, 0, 0)


@pytest.mark.slow
async def test_what_a_later_list_leaves_of_a_dead_payment_is_what_stays_unpaid(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = World()
    part = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # of which a later list paid one month, the other waits
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 300_000, who=part, number=2, replaces={payment_of(part, MERIT): 200_000})
    beside = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # it died after a list had paid more money beside it
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 600_000, who=beside, number=2, replaces={})
    held = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # less is due, and that is held
    world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, 300_000, who=held, number=2, replaces={payment_of(held, MERIT): 0})
    again = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # less is due, and died too; then that was paid
    less = payment_of(again, MERIT, number=2)
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], 300_000, who=again, number=2, replaces={payment_of(again, MERIT): 0})
    await reporting.hear(incoming(world.events))
    assert (await figures(reporting))["unpaid"] == (4, 200_000 + 500_000 + 300_000 + 300_000)
    world.paid(
        HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 300_000, who=again, number=3, replaces={payment_of(again, MERIT): 0, less: 0}
    )
    await reporting.hear(incoming(world.events))
    now = await figures(reporting)
    assert now["unpaid"] == now["unpaid_at_end"] == now["overdue"] == (3, 200_000 + 500_000 + 300_000)
    assert now["due"] == (4, 500_000 + 1_100_000 + 300_000 + 300_000)


@pytest.mark.parametrize("seed", [5, pytest.param(13, marks=pytest.mark.slow), pytest.param(24, marks=pytest.mark.slow)])
async def test_in_any_story_of_a_month_unpaid_is_what_is_due_and_not_paid(reporting: Reporting, seed: int) -> None:
    """Payments die, dues change, lists pay what is due: told in any order, what stays unpaid is due less paid, person by person."""
    dice = random.Random(seed)
    world = World()
    truth = [_month(world, dice) for _ in range(12)]
    await reporting.hear(shuffled(incoming(world.events), seed), batch=7)
    owed = [due - paid for due, paid in truth if due > paid]
    found = await figures(reporting)
    assert found.get("unpaid", (0, 0)) == (len(owed), sum(owed))
    assert found["due"] == (len(truth), sum(max(due, paid) for due, paid in truth))
    assert found.get("paid", (0, 0)) == (sum(paid > 0 for _, paid in truth), sum(paid for _, paid in truth))


def _month(world: World, dice: random.Random) -> tuple[int, int]:
    """One person's lists of a month, as disbursement tells of them; what is due in the end, and what was paid of it."""
    who = world.person(HERE, MERIT)
    states: dict[int, tuple[int, PaymentStatus]] = {}
    due, waits = 500_000, False
    for number in range(1, dice.randrange(2, 6)):
        held = sum(amount for amount, status in states.values() if status is not S.FAILED)
        now = max(held, dice.choice([due, 200_000, 300_000, 700_000])) if states else due
        if now == held:
            break
        due, owed = now, now - held
        if dice.random() < 0.2:
            world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, owed, who=who, number=number, replaces=_left(who, states, 0))
            waits = True
            continue
        # Sometimes a month of it waits, beside the others: it is said of the payment that had died.
        amount = owed - 100_000 if not waits and any(status is S.FAILED for _, status in states.values()) and dice.random() < 0.3 else owed
        status = dice.choice([S.SETTLED, S.FAILED, S.FAILED, S.APPROVED])
        steps = [S.APPROVED] if status is S.APPROVED else [S.APPROVED, status]
        world.paid(HERE, MERIT, Channel.BANK, steps, amount, who=who, number=number, replaces=_left(who, states, owed - amount))
        states[number] = (amount, status)
    failed = [number for number, (_, status) in states.items() if status is S.FAILED]
    moving = any(status is S.APPROVED for _, status in states.values())
    if failed and not moving and isinstance(world.events[-1], PaymentHeld):  # the rest is held, and one of them was paid all the same
        number = dice.choice(failed)
        states[number] = (states[number][0], S.SETTLED)
        rest = max(0, due - sum(amount for amount, status in states.values() if status is not S.FAILED))
        world.events.append(corrected(world, payment_of(who, MERIT, number=number), replaces=_left(who, states, rest)))
    return due, sum(amount for amount, status in states.values() if status is S.SETTLED)


def _left(who: UUID, states: dict[int, tuple[int, PaymentStatus]], rest: int) -> dict[UUID, int]:
    """What is still due beside, said of the newest dead payment first."""
    said: dict[UUID, int] = {}
    for number, (amount, status) in sorted(states.items(), reverse=True):
        if status is S.FAILED:
            said[payment_of(who, MERIT, number=number)] = min(amount, rest)
            rest -= min(amount, rest)
    return said


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_failure_that_was_corrected_leaves_nothing_of_its_second_try(
    make_reporting: Callable[[], Reporting], client_as: ClientAs, seed: int
) -> None:
    world = World()
    who = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], 500_000, reason="CLOSED")
    world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], 500_000, who=who, attempt=2, reason="CLOSED")
    second = payment_of(who, MERIT, attempt=2, number=2)
    failed = next(event for event in world.events if event.type_name() == "PaymentFailed")
    corrected = PaymentSettled(**failed.model_dump() | {"version": 3, "status": S.SETTLED, "reason": None, "replaces": {second: 0}})
    reporting = make_reporting()
    await reporting.hear(shuffled(incoming([*world.events, corrected]), seed), batch=2)
    one = (1, 500_000)
    assert await figures(reporting) == {"due": one, "listed": one, "paid": one}
    assert await told(client_as(reporting.app, Role.DEPARTMENT_OFFICER)) == [("PAID_BY_ACCOUNT", 500_000, None)]


def corrected(world: World, payment_id: UUID, status: PaymentStatus = S.SETTLED, **more: Any) -> Event:
    """Two people found that a dead payment was paid after all: told with a higher version, in the words of any payment."""
    dead = max((one for one in world.events if getattr(one, "payment_id", None) == payment_id), key=lambda one: one.version)
    state = {"version": dead.version + 1, "status": status, "reason": None, "replaces": {}} | more
    return CLASSES[status](**dead.model_dump() | state)


@pytest.mark.parametrize(("released", "seed"), [(False, 1), (True, 2)])
async def test_a_failure_that_was_corrected_leaves_nothing_of_a_later_hold_of_its_money(
    reporting: Reporting, officer: httpx.AsyncClient, released: bool, seed: int
) -> None:
    world = World()
    who = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], reason="CLOSED")
    dead = payment_of(who, MERIT)
    world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, who=who, number=2, released=released, replaces={dead: 0})
    one = (1, 500_000)
    await reporting.hear(shuffled(incoming(world.events), seed), batch=2)
    assert (await figures(reporting))["unpaid"] == one
    await reporting.hear(incoming([corrected(world, dead)]))
    assert await figures(reporting) == {"due": one, "listed": one, "paid": one}
    assert await told(officer) == [("PAID_BY_ACCOUNT", 500_000, None)]
    assert (await statement(officer, who))["holds"] == []


async def test_what_a_hold_holds_beside_a_corrected_payment_stays_held(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = World()
    more = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # more was due by the time of the second list
    world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, 700_000, who=more, number=2, replaces={payment_of(more, MERIT): 0})
    part = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # one month of it is held, the other waits beside
    world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, 300_000, who=part, number=2, replaces={payment_of(part, MERIT): 200_000})
    less = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED], months=["2024-08"])  # less is due of it, and another month too
    world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, 400_000, who=less, number=2, replaces={payment_of(less, MERIT): 0})
    other = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED])  # it arrived before, and the hold is of other money
    world.held(HERE, MERIT, HoldReason.NOT_VERIFIED, 100_000, who=other, number=2, replaces={})
    unknown = world.paid(HERE, MERIT, Channel.BANK, [S.APPROVED, S.FAILED])  # nobody knows with how much it is due
    world.held(HERE, MERIT, HoldReason.RATE_MISSING, 0, who=unknown, number=2, replaces={payment_of(unknown, MERIT): 0})
    two = {"months": ["2024-08", MONTH]}
    holds = [
        event.model_copy(update=two if event.beneficiary_id == less else {}) for event in world.events if isinstance(event, PaymentHeld)
    ]
    others = [event for event in world.events if not isinstance(event, PaymentHeld)]
    late = [corrected(world, payment_of(who, MERIT)) for who in (more, part, less, unknown)]
    await reporting.hear(incoming([*others, *holds, *late]))
    held = {who: [one["amount"] for one in (await statement(officer, who))["holds"]] for who in (more, part, less, other, unknown)}
    assert held == {more: [200_000], part: [], less: [400_000], other: [100_000], unknown: [0]}
    assert (await figures(reporting))["held"] == (4, 700_000)
    assert (await figures(reporting))["paid"] == (5, 2_500_000)
    waits = [(state, amount) for state, amount, turn in await told(officer) if turn]
    assert waits == [("HELD", 0), ("HELD", 100_000), ("HELD", 200_000), ("HELD", 400_000)]


@pytest.mark.parametrize(
    ("channel", "died", "arrived", "backwards"),
    [
        (Channel.BANK, [S.APPROVED, S.SETTLED, S.RETURNED], S.SETTLED, False),
        (Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED], S.COLLECTED, True),
        pytest.param(Channel.BANK, [S.APPROVED, S.SETTLED, S.RETURNED], S.SETTLED, True, marks=pytest.mark.slow),
        pytest.param(Channel.CASH_POST, [S.APPROVED, S.UNCOLLECTED], S.COLLECTED, False, marks=pytest.mark.slow),
    ],
)
async def test_what_came_back_or_was_not_collected_and_was_paid_all_the_same_is_paid(
    reporting: Reporting, officer: httpx.AsyncClient, channel: Channel, died: list[PaymentStatus], arrived: PaymentStatus, backwards: bool
) -> None:
    world = World()
    world.unit("60", "Tỉnh Bình Thuận")
    who = world.paid(HERE, MERIT, channel, died, reason="X")
    events = incoming([*world.events, corrected(world, payment_of(who, MERIT), arrived)])
    await reporting.hear(events[::-1] if backwards else events, batch=1)
    once = (1, 500_000)
    assert await figures(reporting) == {"due": once, "listed": once, "paid": once}
    ((state, amount, turn),) = await told(officer)
    assert (state.startswith("PAID"), amount, turn) == (True, 500_000, None)
    assert await unpaid_list(officer) == []
    for total in (True, False):
        own = await paper(officer, "payment-organisation-monthly", total=total)
        assert (own["1"], own["2"], own["3"], own["4"], own["9"], own["10"]) == (1, 500_000, 1, 500_000, 0, 0)
    assert (await statement(officer, who))["paid"] == 500_000
    async with reporting.db.read() as tx:
        attempts = await tx.rows("SELECT DISTINCT measure FROM month_sum WHERE measure LIKE 'attempt:%' AND payments <> 0")
    assert [row["measure"].rpartition(":")[2] for row in attempts] == [arrived]
