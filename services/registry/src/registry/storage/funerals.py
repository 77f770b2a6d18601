"""Funeral support: what each law would pay for a death, the request, and the sums due once it is approved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = [
    "answer", "cancel", "candidates", "find", "holdings", "insert", "lump_sum_rule", "of_deaths", "others_pay", "page", "pay", "redate",
]  # fmt: skip

_COLUMNS: Final = (
    "f.funeral_id, f.deceased_id, f.death_date, f.organiser_id, f.relative_id, f.programme, f.funeral_amount, f.lump_sum, f.basis,"
    " f.set_aside, f.number, f.decision_date, f.signer, f.authority, f.attachment_id, f.month, f.business_date, f.state, f.answer_reason,"
    " f.maker, f.made_at, f.checker, f.checked_at, d.full_name AS deceased_name, o.full_name AS organiser_name,"
    " o.masked_number AS organiser_number, r.full_name AS relative_name"
)
_FROM: Final = (
    "FROM funeral_support f JOIN person d ON d.person_id = f.deceased_id JOIN person o ON o.person_id = f.organiser_id"
    " LEFT JOIN person r ON r.person_id = f.relative_id"
)

# What was due for the month of death, without what is paid for caring for others (Decree 20/2021 Art. 20; Decree 131/2021 Art. 121)
# and without yearly and one-off sums. Lines of explicit arrears end in R.
_HOLDINGS: Final = """
SELECT d.programme, sum(d.amount) FILTER (WHERE d.funding_source = 'CENTRAL_BUDGET') AS central, sum(d.amount) AS amount,
       bool_or(d.status = 'RATE_MISSING') AS missing
FROM due_interval d
WHERE d.person_id = :id AND d.from_month <= :month AND d.until > :month
  AND EXISTS (SELECT FROM benefit_category c WHERE c.programme = d.programme AND c.benefit_line = rtrim(d.benefit_line, 'R')
              AND c.frequency = 'MONTHLY' AND c.stack_group NOT IN ('MERIT_CARER', 'SA_CARE', 'SA_CARE_PREGNANCY'))
GROUP BY d.programme
"""

_STANDARD: Final = """
    SELECT s.amount_vnd, s.legal_basis FROM benefit_standard s
    WHERE s.standard = o.standard AND law_counts(s.change_id, NULL) AND s.applies_from <= :died
      AND (s.applies_to IS NULL OR s.applies_to >= :died) AND s.known_from <= :as_of
    ORDER BY s.applies_from DESC, s.known_from DESC LIMIT 1"""

_RULES: Final = f"""
SELECT DISTINCT ON (o.code) o.code, o.kind, o.programme, o.funding_source, o.benefit_line, o.multiple, o.standard, o.legal_basis,
       o.name_vi, o.name_en, coalesce(o.amount_vnd, s.amount_vnd * o.multiple) AS amount,
       o.legal_basis || coalesce('; ' || s.legal_basis, '') AS basis
FROM one_off_rule o LEFT JOIN LATERAL ({_STANDARD}) s ON true
WHERE o.kind = :kind AND o.for_programmes && CAST(:programmes AS text[]) AND law_counts(o.change_id, NULL)
  AND o.applies_from <= :died AND (o.applies_to IS NULL OR o.applies_to >= :died) AND o.known_from <= :as_of
ORDER BY o.code, o.applies_from DESC, o.known_from DESC
"""


async def holdings(tx: Tx, person_id: UUID, death_date: date) -> Sequence[Any]:
    """Programmes in which something was due for the month of death, with the sums, and whether a rate is missing."""
    return await tx.rows(_HOLDINGS, id=person_id, month=death_date.replace(day=1))


async def others_pay(tx: Tx, person_id: UUID, death_date: date) -> Sequence[Any]:
    """Kinds of monthly benefits others paid in the month of death (pension, survivor allowance …), as the Social Insurance told."""
    return await tx.rows(
        "SELECT DISTINCT source, kind FROM other_benefit WHERE person_id = :id AND from_month <= :month AND until > :month",
        id=person_id,
        month=death_date.replace(day=1),
    )


async def candidates(tx: Tx, programmes: Sequence[str], death_date: date, as_of: date) -> Sequence[Any]:
    """What each law of these programmes pays for a funeral at the date of death, as known on the business date."""
    return await tx.rows(_RULES, kind="FUNERAL", programmes=list(programmes), died=death_date, as_of=as_of)


async def lump_sum_rule(tx: Tx, programmes: Sequence[str], death_date: date, as_of: date) -> Any | None:
    """The rule of the lump sum on death, if one of the programmes has one: `multiple` months of what was due."""
    rows = await tx.rows(_RULES, kind="LUMP_SUM", programmes=list(programmes), died=death_date, as_of=as_of)
    return rows[0] if rows else None


async def insert(tx: Tx, values: dict[str, Any]) -> UUID | None:
    """Store a request; None when one for this death exists."""
    names = ", ".join(values)
    row = await tx.row(
        f"INSERT INTO funeral_support ({names}) VALUES ({', '.join(':' + name for name in values)})"
        " ON CONFLICT (deceased_id) WHERE state IN ('PROPOSED', 'APPROVED') DO NOTHING RETURNING funeral_id",
        **values,
    )
    return None if row is None else UUID(str(row["funeral_id"]))


async def find(tx: Tx, funeral_id: UUID, *, lock: bool = False) -> Any | None:
    """One request with the names it is about, or None."""
    return await tx.row(
        f"SELECT {_COLUMNS}, d.unit_path AS person_path, d.status AS deceased_status {_FROM} WHERE f.funeral_id = :id"
        + (" FOR UPDATE OF f" if lock else ""),
        id=funeral_id,
    )


async def page(tx: Tx, actor: Actor, *, after: UUID | None, limit: int, state: str | None) -> Sequence[Any]:
    """Requests for people of the actor's area, in the order made."""
    scope, params = actor.scope_sql("d.unit_path")
    return await tx.rows(
        f"SELECT {_COLUMNS} {_FROM} WHERE {scope} AND (CAST(:state AS text) IS NULL OR f.state = :state)"
        " AND (CAST(:after AS uuid) IS NULL OR f.funeral_id > :after) ORDER BY f.funeral_id LIMIT :limit",
        state=state, after=after, limit=limit, **params,
    )  # fmt: skip


async def answer(tx: Tx, funeral_id: UUID, state: str, by: str, why: str | None, month: date | None) -> None:
    """Write what became of a request."""
    await tx.execute(
        "UPDATE funeral_support SET state = :state, checker = :by, checked_at = now(), answer_reason = :why, month = :month"
        " WHERE funeral_id = :id",
        id=funeral_id, state=state, by=by, why=why, month=month,
    )  # fmt: skip


async def pay(tx: Tx, person_id: UUID, rule: Any, amount: int, month: date, funeral: Any, by: str) -> None:
    """Make a sum due once to a person, on the rule's programme, funding source and line."""
    await tx.execute(
        "INSERT INTO one_off_due (person_id, programme, funding_source, kind, benefit_line, month, amount, basis, decision_number,"
        " source_id, created_by) VALUES (:person, :programme, :source, :kind, :line, :month, :amount, :basis, :number, :funeral, :by)",
        person=person_id, programme=rule["programme"], source=rule["funding_source"], kind=rule["kind"], line=rule["benefit_line"],
        month=month, amount=amount, basis=rule["legal_basis"], number=funeral["number"], funeral=funeral["funeral_id"], by=by,
    )  # fmt: skip


async def of_deaths(tx: Tx, person_ids: Sequence[UUID]) -> Sequence[Any]:
    """Requests that stand for the deaths of these people, locked."""
    return await tx.rows(
        "SELECT f.* FROM funeral_support f WHERE f.deceased_id = ANY(CAST(:ids AS uuid[])) AND f.state IN ('PROPOSED', 'APPROVED')"
        " ORDER BY f.funeral_id FOR UPDATE",
        ids=list(person_ids),
    )


async def redate(tx: Tx, funeral_id: UUID, died: date) -> None:
    """The same sums are due for the corrected date."""
    await tx.execute("UPDATE funeral_support SET death_date = :died WHERE funeral_id = :id", id=funeral_id, died=died)


async def cancel(tx: Tx, funeral_id: UUID, business_date: date, why: str, by: str) -> list[UUID]:
    """Cancel a request and what it made due; whose sums were cancelled."""
    await tx.execute(
        "UPDATE funeral_support SET state = CASE state WHEN 'APPROVED' THEN 'CANCELLED' ELSE 'REJECTED' END, answer_reason = :why,"
        " checker = coalesce(checker, :by), checked_at = coalesce(checked_at, now()) WHERE funeral_id = :id",
        id=funeral_id,
        why=why,
        by=by,
    )
    rows = await tx.rows(
        "UPDATE one_off_due SET cancelled_on = :day WHERE source_id = :id AND cancelled_on IS NULL RETURNING person_id",
        id=funeral_id,
        day=business_date,
    )
    return [row["person_id"] for row in rows]
