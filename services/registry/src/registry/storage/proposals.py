"""What applied rows of a registration ask for: allowances and somebody to collect, to be proposed to a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["asked_for", "elsewhere", "represent"]

_BATCH: Final = """
FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number) JOIN import_row r USING (import_id, row_number)
"""


async def asked_for(tx: Tx, imports: Sequence[UUID], rows: Sequence[int]) -> Sequence[Any]:
    """The allowances rows ask for; `held`: granted under the same decision; `open_decision`: the same proposal waits already."""
    return await tx.rows(
        "SELECT r.import_id, r.row_number, r.person_id, r.category, r.percent, c.needs_percent, r.quantity, c.per_quantity,"
        " r.decision_number, r.decision_date, r.from_month, r.arrears_from,"
        " EXISTS (SELECT FROM entitlement e WHERE e.person_id = r.person_id AND e.category = r.category"
        "   AND e.decision_number = r.decision_number AND e.ordinal = r.ordinal) AS held,"
        " (SELECT d.decision_id FROM decision d WHERE d.person_id = r.person_id AND d.category = r.category AND d.kind = 'GRANT'"
        "   AND d.state = 'PROPOSED' AND d.number = r.decision_number AND d.effective_month = r.from_month"
        "   AND d.decision_date = r.decision_date ORDER BY d.decision_id LIMIT 1) AS open_decision"
        f" {_BATCH} JOIN benefit_category c ON c.code = r.category ORDER BY r.import_id, r.row_number",
        imports=list(imports),
        rows=list(rows),
    )


async def elsewhere(tx: Tx, actor: Actor, imports: Sequence[UUID], rows: Sequence[int]) -> set[tuple[UUID, int]]:
    """Rows (import id, row number) about a file of the register outside the actor's area."""
    scope, params = actor.scope_sql("p.unit_path")
    found = await tx.rows(
        f"SELECT r.import_id, r.row_number {_BATCH} JOIN person p ON p.file_code = r.file_code WHERE NOT ({scope})",
        imports=list(imports), rows=list(rows), **params,
    )  # fmt: skip
    return {(row["import_id"], row["row_number"]) for row in found}


async def represent(tx: Tx, imports: Sequence[UUID], rows: Sequence[int], maker: str, business_date: date) -> Sequence[Any]:
    """Propose who the rows say collects; the proposals. Who collects already, or is proposed already, is not proposed again.

    An authorisation lasts the months of the setting at most, as everywhere.
    """
    return await tx.rows(
        "WITH x AS (SELECT DISTINCT ON (r.person_id, r.rep_person_id) r.*, coalesce(r.rep_from, r.decision_date) AS begins,"
        "   CAST(coalesce(r.rep_from, r.decision_date) + make_interval(months => (SELECT CAST(value AS integer) FROM policy_setting"
        "     WHERE code = 'REPRESENTATIVE_MAX_MONTHS')) AS date) AS longest"
        f" {_BATCH} WHERE r.rep_person_id IS NOT NULL AND r.rep_person_id <> r.person_id AND NOT EXISTS (SELECT FROM representative t"
        "   WHERE t.beneficiary_id = r.person_id AND t.representative_id = r.rep_person_id AND t.revoked_on IS NULL)"
        "   ORDER BY r.person_id, r.rep_person_id, r.import_id, r.row_number),"
        " made AS (INSERT INTO representative_proposal (action, beneficiary_id, representative_id, kind, basis, certificate_number,"
        "   valid_from, valid_to, business_date, maker)"
        " SELECT 'APPOINT', x.person_id, x.rep_person_id, x.rep_kind, 'STANDING', x.rep_certificate, x.begins,"
        "   CASE WHEN x.rep_kind = 'AUTHORISED' THEN least(x.rep_to, x.longest) ELSE x.rep_to END, :business_date, :maker FROM x"
        " ON CONFLICT DO NOTHING RETURNING proposal_id, beneficiary_id, representative_id)"
        " SELECT x.import_id, x.row_number, made.proposal_id FROM made JOIN x ON x.person_id = made.beneficiary_id"
        "   AND x.rep_person_id = made.representative_id",
        imports=list(imports), rows=list(rows), maker=maker, business_date=business_date,
    )  # fmt: skip
