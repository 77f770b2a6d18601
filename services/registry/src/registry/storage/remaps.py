"""Re-mapping people and records from old units to new ones on a date: counted per unit, then moved in batches, all in SQL.

A record's `unit_path` says where it is looked after today. When units change, every table that has one follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from common import audit
from common.db import Tx

__all__ = [
    "Follower", "finish", "followers", "left_at", "move", "move_followers", "move_records", "move_transfers", "next_people", "open_work",
    "plan", "planned", "representatives_again", "totals",
]  # fmt: skip

_COUNTED: Final = {"people": "person", "households": "household", "institutions": "institution", "lists": "import_file"}

# A unit that ended the day before: one successor (MOVE; KEPT where the path stays the same; CODE_REUSED where another unit bears the
# old path now, so that a path alone no longer tells who is meant), several (SPLIT), or none of its own (districts).
_PLAN: Final = """
WITH old AS MATERIALIZED (
    SELECT o.unit_id, o.path FROM administrative_unit o
    WHERE o.valid_to = :last AND (CAST(:scope AS text) = '*' OR o.path = :scope OR o.path LIKE :below)
), judged AS (
    SELECT o.unit_id, o.path, n.unit_id AS new_id, n.code AS new_code, n.path AS new_path,
           CASE WHEN n.path = o.path THEN 'KEPT'
                WHEN n.path IS NOT NULL AND EXISTS (SELECT 1 FROM administrative_unit u WHERE u.path = o.path AND u.valid_from <= :on
                     AND (u.valid_to IS NULL OR u.valid_to >= :on)) THEN 'CODE_REUSED'
                WHEN n.path IS NOT NULL THEN 'MOVE'
                WHEN EXISTS (SELECT 1 FROM unit_link l WHERE l.old_unit_id = o.unit_id) THEN 'SPLIT'
                ELSE 'NO_SUCCESSOR' END AS treatment
    FROM old o LEFT JOIN unit_link w ON w.old_unit_id = o.unit_id AND w.kind = 'WHOLE'
    LEFT JOIN administrative_unit n ON n.unit_id = w.new_unit_id
), people AS MATERIALIZED (
    SELECT unit_path, count(*) AS n, count(*) FILTER (WHERE is_beneficiary) AS beneficiaries FROM person GROUP BY unit_path
), households AS MATERIALIZED (SELECT unit_path, count(*) AS n FROM household GROUP BY unit_path
), institutions AS MATERIALIZED (SELECT unit_path, count(*) AS n FROM institution GROUP BY unit_path
), lists AS MATERIALIZED (SELECT unit_path, count(*) AS n FROM import_file GROUP BY unit_path)
INSERT INTO unit_remap_unit (remap_id, old_unit_id, old_path, treatment, new_unit_id, new_code, new_path, people, beneficiaries, households,
                             institutions, lists)
SELECT :remap, j.unit_id, j.path, j.treatment, j.new_id, j.new_code, j.new_path, coalesce(p.n, 0), coalesce(p.beneficiaries, 0),
       coalesce(h.n, 0), coalesce(i.n, 0), coalesce(f.n, 0)
FROM judged j LEFT JOIN people p ON p.unit_path = j.path LEFT JOIN households h ON h.unit_path = j.path
LEFT JOIN institutions i ON i.unit_path = j.path LEFT JOIN lists f ON f.unit_path = j.path
"""


async def plan(tx: Tx, remap_id: UUID, scope: str, effective_on: date) -> int:
    """Judge every unit that ended the day before and count who and what is there; units judged. `scope` is a path or `*`."""
    return await tx.execute(_PLAN, remap=remap_id, scope=scope, below=f"{scope}/%", on=effective_on, last=effective_on - timedelta(days=1))


async def totals(tx: Tx, remap_id: UUID) -> Sequence[Any]:
    """The count per treatment."""
    return await tx.rows(
        "SELECT treatment, count(*) AS units, sum(people) AS people, sum(beneficiaries) AS beneficiaries, sum(households) AS households,"
        " sum(institutions) AS institutions, sum(lists) AS lists FROM unit_remap_unit WHERE remap_id = :id"
        " GROUP BY treatment ORDER BY treatment",
        id=remap_id,
    )


async def planned(tx: Tx, remap_id: UUID, treatment: str | None, after: str | None, limit: int) -> Sequence[Any]:
    """The old units of a re-mapping, by path."""
    return await tx.rows(
        "SELECT r.old_path, o.name AS old_name, r.treatment, r.new_path, n.name AS new_name, r.people, r.beneficiaries, r.households,"
        " r.institutions, r.lists FROM unit_remap_unit r JOIN administrative_unit o ON o.unit_id = r.old_unit_id"
        " LEFT JOIN administrative_unit n ON n.unit_id = r.new_unit_id WHERE r.remap_id = :id"
        " AND (CAST(:treatment AS text) IS NULL OR r.treatment = :treatment)"
        ' AND (CAST(:after AS text) IS NULL OR r.old_path COLLATE "C" > :after) ORDER BY r.old_path COLLATE "C" LIMIT :limit',
        id=remap_id,
        treatment=treatment,
        after=after,
        limit=limit,
    )


async def open_work(tx: Tx, remap_id: UUID, effective_on: date) -> list[UUID]:
    """Put the beneficiaries whose new unit does not follow from the old one on the work list; who was new there.

    People this date has moved already stand under a path that may be an old one too: they are not asked about.
    """
    rows = await tx.rows(
        "INSERT INTO unit_work_item (effective_on, person_id, remap_id, old_unit_id, old_path)"
        " SELECT :on, p.person_id, u.remap_id, u.old_unit_id, u.old_path FROM unit_remap_unit u"
        " JOIN person p ON p.unit_path = u.old_path"
        " WHERE u.remap_id = :remap AND u.treatment IN ('SPLIT', 'CODE_REUSED', 'NO_SUCCESSOR') AND p.is_beneficiary"
        " AND NOT EXISTS (SELECT 1 FROM unit_moved m WHERE m.person_id = p.person_id AND m.effective_on = :on)"
        " ON CONFLICT (effective_on, person_id) DO NOTHING RETURNING person_id",
        remap=remap_id,
        on=effective_on,
    )
    return [row["person_id"] for row in rows]


async def next_people(tx: Tx, remap_id: UUID, after: UUID, limit: int) -> tuple[list[UUID], list[UUID]]:
    """The next people, by id, at units that went wholly into one other, and their new units. Who was moved is not found again."""
    rows = await tx.rows(
        "SELECT p.person_id, u.new_unit_id FROM person p JOIN unit_remap_unit u ON u.old_path = p.unit_path"
        " WHERE u.remap_id = :remap AND u.treatment = 'MOVE' AND p.person_id > :after ORDER BY p.person_id LIMIT :limit",
        remap=remap_id,
        after=after,
        limit=limit,
    )
    return [row["person_id"] for row in rows], [row["new_unit_id"] for row in rows]


async def move(tx: Tx, remap_id: UUID, people: Sequence[UUID], units: Sequence[UUID], approved_by: str) -> list[UUID]:
    """Give people (pairwise) their new units and note it; the beneficiaries among those moved. The caller holds the people lock."""
    rows = await tx.rows(
        "WITH x AS (SELECT x.person_id, n.code, n.path"
        "           FROM unnest(CAST(:people AS uuid[]), CAST(:units AS uuid[])) AS x(person_id, unit_id)"
        "           JOIN administrative_unit n USING (unit_id)), was AS ("
        "    SELECT p.person_id, p.unit_path AS old_path, x.code, x.path FROM x JOIN person p USING (person_id)"
        "    WHERE p.unit_path <> x.path),"
        " done AS (UPDATE person p SET unit_code = w.code, unit_path = w.path, version = p.version + 1, updated_at = now()"
        "          FROM was w WHERE p.person_id = w.person_id RETURNING p.person_id, p.is_beneficiary, w.old_path, w.path),"
        " noted AS (INSERT INTO unit_moved (effective_on, person_id, remap_id, old_path, new_path, approved_by)"
        "           SELECT r.effective_on, d.person_id, r.remap_id, d.old_path, d.path, :by FROM done d, unit_remap r"
        "           WHERE r.remap_id = :remap ON CONFLICT (remap_id, person_id) DO NOTHING)"
        " SELECT person_id FROM done WHERE is_beneficiary",
        people=list(people), units=list(units), remap=remap_id, by=approved_by,
    )  # fmt: skip
    return [row["person_id"] for row in rows]


async def representatives_again(tx: Tx, people: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Raise the versions of the representatives of moved beneficiaries, whose events carry the beneficiary's unit; the pairs to publish."""
    rows = await tx.rows(
        "UPDATE representative SET version = version + 1 WHERE beneficiary_id = ANY(CAST(:ids AS uuid[])) AND revoked_on IS NULL"
        " RETURNING beneficiary_id, representative_id",
        ids=list(people),
    )
    return [(row["beneficiary_id"], row["representative_id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Follower:
    """A table whose rows follow their unit."""

    table: str
    has_code: bool
    has_version: bool
    has_person: bool

    def sets(self, alias: str) -> str:
        """The SET list of an update from `alias` (code, path)."""
        code = f"unit_code = {alias}.code, " if self.has_code else ""
        return f"{code}unit_path = {alias}.path" + (", version = t.version + 1" if self.has_version else "")


async def followers(tx: Tx) -> list[Follower]:
    """Every table of records that says which unit looks after them (our own bookkeeping of units, and staging, aside)."""
    rows = await tx.rows(
        "SELECT c.relname AS table_name, bool_or(a.attname = 'unit_code') AS has_code, bool_or(a.attname = 'version') AS has_version,"
        " bool_or(a.attname = 'person_id') AS has_person FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = CAST('public' AS regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " AND c.relname NOT IN ('person', 'administrative_unit', 'data_set')"  # a data set given out keeps the unit it was of
        " GROUP BY c.oid, c.relname HAVING bool_or(a.attname = 'unit_path' AND has_column_privilege(c.oid, a.attnum, 'UPDATE'))"
        " ORDER BY c.relname"
    )
    return [Follower(row["table_name"], row["has_code"], row["has_version"], row["has_person"]) for row in rows]


async def move_records(tx: Tx, remap_id: UUID, follower: Follower, limit: int) -> tuple[int, str]:
    """Move at most `limit` records of one table that lie at wholly mapped units; how many there were, and the digest of their keys."""
    row = await tx.row(
        f"WITH moved AS (UPDATE {follower.table} t SET {follower.sets('x')} FROM ("
        f"   SELECT f.ctid AS place, u.new_code AS code, u.new_path AS path FROM {follower.table} f"
        "    JOIN unit_remap_unit u ON u.old_path = f.unit_path AND u.remap_id = :remap AND u.treatment = 'MOVE'"
        "    LIMIT :limit FOR UPDATE OF f) x"
        f" WHERE t.ctid = x.place RETURNING {await audit.key_sql(tx, follower.table)} AS key)"
        f" SELECT count(*) AS rows, {audit.digest_sql('key')} AS digest FROM moved",
        remap=remap_id,
        limit=limit,
    )
    return (int(row["rows"]), str(row["digest"])) if row is not None else (0, "")


async def move_transfers(tx: Tx, remap_id: UUID) -> list[UUID]:
    """Let moves on their way between two units, sent and not answered, go on between the units that followed them; which."""
    new_end = (
        "(SELECT u.new_{what} FROM unit_remap_unit u WHERE u.remap_id = :remap AND u.treatment = 'MOVE' AND u.old_path = t.{end}_path)"
    )
    sets = [
        f"{end}_{column} = coalesce({new_end.format(what=what, end=end)}, {end}_{column})"
        for end in ("from", "to")
        for column, what in (("unit_code", "code"), ("path", "path"))
    ]
    rows = await tx.rows(
        f"UPDATE transfer t SET {', '.join(sets)}, version = version + 1 WHERE t.state = 'SENT' AND EXISTS (SELECT 1 FROM unit_remap_unit u"
        " WHERE u.remap_id = :remap AND u.treatment = 'MOVE' AND u.old_path IN (t.from_path, t.to_path)) RETURNING t.transfer_id",
        remap=remap_id,
    )
    return [row["transfer_id"] for row in rows]


async def move_followers(tx: Tx, people: Sequence[UUID], old_paths: Sequence[str], units: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
    """Who goes with people assigned one by one: their representatives and the members of their household who are no beneficiaries.

    Given pairwise with the paths the people came from and the units they went to; returned as people and new units, pairwise.
    """
    rows = await tx.rows(
        "WITH led AS (SELECT * FROM unnest(CAST(:people AS uuid[]), CAST(:paths AS text[]), CAST(:units AS uuid[]))"
        "             AS x(person_id, old_path, unit_id)),"
        " followers AS ("
        "   SELECT r.representative_id AS person_id, l.old_path, l.unit_id, 1 AS rank FROM led l JOIN representative r"
        "          ON r.beneficiary_id = l.person_id AND r.revoked_on IS NULL"
        "   UNION ALL SELECT o.person_id, l.old_path, l.unit_id, 2 FROM led l JOIN household_member m ON m.person_id = l.person_id"
        "          AND m.to_date IS NULL JOIN household_member o ON o.household_id = m.household_id AND o.to_date IS NULL)"
        " SELECT DISTINCT ON (f.person_id) f.person_id, f.unit_id FROM followers f JOIN person p USING (person_id)"
        " WHERE NOT p.is_beneficiary AND p.unit_path = f.old_path ORDER BY f.person_id, f.rank, f.unit_id",
        people=list(people),
        paths=list(old_paths),
        units=list(units),
    )
    return [row["person_id"] for row in rows], [row["unit_id"] for row in rows]


async def finish(tx: Tx, tables: Sequence[Follower], people: Sequence[UUID], old_paths: Sequence[str]) -> None:
    """Let the records about people assigned one by one follow them, and their households where the old unit was the same."""
    pairs: dict[str, Any] = {"people": list(people), "paths": list(old_paths)}
    led = (
        "(SELECT x.person_id, x.old_path, p.unit_code AS code, p.unit_path AS path FROM unnest(CAST(:people AS uuid[]),"
        " CAST(:paths AS text[])) AS x(person_id, old_path) JOIN person p USING (person_id))"
    )
    for follower in tables:
        if follower.has_person:
            await tx.execute(
                f"UPDATE {follower.table} t SET {follower.sets('x')} FROM {led} x"
                " WHERE t.person_id = x.person_id AND t.unit_path = x.old_path",
                **pairs,
            )
    await tx.execute(
        f"UPDATE transfer t SET from_unit_code = x.code, from_path = x.path, version = version + 1 FROM {led} x"
        " WHERE t.person_id = x.person_id AND t.state = 'SENT' AND t.from_path = x.old_path",
        **pairs,
    )
    household = next(follower for follower in tables if follower.table == "household")
    await tx.execute(
        f"UPDATE household t SET {household.sets('x')} FROM (SELECT DISTINCT ON (m.household_id) m.household_id, x.old_path, x.code, x.path"
        f"   FROM {led} x JOIN household_member m ON m.person_id = x.person_id AND m.to_date IS NULL"
        "    JOIN household h USING (household_id) ORDER BY m.household_id, (h.head_id = x.person_id) DESC NULLS LAST, x.person_id) x"
        " WHERE t.household_id = x.household_id AND t.unit_path = x.old_path",
        **pairs,
    )


async def left_at(tx: Tx, remap_id: UUID) -> int:
    """People still at units that went wholly into another: none once a re-mapping has run to its end."""
    return int(
        await tx.value(
            "SELECT count(*) FROM person p JOIN unit_remap_unit u ON u.old_path = p.unit_path"
            " WHERE u.remap_id = :remap AND u.treatment = 'MOVE'",
            remap=remap_id,
        )
    )
