"""Finding, keeping and listing pairs of files that may be one person. Nobody is compared with everybody: pairs share an index entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common.actor import Actor
from common.db import Tx
from registry.domain.duplicates import STRONG_FROM, Judgement

__all__ = [
    "changed_since",
    "count_refused_rows",
    "find",
    "held",
    "hold_from",
    "latest_business_date",
    "lists_being_applied",
    "page",
    "pairs_of",
    "position",
    "raise_versions",
    "refused_row_pairs",
    "refused_rows_unseen",
    "save_pairs",
    "save_rows",
    "set_scan_state",
    "unscanned",
]

# Who shares name block and birth date (at the precision either has), household, or old card with the people asked about.
_PAIRS: Final = """
WITH subject AS MATERIALIZED (
    SELECT p.person_id, duplicate_block(p.name_folded) AS block, p.birth_date, p.unit_code, p.second_blind
    FROM unnest(CAST(:ids AS uuid[])) AS x(person_id) JOIN person p USING (person_id)
    WHERE p.is_beneficiary AND p.merged_into IS NULL
), met AS (
    SELECT s.person_id AS one, o.person_id AS two FROM subject s
    JOIN person o ON o.is_beneficiary AND duplicate_block(o.name_folded) = s.block
     AND (o.birth_date COLLATE "C") = ANY(ARRAY[s.birth_date, left(s.birth_date, 7), left(s.birth_date, 4)])
    UNION
    SELECT s.person_id, o.person_id FROM subject s
    JOIN person o ON o.is_beneficiary AND duplicate_block(o.name_folded) = s.block
     AND (o.birth_date COLLATE "C") > s.birth_date AND (o.birth_date COLLATE "C") < s.birth_date || '~'
    WHERE length(s.birth_date) < 10
    UNION
    SELECT s.person_id, o.person_id FROM subject s
    JOIN person o ON o.is_beneficiary AND duplicate_block(o.name_folded) = s.block AND (o.birth_date COLLATE "C") IS NULL
    WHERE s.birth_date IS NULL AND o.unit_code = s.unit_code
    UNION
    SELECT s.person_id, m.person_id FROM subject s
    JOIN household_member mine ON mine.person_id = s.person_id AND mine.to_date IS NULL
    JOIN household_member m ON m.household_id = mine.household_id AND m.to_date IS NULL
    UNION
    SELECT s.person_id, o.person_id FROM subject s JOIN person o ON o.second_blind = s.second_blind
), pair AS MATERIALIZED (
    SELECT DISTINCT CASE WHEN (x.created_at, x.person_id) < (y.created_at, y.person_id) THEN m.one ELSE m.two END AS a_id,
           CASE WHEN (x.created_at, x.person_id) < (y.created_at, y.person_id) THEN m.two ELSE m.one END AS b_id
    FROM met m JOIN person x ON x.person_id = m.one JOIN person y ON y.person_id = m.two
    WHERE m.one <> m.two AND y.is_beneficiary AND y.merged_into IS NULL
      AND (x.birth_date = y.birth_date AND length(y.birth_date) = 10 OR x.number_blind IS NULL OR y.number_blind IS NULL
           OR x.second_blind = y.second_blind OR x.unit_code = y.unit_code)
)
SELECT a.person_id AS a_id, b.person_id AS b_id, a.full_name AS a_name, b.full_name AS b_name, a.birth_date AS a_birth,
       b.birth_date AS b_birth, a.unit_code = b.unit_code AS same_commune,
       coalesce(a.second_blind = b.second_blind, false) AS same_old_number,
       EXISTS (SELECT FROM household_member ma JOIN household_member mb USING (household_id) WHERE ma.person_id = a.person_id
               AND mb.person_id = b.person_id AND ma.to_date IS NULL AND mb.to_date IS NULL) AS same_household,
       coalesce(a.unit_code = b.unit_code
                AND regexp_replace(lower(a.address), '\\W', '', 'g') = regexp_replace(lower(b.address), '\\W', '', 'g')
                AND regexp_replace(a.address, '\\W', '', 'g') <> '', false) AS same_address,
       EXISTS (SELECT FROM programme_exclusion x WHERE x.applies_from <= :as_of AND coalesce(x.applies_to, 'infinity'::date) >= :as_of
               AND (x.programme = ANY(a.programmes) AND x.other = ANY(b.programmes)
                    OR x.programme = ANY(b.programmes) AND x.other = ANY(a.programmes))) AS excluding_programmes,
       EXISTS (SELECT FROM entitlement ea JOIN benefit_category ca ON ca.code = ea.category
               JOIN entitlement eb ON eb.person_id = b.person_id AND eb.from_month < ea.until AND eb.until > ea.from_month
               JOIN benefit_category cb ON cb.code = eb.category
               WHERE ea.person_id = a.person_id
                 AND (ca.code = cb.code OR ca.stack_group = cb.stack_group AND ca.stack_rule = 'HIGHEST')) AS same_allowance,
       a.number_blind IS NOT NULL AND b.number_blind IS NOT NULL AS two_numbers,
       a.sex <> b.sex AND a.sex <> 'UNKNOWN' AND b.sex <> 'UNKNOWN' AS other_sex
FROM pair JOIN person a ON a.person_id = pair.a_id JOIN person b ON b.person_id = pair.b_id
"""


async def pairs_of(tx: Tx, ids: Sequence[UUID], as_of: date) -> Sequence[Any]:
    """Pairs worth judging in which these people take part, with what is known of both; the earlier file is `a`."""
    await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")  # a generic plan expects ten people, not five thousand
    return await tx.rows(_PAIRS, ids=list(ids), as_of=as_of)


async def save_pairs(tx: Tx, ids: Sequence[UUID], pairs: Sequence[tuple[UUID, UUID, Judgement]], hold_from: int | None) -> tuple[int, int]:
    """Keep what was judged of these people's pairs: (new or changed, lapsed). What two people decided stays as decided."""
    rows = await tx.rows(
        "INSERT INTO duplicate_candidate AS t (a_id, b_id, score, strong, reasons)"
        " SELECT x.a, x.b, x.score, x.strong, CAST(x.reasons AS jsonb) FROM unnest(CAST(:a AS uuid[]), CAST(:b AS uuid[]),"
        "   CAST(:scores AS int[]), CAST(:strong AS boolean[]), CAST(:reasons AS text[])) AS x(a, b, score, strong, reasons)"
        " ON CONFLICT (a_id, b_id) DO UPDATE SET score = excluded.score, strong = excluded.strong, reasons = excluded.reasons,"
        "   state = CASE WHEN t.state = 'LAPSED' THEN 'OPEN' ELSE t.state END, version = t.version + 1, updated_at = now()"
        " WHERE t.state IN ('OPEN', 'CONFIRMED', 'UNDONE', 'LAPSED')"
        "   AND (t.state = 'LAPSED' OR (t.score, t.strong, t.reasons) IS DISTINCT FROM (excluded.score, excluded.strong, excluded.reasons))"
        " RETURNING candidate_id",
        a=[a for a, _, _ in pairs],
        b=[b for _, b, _ in pairs],
        scores=[judged.score for _, _, judged in pairs],
        strong=[judged.strong(hold_from) for _, _, judged in pairs],
        reasons=[orjson.dumps(judged.as_json()).decode() for _, _, judged in pairs],
    )
    lapsed = await tx.execute(
        "UPDATE duplicate_candidate t SET state = 'LAPSED', version = version + 1, updated_at = now()"
        " WHERE t.candidate_id IN (SELECT c.candidate_id FROM unnest(CAST(:ids AS uuid[])) AS s(person_id), LATERAL ("
        "     SELECT candidate_id FROM duplicate_candidate WHERE a_id = s.person_id AND b_id IS NOT NULL"
        "     UNION SELECT candidate_id FROM duplicate_candidate WHERE b_id = s.person_id) c)"
        "   AND t.state = 'OPEN' AND NOT EXISTS (SELECT FROM duplicate_decision d"
        "     WHERE d.candidate_id = t.candidate_id AND d.state = 'PROPOSED')"
        "   AND NOT EXISTS (SELECT FROM unnest(CAST(:a AS uuid[]), CAST(:b AS uuid[])) AS x(a, b) WHERE x.a = t.a_id AND x.b = t.b_id)",
        ids=list(ids),
        a=[a for a, _, _ in pairs],
        b=[b for _, b, _ in pairs],
    )
    return len(rows), lapsed


async def hold_from(tx: Tx) -> int | None:
    """From which score a file is held: the province's answer to that question; None for never."""
    value = await tx.value("SELECT value FROM policy_setting WHERE code = 'DUPLICATE_HOLD_FROM'")
    return None if value == "NEVER" else int(value) if value is not None else STRONG_FROM


async def refused_row_pairs(tx: Tx) -> Sequence[Any]:
    """Refused rows of lists that name the number of somebody registered under another dossier, not yet kept."""
    return await tx.rows(
        "SELECT r.import_id, r.row_number, p.person_id FROM import_row r JOIN person p ON p.number_blind = r.number_blind"
        " JOIN import_file f ON f.import_id = r.import_id AND NOT f.dry_run AND f.file_name <> 'api'"
        " WHERE r.verdict = 'REFUSED' AND r.number_blind IS NOT NULL AND p.is_beneficiary AND r.file_code IS DISTINCT FROM p.file_code"
        "   AND NOT EXISTS (SELECT FROM duplicate_candidate c WHERE c.import_id = r.import_id AND c.import_row = r.row_number)"
    )


async def save_rows(tx: Tx, rows: Iterable[Any], judged: Judgement) -> int:
    """Keep refused rows as candidates."""
    found = list(rows)
    return await tx.execute(
        "INSERT INTO duplicate_candidate (a_id, import_id, import_row, score, strong, reasons)"
        " SELECT x.person, x.import, x.row, :score, false, CAST(:reasons AS jsonb) FROM unnest(CAST(:people AS uuid[]),"
        "   CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS x(person, import, row) ON CONFLICT DO NOTHING",
        score=judged.score,
        reasons=orjson.dumps(judged.as_json()).decode(),
        people=[row["person_id"] for row in found],
        imports=[row["import_id"] for row in found],
        rows=[row["row_number"] for row in found],
    )


async def held(tx: Tx, ids: Iterable[UUID]) -> set[UUID]:
    """Of these people, and of those they make a pair with, who is held by a strong unresolved candidate."""
    rows = await tx.rows(
        "SELECT DISTINCT c.b_id FROM unnest(CAST(:ids AS uuid[])) AS s(person_id), LATERAL ("
        "   SELECT b_id, strong, state FROM duplicate_candidate WHERE a_id = s.person_id"
        "   UNION ALL SELECT b_id, strong, state FROM duplicate_candidate WHERE b_id = s.person_id) c"
        " WHERE c.strong AND c.state IN ('OPEN', 'CONFIRMED', 'UNDONE')",
        ids=list(ids),
    )
    return {row["b_id"] for row in rows}


_SIDE: Final = """
    json_build_object('beneficiary_id', {p}.person_id, 'file_code', {p}.file_code, 'full_name', {p}.full_name, 'birth_date', {p}.birth_date,
        'sex', {p}.sex, 'masked_number', {p}.masked_number, 'masked_second_number', {p}.masked_second_number, 'address', {p}.address,
        'unit_code', {p}.unit_code, 'unit_path', {p}.unit_path, 'programmes', {p}.programmes, 'status', {p}.status,
        'registered_on', CAST({p}.created_at AS date), 'merged_into', {p}.merged_into, 'benefit_lines', (SELECT coalesce(json_agg(DISTINCT
            e.benefit_line), '[]') FROM entitlement e WHERE e.person_id = {p}.person_id AND e.until = 'infinity'))"""
_SELECT: Final = f"""
SELECT c.candidate_id, c.score, c.strong, c.reasons, c.state, c.version, c.created_at, c.updated_at, {_SIDE.format(p="a")} AS a,
       CASE WHEN b.person_id IS NOT NULL THEN {_SIDE.format(p="b")}
            ELSE json_build_object('import_id', r.import_id, 'row_number', r.row_number, 'file_code', r.file_code, 'full_name', r.full_name,
                 'birth_date', r.birth_date, 'sex', r.sex, 'masked_number', r.masked_number, 'address', r.address,
                 'unit_code', r.unit_code, 'unit_path', f.unit_path, 'programmes', ARRAY[f.programme]) END AS b,
       a.unit_path AS a_path, coalesce(b.unit_path, f.unit_path) AS b_path,
       (SELECT to_jsonb(d) FROM duplicate_decision d WHERE d.candidate_id = c.candidate_id AND d.state = 'PROPOSED') AS proposal
FROM duplicate_candidate c
JOIN person a ON a.person_id = c.a_id
LEFT JOIN person b ON b.person_id = c.b_id
LEFT JOIN import_row r ON r.import_id = c.import_id AND r.row_number = c.import_row
LEFT JOIN import_file f ON f.import_id = c.import_id
"""


async def find(tx: Tx, candidate_id: UUID, *, lock: bool = False) -> Any | None:
    """One candidate with both sides, numbers masked; with `lock` for a decision."""
    if lock:
        await tx.execute("SELECT FROM duplicate_candidate WHERE candidate_id = :id FOR UPDATE", id=candidate_id)
    return await tx.row(f"{_SELECT} WHERE c.candidate_id = :id", id=candidate_id)


async def page(
    tx: Tx, actor: Actor, *, after: UUID | None, limit: int, state: str | None, strong: bool | None, person_id: UUID | None
) -> Sequence[Any]:
    """The work list: candidates of which one side lies in the actor's area."""
    first, params = actor.scope_sql("a.unit_path")
    second, _ = actor.scope_sql("coalesce(b.unit_path, f.unit_path)")
    conditions = [f"({first} OR {second})"]
    params |= {"limit": limit}
    wanted: list[tuple[str, str, Any]] = [
        ("c.candidate_id > :after", "after", after),
        ("c.state = :state", "state", state),
        ("c.strong = :strong", "strong", strong),
        (":person IN (c.a_id, c.b_id)", "person", person_id),
    ]
    for condition, key, value in wanted:
        if value is not None:
            conditions.append(condition)
            params[key] = value
    return await tx.rows(f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY c.candidate_id LIMIT :limit", **params)


async def position(tx: Tx, *, lock: bool = False) -> int:
    """The last change compared; with `lock` for moving on."""
    return int(await tx.value("SELECT position FROM duplicate_scan" + (" FOR UPDATE" if lock else "")))


async def lists_being_applied(tx: Tx) -> bool:
    """Whether a list is on its way into the register."""
    return bool(await tx.value("SELECT EXISTS (SELECT FROM job WHERE kind = 'import-apply' AND state IN ('QUEUED', 'RUNNING'))"))


async def set_scan_state(tx: Tx, position: int, refused_rows: int) -> None:
    """Note how far the comparison has come."""
    await tx.execute("UPDATE duplicate_scan SET position = :position, refused_rows = :rows", position=position, rows=refused_rows)


_IDENTITY_EVENTS: Final = "('BeneficiaryRegistered', 'BeneficiaryUpdated', 'BeneficiaryMoved')"


async def changed_since(tx: Tx, position: int, limit: int) -> tuple[int, list[UUID]]:
    """The people of the next `limit` changes of identity after a position, and the position reached."""
    last = await tx.value("SELECT max(id) FROM person_change") or 0  # first: what is committed after this is for the next time
    rows = await tx.rows(
        f"SELECT id, person_id FROM person_change WHERE id > :position AND id <= :last AND type IN {_IDENTITY_EVENTS}"
        " ORDER BY id LIMIT :limit",
        position=position,
        last=last,
        limit=limit,
    )
    reached = rows[-1]["id"] if len(rows) == limit else last
    return max(position, reached), list(dict.fromkeys(row["person_id"] for row in rows))


async def unscanned(tx: Tx) -> int:
    """1 while changes of people wait to be compared, else 0."""
    return int(await tx.value("SELECT CAST(EXISTS (SELECT FROM person_change WHERE id > (SELECT position FROM duplicate_scan)) AS int)"))


async def count_refused_rows(tx: Tx) -> int:
    """Refused rows of lists that carry a number."""
    return int(await tx.value("SELECT count(*) FROM import_row WHERE verdict = 'REFUSED' AND number_blind IS NOT NULL"))


async def refused_rows_unseen(tx: Tx) -> bool:
    """Whether rows were refused since they were last looked at."""
    seen = await tx.value("SELECT refused_rows FROM duplicate_scan")
    return bool(await count_refused_rows(tx) != seen)


async def latest_business_date(tx: Tx) -> date:
    """The latest business date the register has been told: what a comparison without a date of its own works with."""
    found = await tx.value(
        "SELECT max(day) FROM (SELECT max(business_date) AS day FROM import_file UNION ALL SELECT max(computed_on) FROM dues_state) x"
    )
    return found if isinstance(found, date) else date.min


async def raise_versions(tx: Tx, ids: Sequence[UUID]) -> None:
    """Count the version of people up before their state is said again."""
    await tx.execute(
        "UPDATE person SET version = version + 1, updated_at = now() WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=list(ids)
    )
