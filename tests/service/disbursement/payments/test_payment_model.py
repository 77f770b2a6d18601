"""Payments, months, ledger and budget against a slow model, under any interleaving of sends, deaths, notices, inquiries and lists.

The model hears what goes over the border (bytes sent, answers, results) and nothing of the tables; after every step both must agree.
At the end the world calms down: then the partner's books and ours say the same of every payment, and nobody got more than was due.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from payment_model import DUE, OPEN, Killed, Model, Paid, Spy

from common import clock
from common.auth import SYSTEM
from common.ids import new_id
from common.sealing import Keyring
from disbursement.domain.payment import ResultStatus
from disbursement.domain.references import payment_reference
from disbursement.storage import allocations, batches, budget
from disbursement.usecases import apply_notices, inquire, manual_results
from disbursement.usecases.create_payments import create_payments
from disbursement.usecases.send_batches import batch_head, instruction, send_round

ACTOR = SYSTEM("test")
BUSINESS_DATE = date(2024, 8, 20)
PEOPLE = 3
T = TypeVar("T")


class Outdated(Exception):
    """The list no longer fits what is due."""


ANSWERS = ("accept", "reject", "error_500", "redirect", "error_500_after_accept", "nonsense_answer", "not_found_then_accepted")
RESULTS = (None, None, "fail_results", "return_after_settlement")
NOTICES = (None, "duplicate_notices", "reversed", "wrong_amount", "wrong_currency", "contradictory", "unknown_reference",
           "unknown_status", "no_notices")  # fmt: skip


class Payments(RuleBasedStateMachine):
    """One partner, three people with one month due each, and lists that all want to pay that month."""

    database: Callable[[str], Any]
    making: tuple[Any, Any]
    keyring: Keyring
    keys_file: Path
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = contextlib.AsyncExitStack()
        self.model = Model()
        self.patch = pytest.MonkeyPatch()
        self.dies_applying = False
        self.unsent: set[int] = set()
        self.wronged: set[int] = set()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        folder = self.folder / new_id().hex
        folder.mkdir()
        made = self.database("disbursement")
        self.stack.push_async_callback(made.db.close)
        self.world = self.run(self.stack.enter_async_context(self.making[0](made, self.keyring, self.keys_file, folder)))
        lane = self.world.context.lanes["agribank"]
        self.spy = Spy(lane.channel, self.model)
        self.world.context.lanes["agribank"] = type(lane)(partner=lane.partner, channel=self.spy)
        for module in (apply_notices, inquire):
            self.patch.setattr(module, "record_results", self._heard(module.record_results))
        self.lines = [self.making[1]() for _ in range(PEOPLE)]
        self.run(self._small_batches())
        self.run(self.world.approve(self.lines))
        for person, line in enumerate(self.lines):
            self.model.payments[payment_reference(line.line_id, 1)] = Paid(person)

    async def _small_batches(self) -> None:
        async with self.world.owner() as tx:
            await tx.execute("INSERT INTO partner_lane (partner, batch_payments, first_batch_payments) VALUES ('agribank', 1, NULL)")

    def _heard(self, record: Any) -> Any:
        async def heard(tx: Any, partner: str, source: str, told: Any) -> Any:
            recorded = await record(tx, partner, source, told)
            if self.dies_applying:
                raise Killed
            self.model.told([item.result for item in told])
            return recorded

        return heard

    def _wake(self) -> None:
        self.run(self.world.wake())
        self.spy.die = None

    @rule(answer=st.sampled_from(ANSWERS), result=st.sampled_from(RESULTS), notice=st.sampled_from(NOTICES))
    def send(self, answer: str, result: str | None, notice: str | None) -> None:
        self._wake()
        for behaviour in (answer, result, notice):
            if behaviour is not None:
                more: dict[str, Any] = {"new_id": True} if behaviour == "duplicate_notices" else {}
                code = {"code": "ACCOUNT_CLOSED"} if behaviour in {"reject", "fail_results"} else {}
                self.run(self.world.script(behaviour, seconds=0, **more, **code))
        self.run(send_round(self.world.context, "agribank"))
        self.run(self._calm())

    async def _calm(self) -> None:
        await self.world.partner_http.delete("http://partner/control/script")

    @rule(when=st.sampled_from(["before", "after"]))
    def send_and_die(self, when: str) -> None:
        self._wake()
        self.spy.die = when
        with contextlib.suppress(Killed):
            self.run(send_round(self.world.context, "agribank"))
        self.spy.die = None

    @rule()
    def take_over(self) -> None:
        if self.run(self.world.take_over()):
            taken = self.run(self.world.rows("SELECT reference FROM payment WHERE reason = 'TAKEN_OVER' AND status = 'UNKNOWN'"))
            self.model.unanswered(frozenset(row["reference"] for row in taken))

    @rule()
    def partner_works(self) -> None:
        self.run(self.world.partner_works())

    @rule()
    def apply(self) -> None:
        self.run(self.world.apply())

    @rule()
    def die_applying(self) -> None:
        self.dies_applying = True
        with contextlib.suppress(Killed):
            self.run(self.world.apply())
        self.dies_applying = False

    @rule()
    def inquire(self) -> None:
        self._wake()
        self.run(self.world.inquire())

    @rule()
    def the_partner_pays_what_we_never_sent(self) -> None:
        """The bytes of a waiting batch reach the partner, and nothing here says that they left: once a person, or it would pay twice."""
        self.run(self._pay_unsent())

    async def _pay_unsent(self) -> None:
        for row in await self.world.rows("SELECT batch_id, reference FROM payment_batch WHERE state = 'READY' ORDER BY batch_id LIMIT 1"):
            async with self.world.db.read(ACTOR) as tx:
                lines = [instruction(line) for line in await batches.instruction_lines(tx, row["batch_id"])]
                head = await batch_head(tx, row["batch_id"])
            people = {self.model.payments[line.reference].person for line in lines}
            if lines and not people & self.unsent:
                self.unsent |= people
                body = self.spy.build(head, lines)
                await self.spy.unseen(row["reference"], body)
                await self.world.partner_works()

    @rule()
    def the_partner_says_wrongly_that_it_came_back(self) -> None:
        """Signed and false: once a person, or more would be paid again than the budget holds."""
        self.run(self._come_back())

    async def _come_back(self) -> None:
        for row in await self.world.books():
            ours = self.model.payments[row["reference"]]
            if row["state"] == ours.status == "SETTLED" and ours.person not in self.wronged:
                self.wronged.add(ours.person)
                await self.world.notice({
                    "reference": row["reference"], "status": "RETURNED", "amount": DUE, "currency": "VND", "code": "ACCOUNT_CLOSED",
                    "partner_reference": "FT-1", "occurred_at": clock.now().isoformat(),
                })  # fmt: skip
                assert self.model.payments[row["reference"]].status == "RETURNED"

    @rule()
    def two_people_look(self) -> None:
        """What we withdrew and the partner speaks of: paid, as its books say, or not. What is said to have come back, and did not."""
        self.run(self._look())

    async def _look(self) -> None:
        await self._withdrawn()
        books = await self.world.books()
        paid = {row["reference"] for row in books if row["state"] == "SETTLED"}
        said: dict[str, Any] = {"happened_on": BUSINESS_DATE, "note": "as its books say", "evidence": "statement"}
        await self._look_at_refusals({row["reference"] for row in books}, said)
        await self._look_at_returns(paid, said)
        for word in await self.world.rows(
            "SELECT quarantine_id, reference FROM quarantine q JOIN payment p USING (payment_id, reference)"
            " WHERE q.state = 'OPEN' AND q.reason = 'NOT_SENT' AND p.status = 'CANCELLED' ORDER BY quarantine_id"
        ):
            payment = self.model.payments[word["reference"]]
            if word["reference"] not in paid or payment.status != "CANCELLED":
                await manual_results.dismiss_word(self.world.db, ACTOR, word["quarantine_id"], "not in its books")
                continue
            asked = await manual_results.accept_word(
                self.world.db, SYSTEM("clerk"), word["quarantine_id"], result=ResultStatus.SETTLED, reason=None, **said
            )
            await manual_results.decide_result(self.world.db, SYSTEM("approver"), asked["manual_id"], "seen", confirm=True)
            payment.status, payment.corrected = "SETTLED", True

    async def _look_at_returns(self, paid: set[str], said: dict[str, Any]) -> None:
        """What is said to have come back and is with the person by its books."""
        for row in await self.world.rows("SELECT payment_id, reference FROM payment WHERE status = 'RETURNED' ORDER BY payment_id"):
            if row["reference"] in paid:
                asked = await manual_results.propose_correction(self.world.db, SYSTEM("clerk"), row["payment_id"], **said)
                await manual_results.decide_result(self.world.db, SYSTEM("approver"), asked["manual_id"], "seen", confirm=True)
                self.model.payments[row["reference"]].status, self.model.payments[row["reference"]].corrected = "SETTLED", True

    async def _look_at_refusals(self, known: set[str], said: dict[str, Any]) -> None:
        """What the partner refused when it came again: not in its books, so not paid."""
        for word in await self.world.rows(
            "SELECT quarantine_id, reference FROM quarantine q JOIN payment p USING (payment_id, reference)"
            " WHERE q.state = 'OPEN' AND q.reason = 'REJECTED_AFTER_RESEND' AND p.status = 'UNKNOWN' ORDER BY quarantine_id"
        ):
            if word["reference"] not in known:
                asked = await manual_results.accept_word(
                    self.world.db, SYSTEM("clerk"), word["quarantine_id"], result=ResultStatus.FAILED, reason=None, **said
                )
                await manual_results.decide_result(self.world.db, SYSTEM("approver"), asked["manual_id"], "seen", confirm=True)
                self.model.payments[word["reference"]].status = "FAILED"

    @rule(person=st.integers(0, PEOPLE - 1))
    def another_list(self, person: int) -> None:
        self._submit(person, 1)

    @precondition(lambda self: hasattr(self, "world"))
    @rule(person=st.integers(0, PEOPLE - 1))
    def two_lists_at_once(self, person: int) -> None:
        self._submit(person, 2)

    def _submit(self, person: int, count: int) -> None:
        free = self.model.free(person)
        lists = [self.run(self._seed_list(person)) for _ in range(count)]
        answers = self.run(self._gather([self._approve(*made) for made in lists]))
        taken = [line_id for line_id in answers if line_id is not None]
        assert len(taken) == (1 if free else 0)
        for line_id in taken:
            self.model.payments[payment_reference(line_id, 1)] = Paid(person)

    async def _gather(self, works: list[Any]) -> list[UUID | None]:
        return list(await asyncio.gather(*works))

    async def _seed_list(self, person: int) -> tuple[UUID, UUID, UUID]:
        """A further cycle with a list that pays the person's month, computed and not yet committed."""
        cycle_id, list_id, line_id = new_id(), new_id(), new_id()
        about = {"c": cycle_id, "l": list_id, "n": line_id, "old": self.lines[person].line_id, "first": self.world.cycle_id}
        async with self.world.owner() as tx:
            await tx.execute(
                "INSERT INTO payment_cycle (cycle_id, month, programme, funding_source, unit_code, unit_path, kind, sequence, state,"
                " business_date, cut_off_id, list_id, opened_by) SELECT :c, month, programme, funding_source, unit_code, unit_path,"
                " 'SUPPLEMENTARY', (SELECT max(sequence) + 1 FROM payment_cycle), 'SUBMITTED', business_date, gen_random_uuid(), :l, 'x'"
                " FROM payment_cycle WHERE cycle_id = :first", **about,
            )  # fmt: skip
            await tx.execute(
                "INSERT INTO payment_list (list_id, cycle_id, number, state, cut_off_id, list_hash, lines, held, total_amount, held_amount,"
                " business_date, computed_by) VALUES (:l, :c, 1, 'SUBMITTED', gen_random_uuid(), 'hash', 1, 0, 500000, 0, :day, 'x')",
                day=BUSINESS_DATE, **about,
            )  # fmt: skip
            await tx.execute(
                "INSERT INTO list_line SELECT (jsonb_populate_record(x, jsonb_build_object('line_id', CAST(:n AS uuid), 'list_id',"
                " CAST(:l AS uuid), 'cycle_id', CAST(:c AS uuid), 'state', 'LISTED'))).* FROM list_line x WHERE line_id = :old", **about,
            )  # fmt: skip
            await tx.execute(
                "INSERT INTO allocation (line_id, list_id, beneficiary_id, programme, funding_source, benefit_line, month, amount, state)"
                " SELECT :n, :l, beneficiary_id, programme, funding_source, benefit_line, month, amount, 'PLANNED' FROM allocation"
                " WHERE line_id = :old", **about,
            )  # fmt: skip
        return cycle_id, list_id, line_id

    async def _approve(self, cycle_id: UUID, list_id: UUID, line_id: UUID) -> UUID | None:
        """What submitting and approving do, in one transaction; None where the months no longer allow it."""
        with contextlib.suppress(Outdated):
            async with self.world.db.transaction(ACTOR) as tx:
                if await allocations.commit(tx, list_id) < 1:
                    raise Outdated
                assert await budget.reserve(tx, await tx.value("SELECT budget_id FROM budget"), cycle_id, DUE)
                await tx.execute("UPDATE payment_cycle SET state = 'APPROVED' WHERE cycle_id = :id", id=cycle_id)
                await create_payments(tx, cycle_id, list_id, BUSINESS_DATE)
                return line_id
        return None

    async def _withdrawn(self) -> None:
        """Before it is sent a payment is withdrawn only where the partner speaks of one of the same months against our books, or where
        two people have said that another payment paid them."""
        for row in await self.world.rows("SELECT reference, reason FROM payment WHERE status = 'CANCELLED'"):
            payment = self.model.payments[row["reference"]]
            if payment.status == "APPROVED":
                disputed = {
                    item["reference"]
                    for item in await self.world.rows(
                        "SELECT reference FROM quarantine WHERE state = 'OPEN' AND (says_paid OR reason IN ('CONTRADICTION', 'NOT_SENT'))"
                    )
                }
                if row["reason"] == "STOPPED":
                    assert any(p.person == payment.person and p.corrected for p in self.model.payments.values())
                else:
                    assert row["reason"] == "PAYMENT_DISPUTED"
                    assert any(self.model.payments[name].person == payment.person for name in disputed & self.model.payments.keys())
                payment.status = "CANCELLED"

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "world"):
            return
        rows = self.run(self.world.rows("SELECT reference, status FROM payment"))
        self.run(self._withdrawn())
        assert {row["reference"]: row["status"] for row in rows} == {name: p.status for name, p in self.model.payments.items()}
        total = {status: DUE * sum(p.status == status for p in self.model.payments.values()) for status in OPEN | {"SETTLED"}}
        still_open, settled = sum(total[status] for status in OPEN), total["SETTLED"]
        assert self.run(self.world.rows("SELECT sum(committed)::bigint AS c, sum(paid)::bigint AS p FROM due_month_position")) == [
            {"c": still_open, "p": settled}
        ]
        assert self.run(self.world.rows("SELECT reserved, spent FROM budget")) == [{"reserved": still_open, "spent": settled}]
        balances = self.run(
            self.world.rows(
                "SELECT account, sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)::bigint AS n FROM ledger_entry GROUP BY 1"
            )
        )
        ledger = {row["account"]: row["n"] for row in balances}
        assert ledger.get("RESERVED", 0) == total["APPROVED"]
        assert ledger.get("IN_TRANSIT", 0) == still_open - total["APPROVED"]
        assert ledger.get("SETTLED", 0) == settled
        assert sum(ledger.values()) == 0

    def teardown(self) -> None:
        # After a step that failed, the end would fail as well and its error would be the one that is shown.
        failed = sys.exc_info()[0] is not None
        try:
            if hasattr(self, "world") and not failed:
                self._calm_down()
                self.agree()
                self._books_agree()
        finally:
            self.run(self.stack.aclose())
            self.patch.undo()
            self.loop.close()

    def _calm_down(self) -> None:
        """Nothing goes wrong any more: everything comes to its end."""
        self.run(self._calm())
        for _ in range(6):
            self.run(self.world.partner_works())
            self.run(self.world.apply())
            self.agree()
            self.run(self._go_on())

    async def _go_on(self) -> None:
        await self.world.wake()
        if await self.world.take_over():
            taken = await self.world.rows("SELECT reference FROM payment WHERE reason = 'TAKEN_OVER' AND status = 'UNKNOWN'")
            self.model.unanswered(frozenset(row["reference"] for row in taken))
        await self.world.inquire()
        await self.world.send()
        await self._look()

    def _books_agree(self) -> None:
        books = self.run(self.world.books())
        assert len({row["reference"] for row in books}) == len(books)
        theirs = {row["reference"]: row["state"] for row in books}
        for reference, payment in self.model.payments.items():
            held = {"CANCELLED": "FAILED"}.get(payment.status, payment.status)
            assert theirs.get(reference, "FAILED") == held, (reference, payment)
        person_of = {reference: payment.person for reference, payment in self.model.payments.items()}
        for person in range(PEOPLE):
            got = sum(row["amount"] for row in books if row["state"] == "SETTLED" and person_of[row["reference"]] == person)
            # Who was paid again because its partner told us what was not so is asked to give it back.
            assert got <= (2 * DUE if person in self.wronged else DUE)
        doubles = self.run(self.world.partner_http.get("http://partner/control/doubles")).json()
        assert (doubles["references"], doubles["unbalanced"]) == ([], [])


def machine(database: Any, keyring: Any, keys_file: Any, making: Any, folder: Path) -> type[Payments]:
    made: Any = type("PaymentsHere", (Payments,), {})
    made.database, made.keyring = staticmethod(database), keyring("disbursement")
    made.keys_file, made.folder, made.making = keys_file("disbursement"), folder, making
    found: type[Payments] = made
    return found


def sized(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck), database=None,
        phases=(Phase.explicit, Phase.generate),  # a step is a database's work: failures are shown as found, not made smaller
    )  # fmt: skip


def test_any_interleaving_agrees_with_the_model(database: Any, keyring: Any, keys_file: Any, making: Any, tmp_path: Path) -> None:
    run_state_machine_as_test(machine(database, keyring, keys_file, making, tmp_path), settings=sized(8, 12))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_many_interleavings_agree_with_the_model(database: Any, keyring: Any, keys_file: Any, making: Any, tmp_path: Path) -> None:
    run_state_machine_as_test(machine(database, keyring, keys_file, making, tmp_path), settings=sized(60, 40))
