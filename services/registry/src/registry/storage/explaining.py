"""What an explanation of a month needs besides the engine's word: sums by month, one-off sums, ages, names of categories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from common.db import Tx

__all__ = ["ages", "known_on", "names", "one_offs", "sums"]


async def known_on(tx: Tx, person_id: UUID) -> date | None:
    """On which business date the dues were computed, or None."""
    found: date | None = await tx.value("SELECT computed_on FROM dues_state WHERE person_id = :id", id=person_id)
    return found


async def names(tx: Tx) -> dict[str, tuple[str, str]]:
    """Code of a category → its name in Vietnamese and English. Health facts: never for lists."""
    rows = await tx.rows("SELECT code, name_vi, name_en FROM benefit_category")
    return {row["code"]: (row["name_vi"], row["name_en"]) for row in rows}


async def one_offs(tx: Tx, person_id: UUID, month: date) -> Sequence[Any]:
    """Sums due once in the month."""
    return await tx.rows(
        "SELECT kind, benefit_line, amount, basis FROM one_off_due WHERE person_id = :id AND month = :month AND cancelled_on IS NULL"
        " ORDER BY one_off_id",
        id=person_id,
        month=month,
    )


async def sums(tx: Tx, person_id: UUID, month: date) -> dict[date, tuple[int, bool]]:
    """The month and the first months of later changes → the sum of all lines and whether an amount is missing; equal neighbours once."""
    rows = await tx.rows(
        "WITH d AS (SELECT * FROM due_interval WHERE person_id = :id), b AS ("
        " SELECT CAST(:month AS date) AS m UNION SELECT from_month FROM d WHERE from_month > :month"
        " UNION SELECT until FROM d WHERE until > :month AND until < 'infinity')"
        " SELECT b.m, CAST(coalesce(sum(d.amount), 0) AS bigint) AS total, coalesce(bool_or(d.status = 'RATE_MISSING'), false) AS missing"
        " FROM b LEFT JOIN d ON d.from_month <= b.m AND d.until > b.m GROUP BY b.m ORDER BY b.m",
        id=person_id,
        month=month,
    )
    found: dict[date, tuple[int, bool]] = {}
    last = None
    for row in rows:
        state = (row["total"], row["missing"])
        if state != last:
            found[row["m"]] = state
        last = state
    return found


async def ages(tx: Tx, entitlements: Sequence[UUID], month: date) -> dict[UUID, tuple[int, bool]]:
    """Age in months, in a month, of the one whose birthday a decision follows, and whether that is a dependant; nothing when unknown."""
    rows = await tx.rows(
        "SELECT e.entitlement_id, c.concerns = 'DEPENDANT' AS dependant,"
        " month_no(:month) - birth_month_no(CASE WHEN c.concerns = 'PERSON' THEN p.birth_date"
        "   ELSE coalesce(d.birth_date, e.dependant_birth_date) END,"
        "   (SELECT CASE value WHEN 'FIRST' THEN 1 ELSE 12 END FROM policy_setting WHERE code = 'BIRTH_MONTH_UNKNOWN')) AS age"
        " FROM unnest(CAST(:ids AS uuid[])) AS x(entitlement_id) JOIN entitlement e USING (entitlement_id)"
        " JOIN benefit_category c ON c.code = e.category JOIN person p USING (person_id)"
        " LEFT JOIN person d ON d.person_id = e.dependant_id",
        ids=list(entitlements),
        month=month,
    )
    return {row["entitlement_id"]: (row["age"], row["dependant"]) for row in rows if row["age"] is not None}
