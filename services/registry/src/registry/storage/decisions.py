"""Decisions: what they aim at, proposals, and their effect on allowances, set-based."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = [
    "COLUMNS", "all_authorities", "already_held", "answer", "authorities", "births", "find", "in_area", "insert", "lock", "open_for",
    "page",
    "people_of", "policy", "targets",
]  # fmt: skip

COLUMNS: Final = (
    "d.decision_id, d.bulk_id, d.kind, d.person_id, d.entitlement_id, d.result_id, d.programme, d.category, d.percent, d.quantity,"
    " d.dependant_id,"
    " d.number, d.decision_date, d.signer, d.authority, d.authority_path, d.effective_month, d.arrears_from, d.back_pay, d.reason, d.note,"
    " d.arrears_reason,"
    " d.event_date, d.attachment_id, d.transfer_id, d.life_event_id, d.unit_path, d.business_date, d.state, d.answer_reason, d.maker,"
    " d.made_at, d.checker, d.checked_at"
)

# What a proposal aims at: an allowance (by its id) or, for a grant, a person and a category.
_TARGETS: Final = """
SELECT x.n, p.person_id, p.status AS person_status, p.merged_into, p.birth_date, p.unit_path, e.entitlement_id,
       coalesce(e.status, 'NONE') AS held,
       coalesce(c.programme, e.programme) AS programme, coalesce(x.category, e.category) AS category,
       coalesce(c.needs_percent, k.needs_percent) AS needs_percent, coalesce(x.percent, e.percent, 0) AS percent, c.code AS known_category,
       coalesce(c.per_quantity, k.per_quantity) AS per_quantity, e.quantity AS held_quantity,
       e.programme AS held_programme, a.authority, a.authority_path,
       least(e.from_month, e.arrears_from) AS began,
       (SELECT max(u.until) FROM entitlement_pause u WHERE u.entitlement_id = e.entitlement_id AND NOT u.back_pay
        AND u.until < 'infinity') AS paused_until,
       coalesce((SELECT max(u.from_month) FROM entitlement_pause u WHERE u.entitlement_id = e.entitlement_id AND u.until = 'infinity'),
                CASE WHEN e.status = 'ENDED' THEN e.until END) AS suspended_from,
       (SELECT d.reason FROM decision d WHERE d.entitlement_id = e.entitlement_id AND d.state = 'APPROVED' AND d.kind = 'SUSPEND'
        ORDER BY d.checked_at DESC LIMIT 1) AS suspended_for,
       EXISTS (SELECT FROM decision d WHERE d.entitlement_id = e.entitlement_id AND d.state = 'PROPOSED') AS proposed
FROM unnest(CAST(:entitlements AS uuid[]), CAST(:people AS uuid[]), CAST(:categories AS text[]), CAST(:percents AS int[]))
     WITH ORDINALITY AS x(entitlement_id, person_id, category, percent, n)
LEFT JOIN entitlement e ON e.entitlement_id = x.entitlement_id
LEFT JOIN benefit_category k ON k.code = e.category
LEFT JOIN benefit_category c ON c.code = x.category AND law_counts(c.change_id, NULL)
LEFT JOIN person p ON p.person_id = coalesce(e.person_id, x.person_id)
LEFT JOIN LATERAL deciding_authority_of(coalesce(c.programme, e.programme), CAST(:decided AS date), p.unit_path) a ON true
ORDER BY x.n
"""

_INSERT: Final = f"""
INSERT INTO decision AS d (bulk_id, kind, person_id, entitlement_id, programme, category, percent, quantity, dependant_id, number,
                           decision_date, signer, authority, authority_path, effective_month, arrears_from, arrears_reason, back_pay,
                           reason, note, event_date, attachment_id, transfer_id, life_event_id, unit_path, business_date, maker)
SELECT :bulk_id, x.kind, x.person_id, x.entitlement_id, x.programme, x.category, x.percent, x.quantity, x.dependant_id, :number,
       :decision_date, :signer, x.authority, x.authority_path, x.effective_month, x.arrears_from, x.arrears_reason, x.back_pay, x.reason,
       CAST(:note AS text), CAST(:event_date AS date), CAST(:attachment_id AS uuid), CAST(:transfer_id AS uuid), x.life_event_id,
       x.unit_path, :business_date, :maker
FROM unnest(CAST(:kinds AS text[]), CAST(:people AS uuid[]), CAST(:entitlements AS uuid[]), CAST(:programmes AS text[]),
            CAST(:categories AS text[]), CAST(:percents AS int[]), CAST(:authorities AS text[]), CAST(:authority_paths AS text[]),
            CAST(:months AS date[]), CAST(:arrears AS date[]), CAST(:whys AS text[]), CAST(:back_pays AS boolean[]),
            CAST(:reasons AS text[]), CAST(:life_events AS uuid[]), CAST(:unit_paths AS text[]), CAST(:dependants AS uuid[]),
            CAST(:quantities AS int[]))
     AS x(kind, person_id, entitlement_id, programme, category, percent, authority, authority_path, effective_month, arrears_from,
          arrears_reason, back_pay, reason, life_event_id, unit_path, dependant_id, quantity)
RETURNING {COLUMNS}
"""


async def policy(tx: Tx, codes: Sequence[str]) -> dict[str, str]:
    """Values of policy settings. A setting the code names and the table lacks is a defect, told at once."""
    rows = await tx.rows("SELECT code, value FROM policy_setting WHERE code = ANY(CAST(:codes AS text[]))", codes=list(codes))
    found = {row["code"]: str(row["value"]) for row in rows}
    if missing := set(codes) - set(found):
        raise RuntimeError(f"policy settings are missing: {sorted(missing)}")
    return found


async def targets(
    tx: Tx,
    entitlements: Sequence[UUID | None],
    people: Sequence[UUID | None],
    categories: Sequence[str | None],
    percents: Sequence[int | None],
    decided: date,
) -> Sequence[Any]:
    """What each item aims at, in the order given; nothing found leaves `person_id` empty."""
    return await tx.rows(
        _TARGETS, entitlements=list(entitlements), people=list(people), categories=list(categories), percents=list(percents),
        decided=decided,
    )  # fmt: skip


async def open_for(tx: Tx, person_ids: Sequence[UUID]) -> Sequence[Any]:
    """Allowances of people that are not ended, in a fixed order."""
    return await tx.rows(
        "SELECT e.person_id, e.entitlement_id, e.programme, e.status FROM unnest(CAST(:ids AS uuid[])) AS x(person_id)"
        " JOIN entitlement e USING (person_id) WHERE e.status <> 'ENDED' ORDER BY e.person_id, e.entitlement_id",
        ids=list(person_ids),
    )


async def authorities(tx: Tx, programme: str, decided: date, unit_path: str) -> Any | None:
    """Who decides on a programme on a date for a person of a unit, or None."""
    return await tx.row(
        "SELECT a.authority, a.authority_path FROM deciding_authority_of(:programme, :decided, :path) a",
        programme=programme, decided=decided, path=unit_path,
    )  # fmt: skip


async def all_authorities(tx: Tx) -> Sequence[Any]:
    """Who decides on which programme, from when to when."""
    return await tx.rows("SELECT * FROM deciding_authority ORDER BY programme, applies_from")


async def in_area(tx: Tx, actor: Actor, person_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the people who are in the register and in the actor's area."""
    scope, params = actor.scope_sql("unit_path")
    rows = await tx.rows(
        f"SELECT person_id FROM person WHERE person_id = ANY(CAST(:ids AS uuid[])) AND {scope}", ids=list(person_ids), **params
    )
    return {row["person_id"] for row in rows}


async def births(tx: Tx, person_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """Birth dates of people."""
    rows = await tx.rows("SELECT person_id, birth_date FROM person WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=list(person_ids))
    return {row["person_id"]: row["birth_date"] for row in rows}


async def insert(tx: Tx, header: dict[str, Any], items: Sequence[dict[str, Any]]) -> Sequence[Any]:
    """Store proposals made together; the rows."""
    columns = {
        "kinds": "kind", "people": "person_id", "entitlements": "entitlement_id", "programmes": "programme", "categories": "category",
        "percents": "percent", "authorities": "authority", "authority_paths": "authority_path", "months": "effective_month",
        "arrears": "arrears_from", "whys": "arrears_reason", "back_pays": "back_pay", "reasons": "reason", "life_events": "life_event_id",
        "unit_paths": "unit_path",
        "dependants": "dependant_id", "quantities": "quantity",
    }  # fmt: skip
    return await tx.rows(_INSERT, **header, **{name: [item.get(key) for item in items] for name, key in columns.items()})


async def lock(tx: Tx, decision_ids: Sequence[UUID], bulk_id: UUID | None = None) -> Sequence[Any]:
    """Proposals by id or of one bulk, locked for an answer."""
    which = "d.bulk_id = :which" if bulk_id is not None else "d.decision_id = ANY(CAST(:which AS uuid[]))"
    return await tx.rows(
        f"SELECT {COLUMNS}, coalesce(e.status, 'NONE') AS held, p.status AS person_status, p.unit_path AS person_path FROM decision d"
        f" JOIN person p USING (person_id) LEFT JOIN entitlement e USING (entitlement_id) WHERE {which} ORDER BY d.decision_id"
        " FOR UPDATE OF d",
        which=bulk_id if bulk_id is not None else list(decision_ids),
    )


async def answer(tx: Tx, decision_ids: Sequence[UUID], state: str, by: str, why: str | None) -> None:
    """Write what became of proposals. Withdrawing is the maker's own doing and names no checker."""
    await tx.execute(
        "UPDATE decision SET state = :state, answer_reason = :why, checked_at = now(),"
        " checker = CASE WHEN :state <> 'WITHDRAWN' THEN CAST(:by AS text) END WHERE decision_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(decision_ids),
        state=state,
        by=by,
        why=why,
    )


async def already_held(tx: Tx, decision_ids: Sequence[UUID]) -> Sequence[Any]:
    """Grants (or reopened allowances) for months in which the person holds that category already, or twice in this approval.

    An allowance that has ended holds the months before its end: granted once more they would be paid twice.
    """
    return await tx.rows(
        "SELECT d.decision_id FROM decision d LEFT JOIN entitlement t USING (entitlement_id)"
        " JOIN benefit_category c ON c.code = coalesce(d.category, t.category) AND NOT c.per_dependant"
        " CROSS JOIN LATERAL (SELECT CASE WHEN d.kind <> 'RESUME' THEN least(d.effective_month, d.arrears_from)"
        "   WHEN d.back_pay THEN t.until ELSE greatest(t.until, d.effective_month) END AS month) first"
        " WHERE d.decision_id = ANY(CAST(:ids AS uuid[])) AND (d.kind = 'GRANT' OR d.kind = 'RESUME' AND t.status = 'ENDED'"
        "   OR d.kind = 'ADJUST' AND d.category <> t.category)"
        " AND (EXISTS (SELECT FROM entitlement e WHERE e.person_id = d.person_id AND e.category = c.code AND e.until > first.month"
        "        AND e.until > least(e.from_month, e.arrears_from) AND e.entitlement_id IS DISTINCT FROM d.entitlement_id)"
        "   OR EXISTS (SELECT FROM decision o LEFT JOIN entitlement ot USING (entitlement_id)"
        "        WHERE o.decision_id = ANY(CAST(:ids AS uuid[])) AND o.decision_id < d.decision_id AND o.person_id = d.person_id"
        "        AND o.kind IN ('GRANT', 'ADJUST', 'RESUME') AND coalesce(o.category, ot.category) = c.code))"
        " ORDER BY d.decision_id",
        ids=list(decision_ids),
    )


async def people_of(tx: Tx, person_ids: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
    """Bring people up to date with what they hold: (became beneficiaries, programmes changed)."""
    rows = await tx.rows(
        "UPDATE person p SET is_beneficiary = true, programmes = s.programmes, version = p.version + 1, updated_at = now()"
        " FROM (SELECT b.person_id, b.is_beneficiary AS before, coalesce(array_agg(DISTINCT g.programme ORDER BY g.programme)"
        "        FILTER (WHERE g.programme IS NOT NULL), '{}') AS programmes FROM person b"
        "       LEFT JOIN LATERAL (SELECT e.programme FROM entitlement e WHERE e.person_id = b.person_id"
        "             UNION SELECT o.programme FROM one_off_due o WHERE o.person_id = b.person_id AND o.cancelled_on IS NULL) g ON true"
        "       WHERE b.person_id = ANY(CAST(:ids AS uuid[])) GROUP BY b.person_id, b.is_beneficiary) s"
        " WHERE p.person_id = s.person_id AND (p.programmes <> s.programmes OR NOT p.is_beneficiary) RETURNING p.person_id, s.before",
        ids=list(person_ids),
    )
    return [row["person_id"] for row in rows if not row["before"]], [row["person_id"] for row in rows if row["before"]]


async def find(tx: Tx, decision_id: UUID) -> Any | None:
    """One decision, or None."""
    return await tx.row(
        f"SELECT {COLUMNS}, p.full_name, p.file_code, p.masked_number, p.unit_path AS person_path FROM decision d JOIN person p"
        " USING (person_id) WHERE d.decision_id = :id",
        id=decision_id,
    )


async def page(
    tx: Tx, actor: Actor, *, after: UUID | None, limit: int, state: str | None, kind: str | None, person_id: UUID | None,
    bulk_id: UUID | None, unit_path: str | None,
) -> Sequence[Any]:  # fmt: skip
    """Decisions about people in the actor's area, in the order made."""
    scope, params = actor.scope_sql("p.unit_path")
    conditions = [scope]
    wanted: list[tuple[str, str, Any]] = [
        ("d.decision_id > :after", "after", after), ("d.state = :state", "state", state), ("d.kind = :kind", "kind", kind),
        ("d.person_id = :person", "person", person_id), ("d.bulk_id = :bulk", "bulk", bulk_id),
        ("(p.unit_path = :unit OR p.unit_path LIKE :unit || '/%')", "unit", unit_path),
    ]  # fmt: skip
    for condition, name, value in wanted:
        if value is not None:
            conditions.append(condition)
            params[name] = value
    return await tx.rows(
        f"SELECT {COLUMNS}, p.full_name, p.file_code, p.masked_number FROM decision d JOIN person p USING (person_id)"
        f" WHERE {' AND '.join(conditions)} ORDER BY d.decision_id LIMIT :limit",
        limit=limit,
        **params,
    )
