"""Working a statement off: read once, then judged a chunk at a time; what it proves is applied, what differs waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, jobs
from common.actor import SYSTEM
from common.db import Database, Tx
from common.sealing import Keyring
from disbursement.channels.protocol import PartnerResult
from disbursement.channels.statements import read_statement
from disbursement.channels.statements.protocol import Booked, Direction, Statement, StatementUnreadable
from disbursement.domain.payment import CASH, ResultStatus
from disbursement.domain.reconciliation_errors import StatementRefused
from disbursement.storage import reconciliation, statements
from disbursement.usecases.read_back import BookedOut
from disbursement.usecases.receive_statement import STATEMENT_FIELD
from disbursement.usecases.record_results import Told, record_results

__all__ = ["CHUNK", "Reconciler"]

CHUNK: Final = 20_000
"""Lines judged in one transaction: other appliers of results wait that long at most."""

Reader = Callable[[bytes, str], Statement]


class Reconciler:
    """The job: a statement from RECEIVED to RECONCILED. A repeat after a crash goes on where the last transaction ended."""

    def __init__(self, db: Database, keyring: Keyring, *, chunk: int = CHUNK, booked_out: BookedOut | None = None) -> None:
        """`chunk`: lines judged in one transaction. `booked_out`: see `read_back.booked_while_restored`."""
        self._booked_out = booked_out
        self._db = db
        self._keyring = keyring
        self._chunk = chunk

    async def run(self, job: jobs.Job) -> dict[str, object]:
        """Handler of `statement-reconcile` jobs; the verdicts. Raises StatementRefused for a file that cannot be read."""
        statement_id = UUID(job.detail["statement_id"])
        refusal = await self._read(statement_id)
        if refusal is not None:
            raise StatementRefused(refusal)
        while (until := await self._step(statement_id)) is not None:
            await jobs.progress(self._db, job.id, until[0], until[1])
        return await self._finish(statement_id)

    async def _read(self, statement_id: UUID) -> str | None:
        """Store the lines; why the file is refused, if it is."""
        try:
            async with self._db.transaction(SYSTEM("reconcile")) as tx:
                row = await statements.lock(tx, statement_id)
                if row is None:
                    raise LookupError(statement_id)
                if row["state"] != "RECEIVED":
                    return None
                content = self._keyring.decrypt_bytes(STATEMENT_FIELD, row["content"])
                read = read_statement(content, row["file_name"])
                count = await reconciliation.add_lines(tx, _rows(statement_id, read.lines))
                period = _period(row, read)
                if count == 0 and (read.form == "CAMT054" or None in period):
                    raise StatementUnreadable(
                        "không có dòng nào và không nói kỳ nào · there is no line in it, and nothing says which period it covers"
                    )
                await statements.set_read(tx, statement_id, {**_head(read, count), "from_date": period[0], "to_date": period[1]})
        except StatementUnreadable as error:
            async with self._db.transaction(SYSTEM("reconcile")) as tx:
                await statements.refuse(tx, statement_id, str(error))
                what = audit.Changed({"state": "RECEIVED"}, {"state": "REFUSED"}, {"refusal": str(error)})
                await audit.record(tx, "statement.refuse", "statement", statement_id, what)
            return str(error)
        return None

    async def _step(self, statement_id: UUID) -> tuple[int, int] | None:
        """Judge the next chunk; (lines done, of how many), None when nothing is left."""
        async with self._db.transaction(SYSTEM("reconcile")) as tx:
            head = await statements.lock(tx, statement_id)
            span = await statements.step(tx, statement_id, self._chunk)
            if head is None or span is None:
                return None
            await self._judge(tx, head, *span)
            return span[1], max(head["lines"], span[1])

    async def _judge(self, tx: Tx, head: RowMapping, after: int, until: int) -> None:
        statement_id, partner = head["statement_id"], head["partner"]
        await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        await reconciliation.link(tx, statement_id, partner, after, until)
        if self._booked_out is not None:
            await self._booked_out(tx, head, after, until)
        unsigned = head["source"] == "UPLOAD"
        lines = await reconciliation.told_by(tx, statement_id, after, until, unsigned=unsigned)
        told = [Told(str(statement_id), _result(row)) for row in lines]
        if told:
            await record_results(tx, partner, "STATEMENT", told)
        await reconciliation.judge(tx, statement_id, after, until, unsigned=unsigned)
        await reconciliation.open_breaks(tx, statement_id, partner, after, until, head["business_date"])

    async def _finish(self, statement_id: UUID) -> dict[str, object]:
        async with self._db.transaction(SYSTEM("reconcile")) as tx:
            head = await statements.lock(tx, statement_id)
            if head is None:
                raise LookupError(statement_id)
            if head["state"] == "READ":
                await reconciliation.find_missing(tx, head)
                await statements.set_reconciled(tx, statement_id)
            figures: dict[str, int] = {}
            for row in await reconciliation.verdicts(tx, statement_id):
                figures[row["verdict"]] = figures.get(row["verdict"], 0) + row["lines"]
            what = audit.Changed({"state": head["state"]}, {"state": "RECONCILED"}, figures)
            await audit.record(tx, "statement.reconcile", "statement", statement_id, what)
        return {"statement_id": str(statement_id), "lines": head["lines"], **figures}


def _rows(statement_id: UUID, lines: Iterator[Booked]) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        yield (
            statement_id, line.number, line.booked_on, line.amount, line.currency, line.direction.value, line.reference,
            line.partner_reference,
        )  # fmt: skip


def _head(read: Statement, count: int) -> Mapping[str, Any]:
    return {
        "form": read.form, "message_id": read.message_id, "lines": count, "opening": read.opening, "closing": read.closing,
    }  # fmt: skip


def _period(row: RowMapping, read: Statement) -> tuple[date | None, date | None]:
    """What the person said it covers, no further than the file itself says. Raises StatementUnreadable where the two do not meet."""
    first = max((day for day in (row["from_date"], read.from_date) if day), default=None)
    last = min((day for day in (row["to_date"], read.to_date) if day), default=None)
    if first is not None and last is not None and first > last:
        raise StatementUnreadable(
            f"tệp ghi kỳ {read.from_date} – {read.to_date}, không phải kỳ đã khai · the file covers {read.from_date} – {read.to_date},"
            " not the period that was said"
        )
    return first, last


def _result(row: RowMapping) -> PartnerResult:
    """What a booked line says of a payment: a debit that it arrived (cash: was collected), a credit that it came back."""
    came_back = row["direction"] == Direction.IN
    arrived = ResultStatus.COLLECTED if row["channel"] in CASH else ResultStatus.SETTLED
    return PartnerResult(
        reference=row["reference"],
        status=ResultStatus.RETURNED if came_back else arrived,
        amount=row["amount"],
        currency=row["currency"],
        reason="RETURNED_BY_PROVIDER" if came_back else None,
        partner_reference=row["partner_reference"],
        occurred_at=datetime.combine(row["booked_on"], time(5), UTC),
        said={"statement_line": row["line_no"], "direction": row["direction"], "amount": row["amount"]},
    )
