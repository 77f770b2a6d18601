"""The database is put back to a moment before money left: nothing is sent until everything is read back, and nobody is paid twice.

The judge is the partner simulator's books, which were not put back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from bank_files import paid_in_books

from common import clock
from common.auth import SYSTEM, Role
from common.jobs import JobRunner
from disbursement.storage.gate import DISPUTED_SQL
from disbursement.storage.read_back import begin, open_restore, stop_sending
from disbursement.usecases.read_back import NotBegun, booked_while_restored, read_back_round
from disbursement.usecases.receive_statement import JOB_KIND
from disbursement.usecases.reconcile import Reconciler
from disbursement.usecases.send_batches import send_round

pytestmark = pytest.mark.promise("rules.13")
_KEYS = itertools.count(1)
HEAD = "Ngày giao dịch;Số bút toán;Mã tham chiếu;Ghi nợ;Ghi có;Diễn giải\n"


class Moment:
    """A moment of the world's database, and the way back to it as a relay would see it."""

    def __init__(self, world: Any, pg_url: str) -> None:
        self.world, self.pg_url, self.name = world, pg_url, world.test_database.name

    async def _server(self, *statements: str) -> None:
        await self.world.db.engine.dispose()
        with psycopg.connect(self.pg_url, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement)

    async def take(self) -> None:
        await self._server(f"CREATE DATABASE {self.name}_then TEMPLATE {self.name} OWNER disbursement_owner")

    async def put_back(self) -> None:
        """What the relay does when it finds events of ours that our outbox does not know (tests/messaging/test_restored.py)."""
        said = await self.world.rows("SELECT event_id, topic, partition, key, type, body FROM outbox")
        await self._server(f"DROP DATABASE {self.name} WITH (FORCE)", f"ALTER DATABASE {self.name}_then RENAME TO {self.name}")
        known = {row["event_id"] for row in await self.world.rows("SELECT event_id FROM outbox")}
        lost = [row for row in said if row["event_id"] not in known]
        assert lost
        async with self.world.db.transaction(SYSTEM("relay")) as tx:
            restore_id = await tx.value(
                "INSERT INTO database_restore (life, read_at, lost_events) VALUES ('x', now(), :n) RETURNING restore_id", n=len(lost)
            )
            await stop_sending(tx, restore_id)
            for row in lost:
                await tx.execute(
                    'INSERT INTO lost_event (event_id, restore_id, topic, partition, "offset", key, type, body)'
                    " VALUES (:event_id, :restore_id, :topic, :partition, 0, :key, :type, :body)",
                    restore_id=restore_id,
                    **row,
                )


@pytest.fixture
def moment(world: Any, pg_url: str) -> Moment:
    return Moment(world, pg_url)


@pytest.fixture
def people(world: Any, client_as: Any) -> Callable[[str], Any]:
    return lambda name: client_as(world.app, Role.DEPARTMENT_OFFICER, subject=name)


async def read_back(world: Any) -> None:
    while await read_back_round(world.context):
        pass


def today() -> date:
    return clock.now().astimezone(clock.VIETNAM).date()


def job_runner(world: Any) -> JobRunner:
    reconciler = Reconciler(world.db, world.keyring, booked_out=booked_while_restored(world.context))
    return JobRunner(world.db, {JOB_KIND: reconciler.run}, owner="test")


async def statement(world: Any, client: Any, partner: str = "agribank", **more: Any) -> dict[str, Any]:
    """The partner's statement of what it has booked today, sent in after the restore; what became of it."""
    rows = "".join(f"{today():%d/%m/%Y};FT{n};{row['reference']};{row['amount']};;\n" for n, row in enumerate(await world.books(partner)))
    content = more.pop("content", (HEAD + rows).encode())
    period = {"from_date": str(today() - timedelta(days=1)), "to_date": str(today())}
    answer = await client.post(
        "/v1/statements",
        data={"partner": partner, "business_date": "2024-09-11", **period, **more},
        files={"file": ("sao-ke.csv", content, "text/csv")},
        headers={"Idempotency-Key": f"statement-{next(_KEYS)}"},
    )
    assert answer.status_code == 202, answer.text
    runner = job_runner(world)
    while await runner.run_one():
        pass
    found: dict[str, Any] = (await client.get(f"/v1/statements/{answer.json()['statement_id']}")).json()
    return found


async def resume(world: Any, people: Callable[[str], Any], *, expect: int = 200) -> dict[str, Any]:
    first, second = people("first"), people("second")
    [pause] = (await first.get("/v1/pauses")).json()["items"]
    assert pause["kind"] == "RESTORE"
    path = f"/v1/pauses/{pause['pause_id']}/resume"
    proposed = await first.post(path, json={"note": "everything was read back"})
    assert proposed.status_code == expect, proposed.text
    if expect == 200:
        decision = {"confirm": True, "note": "seen and agreed"}
        assert (await first.post(f"{path}/decision", json=decision)).status_code == 409
        decided = await second.post(f"{path}/decision", json=decision)
        assert decided.status_code == 200, decided.text
    found: dict[str, Any] = proposed.json()
    return found


async def once(world: Any) -> None:
    """In the partner's books every payment of ours is there once, with its amount."""
    books = await world.books()
    references = [row["reference"] for row in books]
    assert len(set(references)) == len(references)


async def sent_and_paid(world: Any) -> None:
    await world.send()
    await world.partner_works()
    await world.apply()


@pytest.mark.promise("promises.paid-once")
async def test_what_was_sent_since_is_found_by_inquiry_and_never_sent_again(
    world: Any, moment: Moment, people: Callable[[str], Any]
) -> None:
    lines = [world.line() for _ in range(6)]
    await world.approve(lines)
    await moment.take()
    await world.script("fail_results", rows=1)
    await sent_and_paid(world)
    before = await world.statuses()
    versions = {row["reference"]: row["version"] for row in await world.rows("SELECT reference, version FROM payment")}
    await moment.put_back()

    assert await world.statuses() == {"APPROVED": 6}
    async with world.owner() as tx:  # the gate would hold her now: but her money has gone
        await tx.execute("UPDATE beneficiary SET status = 'DECEASED' WHERE beneficiary_id = :id", id=lines[0].beneficiary_id)
    assert not await send_round(world.context, "agribank")
    assert (await resume(world, people, expect=409))["missing"] == {"events": 1}
    await read_back(world)
    assert await world.statuses() == before
    assert (await resume(world, people, expect=409))["missing"] == {"statement:agribank": 1}
    [view] = (await people("first").get("/v1/restores")).json()["items"]
    assert (view["questions"], view["answered"], view["lost_payments"]) == (6, 6, 0)
    await statement(world, people("first"))
    await resume(world, people)

    await sent_and_paid(world)
    assert await world.statuses() == before
    assert len(await world.books()) == 6
    await once(world)
    later = {row["reference"]: row["version"] for row in await world.rows("SELECT reference, version FROM payment")}
    assert all(later[reference] > version for reference, version in versions.items())
    ledger = "SELECT coalesce(sum(amount), 0) FROM ledger_transfer WHERE kind = 'SETTLE'"
    assert await world.value(ledger) == sum(row["amount"] for row in await world.books() if row["state"] == "SETTLED")


async def test_half_sent_at_the_moment_the_rest_goes_after_two_people(world: Any, moment: Moment, people: Callable[[str], Any]) -> None:
    """The moment lies between batches: what went is found, what never went goes once sending goes on."""
    lines = [world.line() for _ in range(5)] + [world.line(partner="momo", channel="WALLET") for _ in range(3)]
    await world.approve(lines)
    await moment.take()
    await sent_and_paid(world)  # agribank only
    await moment.put_back()
    await read_back(world)
    assert await world.statuses() == {"SETTLED": 5, "APPROVED": 3}
    assert not await send_round(world.context, "momo")
    await statement(world, people("first"))
    assert (await resume(world, people, expect=409))["missing"] == {"statement:momo": 1}
    said = await statement(world, people("first"), "momo")
    assert (said["state"], said["lines"]) == ("RECONCILED", 0), "momo has booked nothing, and says so"
    await resume(world, people)
    await world.send("momo")
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": 8}
    assert len(await world.books("momo")) == 3


@pytest.mark.promise("promises.paid-once")
async def test_months_that_a_lost_payment_may_have_paid_are_held(world: Any, moment: Moment, people: Callable[[str], Any]) -> None:
    """The list itself was approved after the moment: the new list has other references, and its people are held, not paid again."""
    lines = [world.line() for _ in range(3)]
    await moment.take()
    await world.approve(lines)
    await sent_and_paid(world)
    await moment.put_back()
    again = [world.line(beneficiary_id=line.beneficiary_id) for line in lines[:2]] + [world.line()]
    await world.approve(again)
    await read_back(world)
    [view] = (await people("first").get("/v1/restores")).json()["items"]
    assert view["lost_payments"] == 3
    await statement(world, people("first"))
    async with world.owner() as tx:
        await tx.execute("UPDATE restore_question SET partner = 'agribank'")
    await resume(world, people)
    await sent_and_paid(world)
    assert await world.statuses() == {"CANCELLED": 2, "SETTLED": 1}
    assert len(await world.books()) == 4
    assert await world.value("SELECT count(*) FROM hold WHERE reason = 'DATA_PARKED' AND stage = 'SENDING'") == 2


@pytest.mark.slow
@pytest.mark.promise("promises.paid-once")
@pytest.mark.parametrize(("word", "channel"), [("FAILED", "BANK"), ("RETURNED", "BANK"), ("UNCOLLECTED", "CASH_POST")])
async def test_what_two_people_corrected_since_is_asked_about_and_waits(
    world: Any, moment: Moment, people: Callable[[str], Any], client_as: Any, word: str, channel: str
) -> None:
    """It stands dead again, and what showed that it was paid may be gone too: its months are not paid a second time."""
    line = world.line(channel=channel, partner="agribank" if channel == "BANK" else "vnpost")
    await world.approve([line])
    await world.script("no_notices", line.partner)
    await world.send(line.partner)
    await world.partner_works()
    if word == "RETURNED":
        await world.notice(await world.result("SETTLED", line, occurred_at="2024-09-04T02:14:07Z"))
    code = {"FAILED": "ACCOUNT_CLOSED", "UNCOLLECTED": "NOT_COLLECTED_CANCELLED"}.get(word)
    await world.notice(await world.result(word, line, code=code), partner=line.partner)
    assert await world.statuses() == {word: 1}
    await moment.take()
    shown = {"happened_on": "2024-09-05", "note": "Đối tác báo nhầm", "evidence": "CV 230/NHNo"}
    payment = await world.value("SELECT payment_id FROM payment")
    asked = (await people("first").post(f"/v1/payments/{payment}/corrections", json=shown)).json()
    checker = client_as(world.app, Role.APPROVER, subject="checker")
    done = await checker.post(f"/v1/manual-results/{asked['manual_id']}/decision", json={"confirm": True, "note": "Đã xem sao kê"})
    assert done.status_code == 200, done.text
    await moment.put_back()
    await world.partner_http.delete("http://partner/control/script")
    await read_back(world)
    assert await world.statuses() == {word: 1}
    if word == "FAILED":
        assert await world.rows("SELECT answer FROM restore_question") == [{"answer": "SETTLED"}]
    words = await world.rows("SELECT DISTINCT reason, state, says_paid FROM quarantine")
    assert words == [{"reason": "CONTRADICTION", "state": "OPEN", "says_paid": True}]
    own = await world.value("SELECT count(*) FROM quarantine WHERE said ? 'corrected_before_restore'")
    assert own == 1, "our own word, whatever its partner says of it now"
    waits = await world.value(f"SELECT count(*) FROM ({DISPUTED_SQL}) x")
    assert waits == 1, "its month is not paid again"


async def test_nothing_leaves_before_the_look(world: Any) -> None:
    """A database in a life that no relay has looked at may be of the past."""
    await world.approve([world.line()])
    async with world.owner() as tx:
        await tx.execute("INSERT INTO database_life (life) VALUES ('before the restore')")
    assert not await send_round(world.context, "agribank")
    async with world.owner() as tx:
        await tx.execute("DELETE FROM database_life")
    await world.send()
    assert len(await world.books()) == 1


@pytest.fixture
def bank_moment(bank: Any, pg_url: str) -> Moment:
    return Moment(bank, pg_url)


async def sent_to_a_bank_and_lost(bank: Any, moment: Moment, count: int = 3) -> None:
    """A bank that takes files has paid a file of ours that the database, put back, holds to be unsent."""
    await bank.approve([bank.line() for _ in range(count)])
    await moment.take()
    await sent_and_paid(bank)
    assert await bank.statuses() == {"SETTLED": count}
    await moment.put_back()
    await read_back(bank)
    assert await bank.statuses() == {"APPROVED": count}, "files answer no inquiries"


@pytest.mark.promise("promises.paid-once")
@pytest.mark.parametrize("form", ["CAMT053", "CSV"])
async def test_a_bank_that_takes_files_is_believed_by_the_statement_of_the_days_that_are_gone(
    bank: Any, bank_moment: Moment, client_as: Any, form: str
) -> None:
    people: Callable[[str], Any] = lambda name: client_as(bank.app, Role.DEPARTMENT_OFFICER, subject=name)  # noqa: E731
    await sent_to_a_bank_and_lost(bank, bank_moment)
    last_month = (HEAD + "20/08/2024;FT9;KHAC;7000;;\n").encode()
    for period in ({"from_date": "2024-08-01", "to_date": "2024-08-31"}, {}):  # as it is, then said to be of these days
        said = await statement(bank, people("first"), content=last_month, **period)
        assert said["state"] == "RECONCILED"
        assert (await resume(bank, people, expect=409))["missing"] == {"statement:agribank": 1}
    content = (await bank.partner_http.post("http://partner/control/statement", json={"partner": "agribank", "form": form})).content
    said = await statement(bank, people("first"), content=content)
    assert {row["verdict"]: row["lines"] for row in said["verdicts"]} == {"MATCHED": 3}
    assert await bank.statuses() == {"SETTLED": 3}
    await resume(bank, people)
    await sent_and_paid(bank)
    assert await bank.statuses() == {"SETTLED": 3}
    assert await paid_in_books(bank) == [500_000] * 3
    assert len(await bank.books()) == 3
    ledger = "SELECT coalesce(sum(amount), 0) FROM ledger_transfer WHERE kind = 'SETTLE'"
    assert await bank.value(ledger) == 1_500_000


async def test_a_statement_waits_until_our_own_events_are_read_back(world: Any, moment: Moment, people: Callable[[str], Any]) -> None:
    """Versions must be above what was published before anything is said of a payment again."""
    await world.approve([world.line()])
    await moment.take()
    await sent_and_paid(world)
    await moment.put_back()
    with pytest.raises(NotBegun):
        await statement(world, people("first"))
    assert await world.statuses() == {"APPROVED": 1}
    assert (await resume(world, people, expect=409))["missing"] == {"events": 1}
    async with world.db.transaction(SYSTEM("test")) as tx:
        restore = await open_restore(tx)
        assert restore is not None
        await begin(tx, restore)
    runner = job_runner(world)
    while await runner.run_one():
        pass
    assert await world.statuses() == {"SETTLED": 1}
    assert (await resume(world, people, expect=409))["missing"] == {"inquiries:agribank": 1}


async def test_a_statement_of_some_of_the_days_that_are_gone_is_not_enough(
    world: Any, moment: Moment, people: Callable[[str], Any]
) -> None:
    await world.approve([world.line() for _ in range(2)])
    async with world.owner() as tx:  # our last word before the moment is three days old
        await tx.execute("UPDATE outbox SET published_at = now() - interval '3 days'")
    await moment.take()
    await sent_and_paid(world)
    await moment.put_back()
    await read_back(world)
    first = people("first")
    begins, ends = today() - timedelta(days=3), today()
    [view] = (await first.get("/v1/restores")).json()["items"]
    assert (view["statements_from"], view["statements_to"]) == (str(begins), str(ends))
    for since, until in ((begins + timedelta(days=1), ends), (begins, ends - timedelta(days=1))):
        await statement(world, first, content=HEAD.encode(), from_date=str(since), to_date=str(until))
        assert (await resume(world, people, expect=409))["missing"] == {"statement:agribank": 1}
    await statement(world, first, from_date=str(begins))
    await resume(world, people)
    assert len(await world.books()) == 2


async def test_the_same_statement_again_after_a_restore_says_that_nothing_was_booked_since(
    world: Any, moment: Moment, people: Callable[[str], Any]
) -> None:
    await world.approve([world.line() for _ in range(2)] + [world.line(partner="momo", channel="WALLET")])
    await sent_and_paid(world)
    first = people("first")
    before = await statement(world, first)
    await moment.take()
    await world.send("momo")
    await world.partner_works()
    await world.apply()
    await moment.put_back()
    await read_back(world)
    await statement(world, first, "momo")
    assert (await resume(world, people, expect=409))["missing"] == {"statement:agribank": 1}
    assert (await statement(world, first))["statement_id"] == before["statement_id"]
    await resume(world, people)
    assert await world.statuses() == {"SETTLED": 3}


@pytest.mark.promise("promises.paid-once")
async def test_what_a_statement_books_although_it_was_never_sent_is_not_sent_while_it_is_a_difference(world: Any, client_as: Any) -> None:
    """Without a restore nobody knows why: a person looks, and the payment is withdrawn meanwhile."""
    booked, other = world.line(), world.line()
    await world.approve([booked, other])
    reference = (await world.result("SETTLED", booked))["reference"]
    content = (HEAD + f"{today():%d/%m/%Y};FT1;{reference};500000;;\n").encode()
    said = await statement(world, client_as(world.app, Role.DEPARTMENT_OFFICER), content=content)
    assert {row["verdict"]: row["lines"] for row in said["verdicts"]} == {"STATUS_DIFFERS": 1}
    assert await world.statuses() == {"APPROVED": 2}
    await sent_and_paid(world)
    assert await world.statuses() == {"CANCELLED": 1, "SETTLED": 1}
    assert reference not in [row["reference"] for row in await world.books()]
    assert await world.value("SELECT reason FROM hold WHERE beneficiary_id = :id", id=booked.beneficiary_id) == "PAYMENT_DISPUTED"


@pytest.mark.promise("promises.paid-once")
async def test_a_batch_booked_as_one_debit_is_not_sent_again(bank: Any, bank_moment: Moment, client_as: Any) -> None:
    people: Callable[[str], Any] = lambda name: client_as(bank.app, Role.DEPARTMENT_OFFICER, subject=name)  # noqa: E731
    await sent_to_a_bank_and_lost(bank, bank_moment)
    batch = await bank.value("SELECT reference FROM payment_batch")
    await statement(bank, people("first"), content=(HEAD + f"{today():%d/%m/%Y};FT1;{batch};1500000;;\n").encode())
    assert await bank.statuses() == {"UNKNOWN": 3}
    await resume(bank, people)
    await sent_and_paid(bank)
    assert await bank.rows("SELECT reference, state FROM payment_batch") == [{"reference": batch, "state": "UNCERTAIN"}]
    assert await paid_in_books(bank) == [500_000] * 3
    assert len(await bank.books()) == 3
