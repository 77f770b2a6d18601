"""Reading the books for whoever checks them: totals, rows, doubles, statement. Each on a read-only connection of its own."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from simulators.partner.books import timestamp

__all__ = ["doubles", "notice_body", "notices", "payments", "statement", "totals"]

_PAYMENT_FIELDS = (
    "id",
    "partner",
    "reference",
    "batch_reference",
    "amount",
    "currency",
    "kind",
    "provider_code",
    "account_number",
    "unit_code",
    "file_code",
    "payee",
    "text",
    "state",
    "code",
    "partner_reference",
    "accepted_at",
    "settled_at",
    "changed_at",
)
_STATEMENT_FIELDS = (
    "partner",
    "booked_at",
    "entry",
    "reference",
    "partner_reference",
    "amount",
    "currency",
    "kind",
    "provider_code",
    "account_number",
    "file_code",
    "text",
)


def _open(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def totals(path: Path, partner: str | None) -> dict[str, Any]:
    """Count and đồng by partner and state, what is booked, and whether everything is settled and told."""
    with _open(path) as connection:
        by_partner: dict[str, dict[str, Any]] = {}
        rows = connection.execute(
            "SELECT partner, state, count(*), sum(amount) FROM payment WHERE :partner IS NULL OR partner = :partner"
            " GROUP BY 1, 2 ORDER BY 1, 2",
            {"partner": partner},
        )
        for name, state, count, amount in rows:
            by_partner.setdefault(name, {})[state] = {"count": count, "amount": amount}
        booked = connection.execute(
            "SELECT coalesce(sum(amount), 0) FROM balance WHERE :partner IS NULL OR partner = :partner",
            {"partner": partner},
        ).fetchone()[0]
        pending, sent, spoilt = connection.execute(
            "SELECT count(*) FILTER (WHERE delivered_at IS NULL), count(*) FILTER (WHERE delivered_at IS NOT NULL),"
            " coalesce(sum(spoilt_accepted), 0) FROM notice WHERE :partner IS NULL OR partner = :partner",
            {"partner": partner},
        ).fetchone()
        batches = connection.execute("SELECT count(*) FROM batch WHERE :partner IS NULL OR partner = :partner", {"partner": partner})
        received = sum(states.get("RECEIVED", {}).get("count", 0) for states in by_partner.values())
        return {
            "partners": by_partner,
            "batches": batches.fetchone()[0],
            "booked_amount": booked,
            "notices": {"pending": pending, "delivered": sent, "spoilt_accepted": spoilt},
            "quiet": received == 0 and pending == 0,
        }


def payments(path: Path, partner: str | None, state: str | None, after: int, limit: int) -> dict[str, Any]:
    """Rows of the books by id; `after` is the last id seen."""
    columns = ", ".join("b.batch_reference" if field == "batch_reference" else f"p.{field}" for field in _PAYMENT_FIELDS)
    with _open(path) as connection:
        rows = connection.execute(
            f"SELECT {columns} FROM payment AS p JOIN batch AS b ON b.id = p.batch_id WHERE p.id > :after"
            " AND (:partner IS NULL OR p.partner = :partner) AND (:state IS NULL OR p.state = :state) ORDER BY p.id LIMIT :limit",
            {"after": after, "partner": partner, "state": state, "limit": limit},
        ).fetchall()
    items = [dict(zip(_PAYMENT_FIELDS, row, strict=True)) for row in rows]
    for item in items:
        for field in ("accepted_at", "settled_at", "changed_at"):
            item[field] = timestamp(item[field])
    return {"payments": items, "next": items[-1]["id"] if len(items) == limit else None}


def doubles(path: Path) -> dict[str, Any]:
    """What must be empty (`references`, `unbalanced`), and where one destination got several payments with the same text."""
    with _open(path) as connection:
        references = connection.execute(
            "SELECT reference, count(*), sum(amount), group_concat(partner) FROM payment GROUP BY reference HAVING count(*) > 1",
        ).fetchall()
        unbalanced = connection.execute(
            "SELECT p.partner, p.reference, p.state, coalesce(sum(e.amount), 0) AS booked, p.amount FROM payment AS p"
            " LEFT JOIN entry AS e ON e.payment_id = p.id GROUP BY p.id"
            " HAVING booked <> CASE WHEN p.state IN ('SETTLED', 'COLLECTED') THEN p.amount ELSE 0 END LIMIT 1000",
        ).fetchall()
        destinations = connection.execute(
            "SELECT coalesce(provider_code || ':' || account_number, 'CASH:' || file_code) AS destination, text, count(*), sum(amount),"
            " json_group_array(reference) FROM payment WHERE state IN ('SETTLED', 'COLLECTED') GROUP BY 1, 2 HAVING count(*) > 1"
            " ORDER BY 1, 2 LIMIT 10000",
        ).fetchall()
        sums = connection.execute("SELECT count(*), coalesce(sum(amount), 0) FROM entry").fetchone()
        balance = connection.execute("SELECT coalesce(sum(amount), 0) FROM balance").fetchone()[0]
    return {
        "references": [dict(zip(("reference", "times", "amount", "partners"), row, strict=True)) for row in references],
        "unbalanced": [dict(zip(("partner", "reference", "state", "booked", "amount"), row, strict=True)) for row in unbalanced],
        "destinations": [dict(zip(("destination", "text", "payments", "amount", "references"), row, strict=True)) for row in destinations],
        "entries": sums[0],
        "entries_amount": sums[1],
        "balances_amount": balance,
    }


def notices(path: Path, partner: str | None, after: int, limit: int) -> dict[str, Any]:
    """Notices by id, without their bodies; `after` is the last id seen."""
    fields = ("id", "webhook_id", "partner", "results", "attempts", "last_answer", "spoilt_accepted", "created_at", "delivered_at")
    with _open(path) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(fields)} FROM notice WHERE id > :after AND (:partner IS NULL OR partner = :partner)"
            " ORDER BY id LIMIT :limit",
            {"after": after, "partner": partner, "limit": limit},
        ).fetchall()
    items = [dict(zip(fields, row, strict=True)) for row in rows]
    for item in items:
        item["created_at"], item["delivered_at"] = timestamp(item["created_at"]), timestamp(item["delivered_at"])
    return {"notices": items, "next": items[-1]["id"] if len(items) == limit else None}


def notice_body(path: Path, number: int) -> bytes | None:
    """The bytes of one notice; None where there is none."""
    with _open(path) as connection:
        row = connection.execute("SELECT body FROM notice WHERE id = ?", (number,)).fetchone()
    return None if row is None else bytes(row[0])


def statement(path: Path, partner: str | None, since: float, until: float) -> Iterator[bytes]:
    """CSV of the booked lines in a span of time (seconds since 1970), oldest first, in pieces."""
    with _open(path) as connection:
        rows = connection.execute(
            "SELECT p.partner, e.booked_at, e.kind, p.reference, p.partner_reference, e.amount, p.currency, p.kind, p.provider_code,"
            " p.account_number, p.file_code, p.text FROM entry AS e JOIN payment AS p ON p.id = e.payment_id"
            " WHERE (:partner IS NULL OR p.partner = :partner) AND e.booked_at >= :since AND e.booked_at < :until"
            " ORDER BY e.booked_at, e.payment_id, e.kind",
            {"partner": partner, "since": since, "until": until},
        )
        yield _csv([_STATEMENT_FIELDS])
        while chunk := rows.fetchmany(1000):
            yield _csv([(row[0], timestamp(row[1]), *row[2:]) for row in chunk])


def _csv(rows: list[tuple[Any, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
