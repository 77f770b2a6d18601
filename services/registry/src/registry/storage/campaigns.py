"""Campaigns (gifts of a resolution): a list taken on a day, given once to each person, per person or to the head of the household."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.audit import digest_sql
from common.db import Tx
from common.ids import stable_id

__all__ = [
    "create", "decide", "find", "give", "late", "late_answer", "listed", "member", "members_page", "members_stream", "next_listed",
    "next_people", "page", "progress", "rule", "take",
]  # fmt: skip

_VIEW: Final = (
    "c.campaign_id, c.rule_code, c.title_vi, c.title_en, c.legal_basis, c.snapshot_on, c.late_until, c.payee, c.amount_vnd,"
    " c.funding_source, c.benefit_line, c.month, c.for_programmes, c.unit_path, c.state, c.listed_at, c.version, c.business_date,"
    " c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason"
)


async def rule(tx: Tx, code: str, as_of: date) -> Any | None:
    """The rule of a gift as known on a date, or None."""
    return await tx.row(
        "SELECT o.code, o.amount_vnd, o.name_vi, o.name_en, o.legal_basis, o.applies_from, o.applies_to, o.for_programmes,"
        " o.funding_source, o.benefit_line FROM one_off_rule o"
        " WHERE o.code = :code AND o.kind = 'CAMPAIGN' AND law_counts(o.change_id, NULL) AND o.known_from <= :as_of"
        " ORDER BY o.applies_from DESC, o.known_from DESC LIMIT 1",
        code=code,
        as_of=as_of,
    )


async def create(tx: Tx, values: Mapping[str, Any]) -> UUID | None:
    """A new campaign (column names are ours); None when one of this resolution covers the unit already."""
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    found = await tx.value(
        f"INSERT INTO campaign ({names}) SELECT {marks} WHERE NOT EXISTS (SELECT FROM campaign c WHERE c.rule_code = :rule_code"
        " AND c.state NOT IN ('REJECTED', 'WITHDRAWN') AND (c.unit_path = :unit_path OR c.unit_path LIKE :unit_path || '/%'"
        " OR :unit_path LIKE c.unit_path || '/%')) RETURNING campaign_id",
        **values,
    )
    return None if found is None else UUID(str(found))


async def find(tx: Tx, campaign_id: UUID, *, lock: bool = False) -> Any | None:
    """One campaign, or None."""
    return await tx.row(f"SELECT {_VIEW} FROM campaign c WHERE c.campaign_id = :id" + (" FOR UPDATE" if lock else ""), id=campaign_id)


async def page(tx: Tx, after: UUID | None, limit: int) -> Sequence[Any]:
    """Campaigns, newest first."""
    return await tx.rows(
        f"SELECT {_VIEW} FROM campaign c WHERE (CAST(:after AS uuid) IS NULL OR c.campaign_id < :after) ORDER BY 1 DESC LIMIT :limit",
        after=after,
        limit=limit,
    )


async def next_people(tx: Tx, unit_path: str, after: UUID, limit: int) -> list[UUID]:
    """Everybody in the register below a unit, members of households too, in order of id; files merged into others are none."""
    rows = await tx.rows(
        "SELECT person_id FROM person WHERE person_id > :after AND merged_into IS NULL AND (unit_path = :path OR unit_path LIKE :below)"
        " ORDER BY person_id LIMIT :limit",
        after=after, path=unit_path, below=unit_path + "/%", limit=limit,
    )  # fmt: skip
    return [row["person_id"] for row in rows]


# `due`: a monthly sum of a named programme in the month of the day; without programmes every citizen. The household is that of the day.
_TAKE: Final = """
INSERT INTO campaign_person (campaign_id, person_id, rule_code, unit_code, unit_path, household_id, payee_id, state, left_out, added_by,
                             added_on)
SELECT c.campaign_id, p.person_id, c.rule_code, p.unit_code, p.unit_path, h.household_id, coalesce(h.head_id, p.person_id),
       CASE WHEN x.left_out IS NULL THEN 'LISTED' ELSE 'LEFT_OUT' END, x.left_out, c.created_by, c.snapshot_on
FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
JOIN campaign c ON c.campaign_id = :id
JOIN person p USING (person_id)
LEFT JOIN LATERAL (
    SELECT m.household_id, w.person_id AS head_id FROM household_member m JOIN household k USING (household_id)
    LEFT JOIN person w ON w.person_id = k.head_id AND w.merged_into IS NULL AND coalesce(w.death_date, 'infinity') >= c.snapshot_on
    WHERE c.payee = 'HOUSEHOLD_HEAD' AND m.person_id = p.person_id AND m.from_date <= c.snapshot_on
      AND coalesce(m.to_date, 'infinity') >= c.snapshot_on ORDER BY m.from_date DESC LIMIT 1
) h ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.death_date < c.snapshot_on THEN 'DECEASED'
                WHEN EXISTS (SELECT FROM campaign_person g WHERE g.rule_code = c.rule_code AND g.state = 'GIVEN'
                               AND (g.person_id = p.person_id
                                    OR g.person_id IN (SELECT q.person_id FROM person q WHERE q.merged_into = p.person_id)))
                THEN 'HAS_IT'
                WHEN EXISTS (SELECT FROM duplicate_candidate d WHERE d.b_id = p.person_id AND d.strong
                               AND d.state IN ('OPEN', 'CONFIRMED', 'UNDONE')) THEN 'OTHER_FILE' END AS left_out
) x
WHERE p.merged_into IS NULL AND (c.for_programmes IS NULL OR EXISTS (
    SELECT FROM due_interval d WHERE d.person_id = p.person_id AND d.programme = ANY(c.for_programmes)
       AND d.from_month <= date_trunc('month', c.snapshot_on) AND d.until > date_trunc('month', c.snapshot_on)))
ON CONFLICT (campaign_id, person_id) DO NOTHING
"""


async def take(tx: Tx, campaign_id: UUID, ids: Sequence[UUID]) -> int:
    """Put those of these people on the list whom the resolution names; who is left out stands on it with the reason."""
    return await tx.execute(_TAKE, id=campaign_id, ids=list(ids))


async def listed(tx: Tx, campaign_id: UUID) -> str:
    """The list is whole; the digest of whom it names."""
    await tx.execute(
        "UPDATE campaign SET state = 'LISTED', listed_at = now(), version = version + 1 WHERE campaign_id = :id AND state = 'LISTING'",
        id=campaign_id,
    )
    return str(await tx.value(f"SELECT {digest_sql('person_id')} FROM campaign_person WHERE campaign_id = :id", id=campaign_id))


async def decide(tx: Tx, campaign_id: UUID, state: str, by: str, why: str | None) -> None:
    """Set what the second person (or the maker, taking it back) decided; GIVEN keeps who decided."""
    await tx.execute(
        "UPDATE campaign SET state = :state, decided_by = CASE WHEN :state = 'GIVEN' THEN decided_by ELSE :by END,"
        " decided_at = CASE WHEN :state = 'GIVEN' THEN decided_at ELSE now() END, reason = coalesce(:why, reason), version = version + 1"
        " WHERE campaign_id = :id",
        id=campaign_id, state=state, by=by, why=why,
    )  # fmt: skip


async def next_listed(tx: Tx, campaign_id: UUID, limit: int) -> list[UUID]:
    """People on the list who have not got it yet."""
    rows = await tx.rows(
        "SELECT person_id FROM campaign_person WHERE campaign_id = :id AND state = 'LISTED' ORDER BY person_id LIMIT :limit",
        id=campaign_id,
        limit=limit,
    )
    return [row["person_id"] for row in rows]


# A source for each person and resolution: whoever collects, the same person's gift is noted once.
_GIVE: Final = """
WITH again AS (
    UPDATE campaign_person m SET state = 'LEFT_OUT', left_out = 'HAS_IT', approved_by = :by
    FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
    WHERE m.campaign_id = :id AND m.person_id = scope.person_id AND m.state <> 'GIVEN' AND EXISTS (
        SELECT FROM campaign_person g WHERE g.rule_code = m.rule_code AND g.person_id = m.person_id AND g.state = 'GIVEN')
    RETURNING m.person_id
), got AS (
    UPDATE campaign_person m SET state = 'GIVEN', approved_by = :by, given_at = now(), left_out = NULL
    FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
    WHERE m.campaign_id = :id AND m.person_id = scope.person_id AND m.state IN ('LISTED', 'PROPOSED')
      AND NOT EXISTS (SELECT FROM campaign_person g WHERE g.rule_code = m.rule_code AND g.person_id = m.person_id AND g.state = 'GIVEN')
    RETURNING m.person_id, m.payee_id, m.campaign_id
)
INSERT INTO one_off_due (person_id, programme, funding_source, kind, benefit_line, month, amount, basis, source_id, created_by)
SELECT g.payee_id, 'CAMPAIGN', c.funding_source, 'CAMPAIGN', c.benefit_line, c.month, c.amount_vnd, c.legal_basis, s.source, :by
FROM got g JOIN campaign c USING (campaign_id)
JOIN unnest(CAST(:ids AS uuid[]), CAST(:sources AS uuid[])) AS s(person_id, source) USING (person_id)
RETURNING person_id
"""


async def give(tx: Tx, campaign: Any, ids: Sequence[UUID], by: str) -> list[UUID]:
    """Note the gift for these people of the list; who collects it, once each. Whoever got it in another campaign is left out."""
    sources = [stable_id("campaign", campaign["rule_code"], str(one)) for one in ids]
    rows = await tx.rows(_GIVE, id=campaign["campaign_id"], ids=list(ids), sources=sources, by=by)
    return list(dict.fromkeys(row["person_id"] for row in rows))


async def member(tx: Tx, campaign_id: UUID, person_id: UUID, *, lock: bool = False) -> Any | None:
    """A person on the list, or None."""
    return await tx.row(
        "SELECT * FROM campaign_person WHERE campaign_id = :id AND person_id = :person" + (" FOR UPDATE" if lock else ""),
        id=campaign_id,
        person=person_id,
    )


async def late(tx: Tx, campaign: Any, person: Any, payee_id: UUID, by: str, on: date, why: str) -> None:
    """Propose somebody who was missed, or left out by mistake."""
    await tx.execute(
        "INSERT INTO campaign_person (campaign_id, person_id, rule_code, unit_code, unit_path, payee_id, state, late, added_by, added_on,"
        " reason) VALUES (:id, :person, :code, :unit, :path, :payee, 'PROPOSED', true, :by, :on, :why)"
        " ON CONFLICT (campaign_id, person_id) DO UPDATE SET state = 'PROPOSED', late = true, left_out = NULL, approved_by = NULL,"
        " payee_id = excluded.payee_id, added_by = excluded.added_by, added_on = excluded.added_on, reason = excluded.reason",
        id=campaign["campaign_id"], person=person["person_id"], code=campaign["rule_code"], unit=person["unit_code"],
        path=person["unit_path"], payee=payee_id, by=by, on=on, why=why,
    )  # fmt: skip


async def late_answer(tx: Tx, campaign_id: UUID, person_id: UUID, by: str) -> None:
    """Refuse a late addition."""
    await tx.execute(
        "UPDATE campaign_person SET state = 'LEFT_OUT', left_out = 'REFUSED', approved_by = :by"
        " WHERE campaign_id = :id AND person_id = :person",
        id=campaign_id, person=person_id, by=by,
    )  # fmt: skip


_MEMBERS: Final = (
    "SELECT m.person_id, p.file_code, p.full_name, m.unit_code, m.unit_path, m.payee_id, y.full_name AS payee_name, m.state, m.left_out,"
    " m.late, m.reason, m.added_by, m.approved_by FROM campaign_person m JOIN person p USING (person_id)"
    " JOIN person y ON y.person_id = m.payee_id WHERE m.campaign_id = :id AND (CAST(:state AS text) IS NULL OR m.state = :state)"
)


async def members_page(
    tx: Tx, actor: Actor, campaign_id: UUID, state: str | None, after: Sequence[str] | None, limit: int
) -> Sequence[Any]:
    """The list in the caller's area, by unit."""
    scope, params = actor.scope_sql("m.unit_path")
    return await tx.rows(
        f"{_MEMBERS} AND {scope}"
        " AND (CAST(:after_unit AS text) IS NULL OR (m.unit_path, m.person_id) > (:after_unit, CAST(:after AS uuid)))"
        " ORDER BY m.unit_path, m.person_id LIMIT :limit",
        id=campaign_id, state=state, after_unit=after[0] if after else None, after=after[1] if after else None, limit=limit, **params,
    )  # fmt: skip


async def members_stream(tx: Tx, actor: Actor, campaign_id: UUID, state: str | None) -> AsyncIterator[Any]:
    """The whole list in the caller's area: by unit, who collects, name."""
    scope, params = actor.scope_sql("m.unit_path")
    sql = f"{_MEMBERS} AND {scope} ORDER BY m.unit_path, y.full_name, m.payee_id, p.full_name, m.person_id"
    async for row in tx.stream(sql, id=campaign_id, state=state, **params):
        yield row


async def progress(tx: Tx, actor: Actor, campaign_id: UUID) -> Sequence[Any]:
    """By commune of the caller's area: people, those who collect, what is given."""
    scope, params = actor.scope_sql("m.unit_path")
    return await tx.rows(
        "SELECT m.unit_path, min(m.unit_code) AS unit_code, count(*) FILTER (WHERE m.state <> 'LEFT_OUT' AND NOT m.late) AS listed,"
        " count(*) FILTER (WHERE m.state = 'GIVEN') AS given, count(*) FILTER (WHERE m.state = 'LISTED') AS waiting,"
        " count(*) FILTER (WHERE m.late AND m.state = 'PROPOSED') AS late_proposed,"
        " count(*) FILTER (WHERE m.late AND m.state = 'GIVEN') AS late_given,"
        " count(DISTINCT m.payee_id) FILTER (WHERE m.state <> 'LEFT_OUT') AS payees, "
        " c.amount_vnd * count(*) FILTER (WHERE m.state = 'GIVEN') AS amount_given,"
        " count(*) FILTER (WHERE m.left_out = 'DECEASED') AS deceased,"
        " count(*) FILTER (WHERE m.left_out = 'HAS_IT') AS has_it, count(*) FILTER (WHERE m.left_out = 'OTHER_FILE') AS other_file,"
        " count(*) FILTER (WHERE m.left_out = 'REFUSED') AS refused"
        f" FROM campaign_person m JOIN campaign c USING (campaign_id) WHERE m.campaign_id = :id AND {scope}"
        " GROUP BY m.unit_path, c.amount_vnd ORDER BY m.unit_path",
        id=campaign_id, **params,
    )  # fmt: skip
