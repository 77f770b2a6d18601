"""The inputs a list was made from, kept so that anyone can make it again later and get the same hash.

Kept are dues, what was paid and committed, evidence and the way of payment, month by month and person by person: no name, no account
number. Live copies move on; these do not.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.contracts.disbursement_v1 import HoldReason
from common.db import Tx
from disbursement.storage.gate import OUTCOME_SQL
from disbursement.storage.lists import CANONICAL_SQL, digest

__all__ = ["RULES_HASH", "freeze", "inputs_hash", "recompute"]

_UNKNOWN_PART: Final = 1_000_000
"""The part of those whose dues are not known here."""

# Columns of `facts` that decide, with their types; the others are words to be read.
_FACTS: Final = (
    "beneficiary_id uuid, unit_path text, route text, parked boolean, status text, duplicate boolean, fraud boolean, verdict text,"
    " evidence_old boolean, method text, payee_id uuid, payee_kind text, representative_problem text, heir_id uuid, heir_kind text,"
    " account_problem text, account_id uuid, account_version bigint, account_kind text, partner text, attempt integer,"
    " limit_payment bigint, limit_room bigint, disputed boolean"
)
_NAMES: Final = ", ".join(item.split()[0] for item in _FACTS.split(", "))
_WORDS: Final = (
    "unit_code", "file_code", "beneficiary_name", "method_reason", "representative_name", "heir_name", "provider_code",
    "account_number_token", "masked_number",
)  # fmt: skip

_FREEZE: Final = f"""
INSERT INTO list_input (list_id, part, people, body)
SELECT :list_id, part, count(*), CAST(json_agg(json_build_object('facts', facts, 'dues', dues) ORDER BY beneficiary_id) AS text)
FROM (
    SELECT f.beneficiary_id, (row_number() OVER (ORDER BY f.beneficiary_id) - 1) / 500 AS part,
           (SELECT row_to_json(x) FROM (SELECT {", ".join(f"f.{name}" for name in _NAMES.split(", "))}) x) AS facts, d.dues
    FROM facts f
    JOIN (
        SELECT beneficiary_id, json_agg(json_build_array(benefit_line, month, due, taken, amount, rate_missing, suspended)
                                        ORDER BY benefit_line COLLATE "C", month) AS dues
        FROM due_now GROUP BY beneficiary_id
    ) d USING (beneficiary_id)
) people GROUP BY part
"""
_FREEZE_UNKNOWN: Final = f"""
INSERT INTO list_input (list_id, part, people, body)
SELECT :list_id, {_UNKNOWN_PART}, count(*),
       CAST(json_agg(json_build_object('beneficiary_id', h.beneficiary_id, 'unit_path', h.unit_path) ORDER BY h.beneficiary_id) AS text)
FROM hold h WHERE h.list_id = :list_id AND h.stage = 'COMPUTE'
  AND NOT EXISTS (SELECT FROM facts f WHERE f.beneficiary_id = h.beneficiary_id)
HAVING count(*) > 0
"""
_HASH: Final = """
SELECT encode(sha256(convert_to(coalesce(string_agg(part || ':' || encode(sha256(convert_to(body, 'UTF8')), 'hex'), ',' ORDER BY part),
                                          ''), 'UTF8')), 'hex')
FROM list_input WHERE list_id = :list_id
"""

_THAW_FACTS: Final = f"""
CREATE TEMP TABLE facts ON COMMIT DROP AS
SELECT {", ".join(f"f.{name}" for name in _NAMES.split(", "))}, {", ".join(f"CAST(NULL AS text) AS {name}" for name in _WORDS)}
FROM list_input i
CROSS JOIN LATERAL json_array_elements(CAST(i.body AS json)) AS p (item)
CROSS JOIN LATERAL json_to_record(p.item -> 'facts') AS f ({_FACTS})
WHERE i.list_id = :list_id AND i.part < {_UNKNOWN_PART}
"""
_THAW_DUES: Final = f"""
CREATE TEMP TABLE due_now ON COMMIT DROP AS
SELECT CAST(p.item -> 'facts' ->> 'beneficiary_id' AS uuid) AS beneficiary_id, d.row ->> 0 AS benefit_line,
       CAST(d.row ->> 1 AS date) AS month, CAST(d.row ->> 2 AS bigint) AS due, CAST(d.row ->> 3 AS bigint) AS taken,
       CAST(d.row ->> 4 AS bigint) AS amount, CAST(d.row ->> 5 AS boolean) AS rate_missing, CAST(d.row ->> 6 AS boolean) AS suspended
FROM list_input i
CROSS JOIN LATERAL json_array_elements(CAST(i.body AS json)) AS p (item)
CROSS JOIN LATERAL json_array_elements(p.item -> 'dues') AS d (row)
WHERE i.list_id = :list_id AND i.part < {_UNKNOWN_PART}
"""

_ENTRIES: Final = f"""
        SELECT o.beneficiary_id, concat_ws('|', 'L', o.beneficiary_id, o.payee_id, o.payee_kind, o.channel,
                   CASE WHEN NOT o.by_account THEN CAST(:cash_partner AS text)
                        WHEN o.route = 'TREASURY_DIRECT' THEN CAST(:treasury_partner AS text) ELSE o.partner END,
                   coalesce(CASE WHEN o.by_account THEN CAST(o.account_id AS text) END, '-'),
                   coalesce(CASE WHEN o.by_account THEN CAST(o.account_version AS text) END, '-'), o.unit_path, o.amount, a.allocations,
                   CASE WHEN o.attempt > 1 THEN 'attempt ' || o.attempt END) AS text
        FROM outcome o
        JOIN (SELECT beneficiary_id, string_agg(benefit_line || '=' || to_char(month, 'YYYY-MM') || '=' || amount, ','
                                                ORDER BY benefit_line COLLATE "C", month) AS allocations
              FROM due_now WHERE NOT rate_missing GROUP BY beneficiary_id) a USING (beneficiary_id)
        WHERE o.hold_reason IS NULL
        UNION ALL
        SELECT beneficiary_id, concat_ws('|', 'H', beneficiary_id, hold_reason, amount, unit_path)
        FROM outcome WHERE hold_reason IS NOT NULL
        UNION ALL
        SELECT u.beneficiary_id, concat_ws('|', 'H', u.beneficiary_id, '{HoldReason.DATA_PARKED}', 0, u.unit_path)
        FROM list_input i CROSS JOIN LATERAL json_to_recordset(CAST(i.body AS json)) AS u (beneficiary_id uuid, unit_path text)
        WHERE i.list_id = :list_id AND i.part = {_UNKNOWN_PART}
"""
_CANONICAL: Final = CANONICAL_SQL.format(entries=_ENTRIES)

RULES_HASH: Final = hashlib.sha256(f"{OUTCOME_SQL}{_ENTRIES}".encode()).hexdigest()
"""Changes whenever the rules do that make a list of its inputs."""


async def freeze(tx: Tx, list_id: UUID, **made_with: str | None) -> None:
    """Keep the inputs in the temporary tables of the list just computed. `made_with`: settings that decide with them."""
    await tx.execute(_FREEZE, list_id=list_id)
    await tx.execute(_FREEZE_UNKNOWN, list_id=list_id)
    await tx.execute(
        "UPDATE payment_list SET inputs_hash = :inputs_hash, rules_hash = :rules_hash, made_with = :made_with WHERE list_id = :list_id",
        list_id=list_id,
        inputs_hash=await inputs_hash(tx, list_id),
        rules_hash=RULES_HASH,
        made_with=made_with,
    )


async def inputs_hash(tx: Tx, list_id: UUID) -> str:
    """SHA-256 over the kept inputs."""
    return str(await tx.value(_HASH, list_id=list_id))


async def recompute(tx: Tx, cycle: RowMapping, head: RowMapping) -> dict[str, Any]:
    """Make the list again from its kept inputs: its hash, and months on which more was listed than due less what was taken."""
    await tx.execute(_THAW_FACTS, list_id=head["list_id"])
    await tx.execute(_THAW_DUES, list_id=head["list_id"])
    await tx.execute("ANALYZE facts")
    await tx.execute("ANALYZE due_now")
    await tx.execute(OUTCOME_SQL, in_cash=bool(cycle["selection"].get("in_cash")))
    await tx.execute("ANALYZE outcome")
    beyond = await tx.value("SELECT count(*) FROM due_now WHERE NOT rate_missing AND amount > due - taken")
    found = await digest(tx, cycle, head, _CANONICAL, list_id=head["list_id"], **head["made_with"])
    return {"recomputed_hash": found, "beyond_due": int(beyond)}
