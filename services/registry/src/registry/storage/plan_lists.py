"""The lists offices send on: who registered to be paid by account (plan 152), and who has no identity number (R12, R57)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["GROUPS", "Question", "no_id_page", "no_id_stream", "page", "stream"]

GROUPS: Final[dict[str, list[str]]] = {"MERIT": ["MERIT"], "ASSISTANCE": ["SOCIAL_ASSISTANCE", "SOCIAL_PENSION"]}


@dataclass(frozen=True, slots=True)
class Question:
    """Which list: group and receiver, as of a date, below a unit; `wanting` only those who registered for an account."""

    group: str
    receiver: str
    on: date
    unit_path: str | None = None
    wanting: bool = True


# Benefit lines are neutral codes; the category, which may tell of health, is not read. Answers to the survey and suspensions are those
# of the day: a list written again later reads as it read then.
_SELECT: Final = """
SELECT p.person_id, p.file_code, p.full_name, p.birth_date, p.sex, p.masked_number, p.national_number, p.address, p.unit_code, p.unit_path,
       held.programmes, held.benefit_lines, f.preference, r.representative_id, r.kind AS rep_kind, q.full_name AS rep_full_name,
       q.birth_date AS rep_birth_date, q.masked_number AS rep_masked_number, q.national_number AS rep_national_number,
       r.certificate_number AS rep_certificate, r.valid_from AS rep_from, r.valid_to AS rep_to
FROM person p
LEFT JOIN LATERAL (
    SELECT a.preference FROM (
        SELECT preference, recorded_on, version FROM preference WHERE person_id = p.person_id
        UNION ALL SELECT preference, recorded_on, version FROM preference_past WHERE person_id = p.person_id
    ) a WHERE a.recorded_on <= :on ORDER BY a.version DESC LIMIT 1
) f ON true
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT e.programme ORDER BY e.programme) AS programmes,
           array_agg(DISTINCT e.benefit_line ORDER BY e.benefit_line) AS benefit_lines
    FROM entitlement e WHERE e.person_id = p.person_id AND e.programme = ANY(CAST(:programmes AS text[]))
      AND e.from_month <= :on AND e.until > date_trunc('month', CAST(:on AS date))
      AND NOT EXISTS (SELECT FROM entitlement_pause u WHERE u.entitlement_id = e.entitlement_id AND NOT u.back_pay
                      AND u.from_month <= :on AND u.until > date_trunc('month', CAST(:on AS date)))
) held
LEFT JOIN LATERAL (
    SELECT r.* FROM representative r
    WHERE r.beneficiary_id = p.person_id AND r.valid_from <= :on AND coalesce(r.valid_to, 'infinity'::date) >= :on
      AND coalesce(r.revoked_on, 'infinity'::date) > :on
      AND (r.programmes = '{}' OR r.programmes && CAST(:programmes AS text[]))
    ORDER BY r.valid_from DESC, r.representative_id LIMIT 1
) r ON true
LEFT JOIN person q ON q.person_id = r.representative_id
WHERE p.is_beneficiary AND p.merged_into IS NULL AND held.programmes IS NOT NULL
  AND (p.status = 'ACTIVE' OR p.death_date > :on)
  AND (NOT CAST(:wanting AS boolean) OR f.preference = 'WANTS_ACCOUNT')
  AND (r.representative_id IS NULL) = (:receiver = 'SELF')
"""


def _conditions(actor: Actor, unit_path: str | None) -> tuple[str, dict[str, Any]]:
    scope, params = actor.scope_sql("p.unit_path")
    if unit_path is None:
        return scope, params
    return f"{scope} AND (p.unit_path = :unit OR p.unit_path LIKE :unit_below)", params | {
        "unit": unit_path,
        "unit_below": unit_path + "/%",
    }


def _params(question: Question) -> dict[str, Any]:
    return {"programmes": GROUPS[question.group], "on": question.on, "wanting": question.wanting, "receiver": question.receiver}


async def page(tx: Tx, actor: Actor, question: Question, after: UUID | None, limit: int) -> Sequence[Any]:
    """A page of one of the four lists, by id."""
    where, params = _conditions(actor, question.unit_path)
    return await tx.rows(
        f"{_SELECT} AND {where} AND (CAST(:after AS uuid) IS NULL OR p.person_id > :after) ORDER BY p.person_id LIMIT :limit",
        after=after,
        limit=limit,
        **params,
        **_params(question),
    )


# Offices expect lists by commune, then by given name.
_IN_ORDER: Final = " ORDER BY p.unit_path, regexp_replace(p.name_folded, '^.* ', ''), p.name_folded, p.person_id"


async def stream(tx: Tx, actor: Actor, question: Question) -> AsyncIterator[Any]:
    """The whole list, by commune and given name."""
    where, params = _conditions(actor, question.unit_path)
    async for row in tx.stream(f"{_SELECT} AND {where}{_IN_ORDER}", **params, **_params(question)):
        yield row


_NO_ID: Final = """
SELECT p.person_id, p.file_code, p.full_name, p.birth_date, p.sex, p.masked_second_number, p.masked_number, p.address, p.unit_code,
       p.unit_path, p.programmes, p.status, coalesce(p.no_number_reason, 'NOT_STATED') AS reason, s.institution
FROM person p
LEFT JOIN LATERAL (
    SELECT i.name AS institution FROM institution_stay t JOIN institution i USING (institution_id)
    WHERE t.person_id = p.person_id AND t.from_date <= :on AND coalesce(t.to_date, 'infinity'::date) >= :on LIMIT 1
) s ON true
WHERE p.is_beneficiary AND p.merged_into IS NULL AND p.status = 'ACTIVE'
  AND (p.number_blind IS NULL OR p.no_number_reason = 'NOT_IN_POPULATION_DB')
  AND (CAST(:reason AS text) IS NULL OR coalesce(p.no_number_reason, 'NOT_STATED') = :reason)
"""


async def no_id_page(
    tx: Tx, actor: Actor, on: date, unit_path: str | None, reason: str | None, after: UUID | None, limit: int
) -> Sequence[Any]:
    """People without an identity number, or whose number the population database does not know; by id."""
    where, params = _conditions(actor, unit_path)
    return await tx.rows(
        f"{_NO_ID} AND {where} AND (CAST(:after AS uuid) IS NULL OR p.person_id > :after) ORDER BY p.person_id LIMIT :limit",
        on=on,
        reason=reason,
        after=after,
        limit=limit,
        **params,
    )


async def no_id_stream(tx: Tx, actor: Actor, on: date, unit_path: str | None, reason: str | None) -> AsyncIterator[Any]:
    """All of them, by commune and given name."""
    where, params = _conditions(actor, unit_path)
    async for row in tx.stream(f"{_NO_ID} AND {where}{_IN_ORDER}", on=on, reason=reason, **params):
        yield row
