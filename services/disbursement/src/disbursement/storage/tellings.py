"""People to be told of their payments, set-based: found by cycle, claimed, moved, put on printed lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.domain.telling import OCCASIONS, SILENT_HOLDS, Occasion, transitions_values

__all__ = [
    "ACTIVE_SECONDS",
    "claim_asking",
    "claim_cycle",
    "claim_sending",
    "find_new",
    "move",
    "of_sheet",
    "page",
    "sheet_by_id",
    "sheet_copy",
    "sheet_correct",
    "sheet_digest",
    "sheet_hand_over",
    "sheet_make",
    "sheets_page",
    "store_texts",
    "summary",
]  # fmt: skip

ACTIVE_SECONDS: Final = 60
"""How often a cycle whose payments still move is looked through; a closed one is every six hours, for ninety days (money may come back)."""

_NEW_CYCLES: Final = """
INSERT INTO telling_round (cycle_id)
SELECT c.cycle_id FROM payment_cycle c
WHERE c.state IN ('APPROVED', 'DISBURSING', 'SETTLING') AND NOT EXISTS (SELECT FROM telling_round r WHERE r.cycle_id = c.cycle_id)
ON CONFLICT DO NOTHING
"""

_CLAIM_CYCLE: Final = f"""
WITH next AS (
    SELECT r.cycle_id FROM telling_round r JOIN payment_cycle c USING (cycle_id)
    WHERE r.next_at <= now() AND (c.closed_at IS NULL OR c.closed_at > now() - interval '90 days')
    ORDER BY r.next_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED
)
UPDATE telling_round r SET next_at = now() + CASE WHEN c.state = 'CLOSED' THEN interval '6 hours'
                                                  ELSE make_interval(secs => {ACTIVE_SECONDS}) END
FROM next n JOIN payment_cycle c USING (cycle_id) WHERE r.cycle_id = n.cycle_id RETURNING r.cycle_id
"""

_OCCASIONS: Final = ", ".join(f"('{status}', '{occasion}')" for status, occasion in OCCASIONS.items())
_SILENT: Final = ", ".join(f"'{reason}'" for reason in SILENT_HOLDS)

# A phone that belongs to a dead person's file is not rung; the list goes to an officer, who knows the family.
_FIND: Final = f"""
WITH occasion (status, occasion) AS (VALUES {_OCCASIONS}),
paid AS (
    SELECT p.payment_id, CAST(NULL AS uuid) AS hold_id, o.occasion, p.beneficiary_id, l.beneficiary_name, l.file_code,
           CASE WHEN p.payee_id <> p.beneficiary_id THEN l.payee_name END AS payee_name, p.channel, p.month, p.amount, p.unit_code,
           p.unit_path
    FROM payment p JOIN occasion o ON o.status = p.status JOIN list_line l USING (line_id)
    WHERE p.cycle_id = :cycle_id AND o.occasion = ANY(:occasions)
      AND NOT EXISTS (SELECT FROM telling t WHERE t.payment_id = p.payment_id AND t.occasion = o.occasion)
    LIMIT :limit
), held AS (
    SELECT CAST(NULL AS uuid), h.hold_id, '{Occasion.HELD}', h.beneficiary_id, coalesce(h.beneficiary_name, ''), h.file_code, NULL, NULL,
           to_char(c.month, 'YYYY-MM'), h.amount, h.unit_code, h.unit_path
    FROM payment_list s JOIN hold h USING (list_id) JOIN payment_cycle c ON c.cycle_id = h.cycle_id
    WHERE s.cycle_id = :cycle_id AND s.state = 'APPROVED' AND h.released_at IS NULL AND '{Occasion.HELD}' = ANY(:occasions)
      AND h.reason NOT IN ({_SILENT})
      AND NOT EXISTS (SELECT FROM telling t WHERE t.hold_id = h.hold_id)
    LIMIT :limit
), both_kinds AS (
    SELECT uuidv7() AS telling_id, n.*, b.phone_token IS NOT NULL AND b.status = 'ACTIVE' AND :sms AS by_phone
    FROM (SELECT * FROM paid UNION ALL SELECT * FROM held) n LEFT JOIN beneficiary b USING (beneficiary_id)
)
INSERT INTO telling (telling_id, cycle_id, beneficiary_id, payment_id, hold_id, occasion, route, state, beneficiary_name, file_code,
                     payee_name, other_payee, channel, month, amount, unit_code, unit_path, reference)
SELECT telling_id, :cycle_id, beneficiary_id, payment_id, hold_id, occasion,
       CASE WHEN by_phone THEN 'SMS' ELSE 'LIST' END, CASE WHEN by_phone THEN 'READY' ELSE 'TO_PRINT' END,
       beneficiary_name, file_code, payee_name, payee_name IS NOT NULL, channel, month, amount, unit_code, unit_path,
       'T' || upper(replace(telling_id::text, '-', ''))
FROM both_kinds
ON CONFLICT DO NOTHING
RETURNING telling_id
"""

# Where somebody else is paid the person is told first.
_CLAIM_SENDING: Final = """
WITH next AS (
    SELECT telling_id FROM telling WHERE state = 'READY' AND next_at <= now()
    ORDER BY other_payee DESC, next_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
SELECT t.telling_id, t.reference, t.text, t.occasion, t.beneficiary_name, t.month, t.amount, t.channel, t.payee_name, b.phone_token
FROM next JOIN telling t USING (telling_id) LEFT JOIN beneficiary b USING (beneficiary_id)
"""

_STORE_TEXTS: Final = """
UPDATE telling t SET text = x.text, state = 'SENDING', sends = t.sends + 1, error = NULL, sent_at = now(),
       next_at = now() + make_interval(secs => :lease_seconds)
FROM unnest(CAST(:ids AS uuid[]), CAST(:texts AS text[])) AS x (telling_id, text)
WHERE t.telling_id = x.telling_id AND t.state = 'READY'
"""

# A SENDING row past its lease belongs to a worker that died: whether the gateway has it, only the gateway knows.
_CLAIM_ASKING: Final = """
UPDATE telling t SET asks = t.asks + 1, state = CASE t.state WHEN 'SENDING' THEN 'UNKNOWN' ELSE t.state END,
       next_at = now() + make_interval(secs => (CAST(:pauses AS int[]))[least(t.asks + 1, cardinality(CAST(:pauses AS int[])))])
FROM (SELECT telling_id FROM telling WHERE state IN ('SENDING', 'UNKNOWN', 'SENT') AND next_at <= now() ORDER BY next_at LIMIT :limit
      FOR UPDATE SKIP LOCKED) n
WHERE t.telling_id = n.telling_id
RETURNING t.telling_id, t.reference, t.state, t.sent_at < now() - make_interval(hours => :patience_hours) AS patience_over
"""

_MOVE: Final = f"""
WITH allowed (from_state, to_state) AS (VALUES {transitions_values()})
UPDATE telling t SET state = x.state, error = x.error,
       route = CASE WHEN x.state IN ('TO_PRINT', 'PRINTED', 'HANDED_OVER') THEN 'LIST' ELSE 'SMS' END,
       sheet_id = CASE WHEN x.state = 'TO_PRINT' THEN NULL ELSE t.sheet_id END,
       told_at = CASE WHEN x.state IN ('DELIVERED', 'HANDED_OVER') THEN now() END,
       next_at = CASE WHEN x.wait IS NULL THEN t.next_at ELSE now() + make_interval(secs => x.wait) END
FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:errors AS text[]), CAST(:waits AS int[]))
     AS x (telling_id, state, error, wait)
JOIN allowed a ON a.to_state = x.state
WHERE t.telling_id = x.telling_id AND t.state = a.from_state
"""


async def claim_cycle(tx: Tx) -> UUID | None:
    """A cycle that is to be looked through now, locked until the end of the transaction; None when none is."""
    await tx.execute(_NEW_CYCLES)
    found: UUID | None = await tx.value(_CLAIM_CYCLE)
    return found


async def find_new(tx: Tx, cycle_id: UUID, occasions: Sequence[str], *, sms: bool, limit: int) -> list[UUID]:
    """Add the people of a cycle who are not told yet of what happened to their payments; at most `limit` of each kind. What is new."""
    rows = await tx.rows(_FIND, cycle_id=cycle_id, occasions=list(occasions), sms=sms, limit=limit)
    return [row["telling_id"] for row in rows]


async def claim_sending(tx: Tx, limit: int) -> Sequence[RowMapping]:
    """Lock SMS that may go out now; :func:`store_texts` makes them ours."""
    return await tx.rows(_CLAIM_SENDING, limit=limit)


async def store_texts(tx: Tx, ids: Sequence[UUID], texts: Sequence[str], lease_seconds: int) -> int:
    """Keep the exact texts before anything is sent."""
    return await tx.execute(_STORE_TEXTS, ids=list(ids), texts=list(texts), lease_seconds=lease_seconds)


async def claim_asking(tx: Tx, pauses: Sequence[int], patience_hours: int, limit: int) -> Sequence[RowMapping]:
    """SMS whose fate is to be asked for; each is asked again after a growing pause."""
    return await tx.rows(_CLAIM_ASKING, pauses=list(pauses), patience_hours=patience_hours, limit=limit)


async def move(tx: Tx, moves: Sequence[tuple[UUID, str, str | None, int | None]]) -> int:
    """Make the allowed moves among (id, state, error, seconds until next); how many were made."""
    ids, states, errors, waits = (list(column) for column in zip(*moves, strict=True))
    return await tx.execute(_MOVE, ids=ids, states=states, errors=errors, waits=waits)


async def page(tx: Tx, actor: Actor, filters: dict[str, Any], *, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Tellings in the actor's units by id. Filters: columns of `telling`."""
    scope, params = actor.scope_sql("t.unit_path")
    chosen = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND t.{name} = :{name}" for name in chosen)
    return await tx.rows(
        f"SELECT t.* FROM telling t WHERE {scope}{where} AND (CAST(:after AS uuid) IS NULL OR t.telling_id > :after)"
        " ORDER BY t.telling_id LIMIT :limit",
        after=after, limit=limit, **params, **chosen,
    )  # fmt: skip


async def summary(tx: Tx, actor: Actor, cycle_id: UUID) -> Sequence[RowMapping]:
    """How many people of a cycle were told of what, by which way, how far; and how many of them where somebody else is paid."""
    scope, params = actor.scope_sql("t.unit_path")
    return await tx.rows(
        "SELECT t.unit_path, t.occasion, t.route, t.state, count(*) AS people, count(*) FILTER (WHERE t.other_payee) AS other_payee"
        f" FROM telling t WHERE t.cycle_id = :cycle_id AND {scope} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        cycle_id=cycle_id,
        **params,
    )


_MAKE_SHEET: Final = """
WITH taken AS (
    UPDATE telling SET state = 'PRINTED', sheet_id = :sheet_id
    WHERE state = 'TO_PRINT' AND cycle_id = :cycle_id AND (unit_path = :unit_path OR unit_path LIKE :unit_path || '/%')
    RETURNING telling_id
) SELECT count(*) FROM taken
"""


async def sheet_make(tx: Tx, values: dict[str, Any]) -> tuple[int, str]:
    """Make a printed list of everyone in a unit who waits for one; how many (none: nothing is made), and the list's digest."""
    number = await tx.value(
        "SELECT coalesce(max(number), 0) + 1 FROM telling_sheet WHERE cycle_id = :cycle_id AND unit_path = :unit_path",
        cycle_id=values["cycle_id"], unit_path=values["unit_path"],
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO telling_sheet (sheet_id, cycle_id, unit_code, unit_path, number, rows, digest, made_by, business_date)"
        " VALUES (:sheet_id, :cycle_id, :unit_code, :unit_path, :number, 0, '', :made_by, :business_date)",
        number=number, **values,
    )  # fmt: skip
    chosen = {name: values[name] for name in ("sheet_id", "cycle_id", "unit_path")}
    rows = int(await tx.value(_MAKE_SHEET, **chosen))
    if not rows:
        await tx.execute("DELETE FROM telling_sheet WHERE sheet_id = :sheet_id", sheet_id=values["sheet_id"])
        return 0, ""
    digest = await sheet_digest(tx, values["sheet_id"])
    await tx.execute(
        "UPDATE telling_sheet SET rows = :rows, digest = :digest WHERE sheet_id = :sheet_id",
        rows=rows, digest=digest, sheet_id=values["sheet_id"],
    )  # fmt: skip
    return rows, digest


async def sheet_digest(tx: Tx, sheet_id: UUID) -> str:
    """SHA-256 over who is told of what on a list: printed on it, so that the signed copy can be held against the record."""
    return str(
        await tx.value(
            "SELECT encode(sha256(convert_to(string_agg(concat_ws('|', telling_id, beneficiary_id, occasion, month, amount, payee_name),"
            " chr(10) ORDER BY telling_id), 'UTF8')), 'hex') FROM telling WHERE sheet_id = :sheet_id",
            sheet_id=sheet_id,
        )
    )


_REPLACED: Final = """(
    SELECT coalesce(jsonb_agg(jsonb_build_object('version', r.version, 'handed_over_on', r.handed_over_on, 'handed_over_by',
               r.handed_over_by, 'proof_name', r.proof_name, 'reason', r.reason, 'replaced_by', r.replaced_by, 'replaced_at', r.replaced_at)
               ORDER BY r.version), '[]')
    FROM telling_proof_replaced r WHERE r.sheet_id = s.sheet_id) AS replaced"""


async def sheet_by_id(tx: Tx, actor: Actor, sheet_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One printed list in the actor's units, with its cycle's month."""
    scope, params = actor.scope_sql("s.unit_path")
    return await tx.row(
        f"SELECT s.*, {_REPLACED}, c.month, c.programme, (SELECT u.name FROM administrative_unit u WHERE u.path = s.unit_path"
        " ORDER BY u.valid_from DESC LIMIT 1) AS unit_name FROM telling_sheet s JOIN payment_cycle c USING (cycle_id)"
        f" WHERE s.sheet_id = :sheet_id AND {scope}{' FOR UPDATE OF s' if lock else ''}",
        sheet_id=sheet_id,
        **params,
    )


async def sheets_page(
    tx: Tx, actor: Actor, *, cycle_id: UUID | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Printed lists in the actor's units, oldest first."""
    scope, params = actor.scope_sql("s.unit_path")
    return await tx.rows(
        f"SELECT s.*, {_REPLACED} FROM telling_sheet s WHERE {scope} AND (CAST(:cycle_id AS uuid) IS NULL OR s.cycle_id = :cycle_id)"
        " AND (CAST(:state AS text) IS NULL OR s.state = :state) AND (CAST(:after AS uuid) IS NULL OR s.sheet_id > :after)"
        " ORDER BY s.sheet_id LIMIT :limit",
        cycle_id=cycle_id, state=state, after=after, limit=limit, **params,
    )  # fmt: skip


async def of_sheet(tx: Tx, sheet_id: UUID) -> Sequence[RowMapping]:
    """The people on a printed list, by unit and name; a commune's list has hundreds of rows."""
    return await tx.rows(
        'SELECT t.*, b.birth_date, row_number() OVER (ORDER BY t.unit_path COLLATE "C", b.name_folded, t.telling_id) AS number'
        " FROM telling t LEFT JOIN beneficiary b USING (beneficiary_id) WHERE t.sheet_id = :sheet_id ORDER BY number",
        sheet_id=sheet_id,
    )


async def sheet_hand_over(
    tx: Tx, sheet_id: UUID, *, on: date, by: str, name: str, content: bytes, sha256: bytes, not_met: Sequence[UUID]
) -> tuple[int, int]:
    """File the signed copy: everyone on the list was told, but those not met wait for the next list; (told, not met)."""
    await tx.execute(
        "UPDATE telling_sheet SET state = 'HANDED_OVER', handed_over_on = :on, handed_over_by = :by, proof = :content, proof_name = :name,"
        " proof_sha256 = :sha256, version = version + 1 WHERE sheet_id = :sheet_id AND state = 'PRINTED'",
        sheet_id=sheet_id, on=on, by=by, content=content, name=name, sha256=sha256,
    )  # fmt: skip
    back = await tx.execute(
        "UPDATE telling SET state = 'TO_PRINT', sheet_id = NULL, error = 'NOT_MET' WHERE sheet_id = :sheet_id AND state = 'PRINTED'"
        " AND telling_id = ANY(CAST(:not_met AS uuid[]))",
        sheet_id=sheet_id, not_met=list(not_met),
    )  # fmt: skip
    told = await tx.execute(
        "UPDATE telling SET state = 'HANDED_OVER', told_at = now() WHERE sheet_id = :sheet_id AND state = 'PRINTED'", sheet_id=sheet_id
    )
    return told, back


async def sheet_correct(
    tx: Tx, sheet_id: UUID, *, on: date, by: str, name: str, content: bytes, sha256: bytes, not_met: Sequence[UUID], reason: str
) -> tuple[int, int]:
    """Put another signed copy in the place of the filed one, which is kept; people not met after all wait for the next list.

    Returns (told, not met).
    """
    await tx.execute(
        "INSERT INTO telling_proof_replaced (sheet_id, version, handed_over_on, handed_over_by, proof, proof_name, proof_sha256, reason,"
        " replaced_by) SELECT sheet_id, version, handed_over_on, handed_over_by, proof, coalesce(proof_name, ''), proof_sha256, :reason,"
        " :by FROM telling_sheet WHERE sheet_id = :sheet_id",
        sheet_id=sheet_id, reason=reason, by=by,
    )  # fmt: skip
    await tx.execute(
        "UPDATE telling_sheet SET handed_over_on = :on, handed_over_by = :by, proof = :content, proof_name = :name, proof_sha256 = :sha256,"
        " version = version + 1 WHERE sheet_id = :sheet_id",
        sheet_id=sheet_id, on=on, by=by, content=content, name=name, sha256=sha256,
    )  # fmt: skip
    back = await tx.execute(
        "UPDATE telling SET state = 'TO_PRINT', sheet_id = NULL, told_at = NULL, error = 'NOT_MET' WHERE sheet_id = :sheet_id"
        " AND state = 'HANDED_OVER' AND telling_id = ANY(CAST(:not_met AS uuid[]))",
        sheet_id=sheet_id, not_met=list(not_met),
    )  # fmt: skip
    told = int(await tx.value("SELECT count(*) FROM telling WHERE sheet_id = :sheet_id AND state = 'HANDED_OVER'", sheet_id=sheet_id))
    return told, back


async def sheet_copy(tx: Tx, sheet_id: UUID, version: int) -> RowMapping | None:
    """A copy that was replaced."""
    return await tx.row(
        "SELECT proof, proof_name FROM telling_proof_replaced WHERE sheet_id = :sheet_id AND version = :version",
        sheet_id=sheet_id,
        version=version,
    )
