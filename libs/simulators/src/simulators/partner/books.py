"""Taking batches into the books, and answering what the books say. Everything here runs on the lane of the books."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
from pydantic import ValidationError

from simulators.partner.config import AccountLimits, SimulatorConfig
from simulators.partner.files import FileRefusedError, read_file, writer
from simulators.partner.messages import Batch, Payment, refusal
from simulators.partner.notices import of_acceptance
from simulators.partner.outbox import store_notices
from simulators.partner.scripts import Behaviour, Phase, Script, Scripts
from simulators.sqlite_lane import transaction

__all__ = ["RESULT_COLUMNS", "Answer", "accept", "accept_batch", "accept_file", "inquire", "partner_reference", "result_row", "timestamp"]

_VIET_NAM = timezone(timedelta(hours=7))
RESULT_COLUMNS = "p.reference, p.state, p.amount, p.currency, p.code, p.partner_reference, p.changed_at"
_INSERT_PAYMENT = (
    "INSERT INTO payment(partner, reference, batch_id, amount, currency, kind, provider_code, account_number, unit_code, file_code,"
    " payee, text, state, partner_reference, accepted_at, due_at, changed_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'RECEIVED', ?, ?, ?, ?)"
)


@dataclass(frozen=True)
class Answer:
    """HTTP status and JSON body; `booked` when new payments lie in the books."""

    status: int
    body: bytes
    booked: bool = False


def accept(
    connection: sqlite3.Connection,
    config: SimulatorConfig,
    scripts: Scripts,
    partner: str,
    body: bytes,
    now: float,
    answer_script: Script | None,
) -> Answer:
    """Take one batch, durably, before it is answered.

    The same reference with the same bytes gives the stored answer; with other bytes 409. A payment reference that lies in the books
    under another batch makes the whole batch 409 and nothing of it is taken: a partner takes a reference once, for ever.
    """
    try:
        batch = Batch.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return _problem(400, "MALFORMED", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    return accept_batch(connection, config, scripts, partner, batch, body, now, answer_script)


def accept_batch(
    connection: sqlite3.Connection,
    config: SimulatorConfig,
    scripts: Scripts,
    partner: str,
    batch: Batch,
    body: bytes,
    now: float,
    answer_script: Script | None,
) -> Answer:
    """As :func:`accept`, of a batch that a contract of its own has read from `body`."""
    return _take(connection, config, scripts, partner, batch, None, hashlib.sha256(body).digest(), now, answer_script)


def accept_file(
    connection: sqlite3.Connection,
    config: SimulatorConfig,
    scripts: Scripts,
    partner: str,
    body: bytes,
    now: float,
    answer_script: Script | None,
) -> Answer:
    """Take a file (pain.001, XLSX, CSV) into the same books, once for its message id; its answer goes out as a file of its own."""
    try:
        form, batch = read_file(body)
    except FileRefusedError as error:
        return _problem(400, "MALFORMED", str(error))
    return _take(connection, config, scripts, partner, batch, form, hashlib.sha256(body).digest(), now, answer_script)


def _take(
    connection: sqlite3.Connection,
    config: SimulatorConfig,
    scripts: Scripts,
    partner: str,
    batch: Batch,
    form: str | None,
    digest: bytes,
    now: float,
    answer_script: Script | None,
) -> Answer:
    if len(batch.payments) > config.max_batch:
        return _problem(413, "BATCH_TOO_LARGE", f"at most {config.max_batch} payments a batch")
    with transaction(connection):
        known = connection.execute(
            "SELECT id, sha256, answer, hidden_until FROM batch WHERE partner = ? AND batch_reference = ?",
            (partner, batch.batch_reference),
        ).fetchone()
        if known is not None:
            return _again(connection, known, digest, now)
        conflict = _conflict(connection, partner, batch)
        if conflict is not None:
            return conflict
        refused, taken = _sorted_out(batch, config, partner, answer_script)
        refused, taken = _within_limits(connection, config.partners[partner].limits, partner, refused, taken, now)
        answer = orjson.dumps({"batch_reference": batch.batch_reference, "accepted": len(taken), "refused": refused})
        taken_scripts = scripts.take(connection, partner, "batches", frozenset({Phase.RESULT, Phase.NOTICE}), now)
        number = _book(connection, config, partner, batch.batch_reference, taken, digest, answer, now, answer_script, taken_scripts)
        if form is not None:
            _acknowledge(connection, config, partner, batch, number, form, refused, now, taken_scripts.get(Phase.NOTICE))
    return Answer(202, answer, booked=bool(taken))


def inquire(connection: sqlite3.Connection, partner: str, references: Sequence[str], now: float) -> list[dict[str, Any]]:
    """What the books say of each reference, in the order asked."""
    rows = connection.execute(
        f"SELECT {RESULT_COLUMNS} FROM json_each(?) AS j CROSS JOIN payment AS p ON p.partner = ? AND p.reference = j.value"
        " JOIN batch AS b ON b.id = p.batch_id WHERE b.hidden_until <= ?",
        (orjson.dumps(list(references)).decode(), partner, now),
    )
    found = {row[0]: result_row(row) for row in rows}
    return [found.get(reference) or _not_found(reference) for reference in references]


def result_row(row: Sequence[Any]) -> dict[str, Any]:
    """RESULT_COLUMNS as the platform gets them."""
    return {
        "reference": row[0],
        "status": row[1],
        "amount": row[2],
        "currency": row[3],
        "code": row[4],
        "partner_reference": row[5],
        "occurred_at": timestamp(row[6]),
    }


def timestamp(seconds: float | None) -> str | None:
    """RFC 3339 in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def partner_reference(partner: str, reference: str) -> str:
    """The partner's own number of a payment; always the same for the same reference."""
    return partner[:4].upper() + hashlib.sha256(f"{partner}|{reference}".encode()).hexdigest()[:16].upper()


def _not_found(reference: str) -> dict[str, Any]:
    fields = ("amount", "currency", "code", "partner_reference", "occurred_at")
    return {"reference": reference, "status": "NOT_FOUND", **dict.fromkeys(fields)}


def _problem(status: int, code: str, message: str, **more: Any) -> Answer:
    return Answer(status, orjson.dumps({"code": code, "message": message, **more}))


def _again(connection: sqlite3.Connection, known: Sequence[Any], digest: bytes, now: float) -> Answer:
    number, sha256, answer, hidden_until = known
    if sha256 != digest:
        return _problem(409, "BATCH_CONFLICT", "this batch_reference was accepted with other content")
    if hidden_until <= now:
        return Answer(202, answer)
    # Sent again while the first sending was still under way: from here on the batch is there for inquiries too.
    connection.execute("UPDATE batch SET hidden_until = 0 WHERE id = ?", (number,))
    connection.execute("UPDATE payment SET due_at = ? WHERE batch_id = ? AND state = 'RECEIVED'", (now, number))
    return Answer(202, answer, booked=True)


def _conflict(connection: sqlite3.Connection, partner: str, batch: Batch) -> Answer | None:
    references = [payment.reference for payment in batch.payments]
    if len(set(references)) != len(references):
        return _problem(400, "DUPLICATE_REFERENCE", "a reference stands twice in this batch")
    rows = connection.execute(
        "SELECT p.reference FROM json_each(?) AS j CROSS JOIN payment AS p ON p.partner = ? AND p.reference = j.value LIMIT 100",
        (orjson.dumps(references).decode(), partner),
    ).fetchall()
    if not rows:
        return None
    return _problem(409, "REFERENCE_CONFLICT", "references were accepted in another batch: inquire", references=[row[0] for row in rows])


def _sorted_out(
    batch: Batch,
    config: SimulatorConfig,
    partner: str,
    script: Script | None,
) -> tuple[list[dict[str, str]], list[Payment]]:
    if script is not None and script.behaviour is Behaviour.REJECT:
        code = script.params.get("code") or "PARTNER_REJECTED"
        return [{"reference": payment.reference, "code": code, "message": "refused by script"} for payment in batch.payments], []
    refused: list[dict[str, str]] = []
    taken: list[Payment] = []
    for payment in batch.payments:
        why = refusal(payment, config.partners[partner], config)
        if why is None:
            taken.append(payment)
        else:
            refused.append({"reference": payment.reference, "code": why[0], "message": why[1]})
    return refused, taken


def _within_limits(
    connection: sqlite3.Connection,
    limits: AccountLimits | None,
    partner: str,
    refused: list[dict[str, str]],
    taken: list[Payment],
    now: float,
) -> tuple[list[dict[str, str]], list[Payment]]:
    """Payments that would take an account over what it may receive in one payment, a day or a month (Vietnamese) are refused."""
    if limits is None:
        return refused, taken
    at = datetime.fromtimestamp(now, _VIET_NAM).replace(hour=0, minute=0, second=0, microsecond=0)
    spans = {"LIMIT_DAY": (limits.day, at.timestamp()), "LIMIT_MONTH": (limits.month, at.replace(day=1).timestamp())}
    within: list[Payment] = []
    got: dict[str, int] = {}
    for payment in taken:
        account = payment.account.account_number if payment.account else ""
        more = got.get(account, 0) + payment.amount
        over = limits.payment is not None and payment.amount > limits.payment
        code = "LIMIT_TRANSACTION" if over else None
        for name, (most, since) in spans.items():
            if code is None and most is not None and _received(connection, partner, account, since) + more > most:
                code = name
        if code is None:
            got[account] = more
            within.append(payment)
        else:
            refused.append({"reference": payment.reference, "code": code, "message": "more than the account may receive"})
    return refused, within


def _received(connection: sqlite3.Connection, partner: str, account: str, since: float) -> int:
    return int(
        connection.execute(
            "SELECT coalesce(sum(amount), 0) FROM payment WHERE partner = ? AND account_number = ? AND accepted_at >= ?"
            " AND state NOT IN ('FAILED', 'RETURNED')",
            (partner, account, since),
        ).fetchone()[0]
    )


def _book(
    connection: sqlite3.Connection,
    config: SimulatorConfig,
    partner: str,
    batch_reference: str,
    taken: Sequence[Payment],
    digest: bytes,
    answer: bytes,
    now: float,
    answer_script: Script | None,
    scripts: Mapping[Phase, Script],
) -> int:
    hidden = answer_script is not None and answer_script.behaviour is Behaviour.NOT_FOUND_THEN_ACCEPTED
    hidden_until = now + answer_script.seconds if answer_script is not None and hidden else 0.0
    result, notice = scripts.get(Phase.RESULT), scripts.get(Phase.NOTICE)
    settings = config.partners[partner]
    due_at = max(now if settings.instant else now + settings.delay_ms / 1000, hidden_until)
    forced_state, code, return_after = None, None, None
    if result is not None:
        code = result.params.get("code")
        if result.behaviour is Behaviour.LATE_SETTLEMENT:
            due_at = now + result.seconds
        elif result.behaviour is Behaviour.FAIL_RESULTS:
            forced_state, code = "FAILED", code or "PARTNER_REJECTED"
        else:
            return_after, code = result.seconds, code or "ACCOUNT_CLOSED"
    effects = json.dumps({"behaviour": notice.behaviour, **notice.params}) if notice is not None else "{}"
    number = connection.execute(
        "INSERT INTO batch(partner, batch_reference, sha256, answer, received_at, hidden_until, forced_state, forced_code, return_after,"
        " effects) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (partner, batch_reference, digest, answer, now, hidden_until, forced_state, code, return_after, effects),
    ).lastrowid
    connection.executemany(_INSERT_PAYMENT, (_payment_row(partner, number, payment, now, due_at) for payment in taken))
    return int(number or 0)


def _acknowledge(
    connection: sqlite3.Connection,
    config: SimulatorConfig,
    partner: str,
    batch: Batch,
    number: int,
    form: str,
    refused: Sequence[Mapping[str, str]],
    now: float,
    script: Script | None,
) -> None:
    """Write the file that says what was taken and what was not."""
    connection.execute("INSERT INTO file(batch_id, form) VALUES (?, ?)", (number, form))
    codes = {item["reference"]: item["code"] for item in refused}
    results = [
        {
            "reference": payment.reference,
            "status": "FAILED" if payment.reference in codes else "RECEIVED",
            "amount": payment.amount,
            "currency": payment.currency,
            "code": codes.get(payment.reference),
            "partner_reference": partner_reference(partner, payment.reference),
            "occurred_at": timestamp(now),
        }
        for payment in batch.payments
    ]
    effects = json.dumps({"behaviour": script.behaviour, **script.params}) if script is not None else "{}"
    write = writer(form, batch.batch_reference)
    store_notices(connection, config, of_acceptance(partner, results, effects, config.notice_rows(partner), now, write), now)


def _payment_row(partner: str, batch_id: int | None, payment: Payment, now: float, due_at: float) -> tuple[Any, ...]:
    account, cash = payment.account, payment.cash
    return (
        partner,
        payment.reference,
        batch_id,
        payment.amount,
        payment.currency,
        "ACCOUNT" if cash is None else cash.kind,
        account and account.provider_code,
        account and account.account_number,
        cash and cash.unit_code,
        cash and cash.file_code,
        payment.payee_name,
        payment.text,
        partner_reference(partner, payment.reference),
        now,
        due_at,
        now,
    )
