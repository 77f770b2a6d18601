"""Putting two files of one person together, and putting them back: every row touched is kept as it was before.

What was paid under the other file stays there: its allowances end before the effective month and go on with the survivor,
so that no month is due twice. Allowances that doubled one of the survivor's are not due for the months both stood, and for no other months.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common.db import Tx
from registry.storage import merged_papers

__all__ = ["WATCHED", "Moved", "changed_since_merge", "merge", "record_merge", "snapshot", "standing_merge", "undo"]

_OF: Final = "t.person_id = ANY(CAST(:ids AS uuid[]))"
# table: which rows belong to the two people, and what a change of does not count when a merge is undone
_TABLES: Final[dict[str, str]] = {
    "person": _OF,
    "entitlement": f"({_OF} OR t.dependant_id = ANY(CAST(:ids AS uuid[])))",
    "entitlement_pause": f"t.entitlement_id IN (SELECT t.entitlement_id FROM entitlement t WHERE {_OF})",
    "representative": "(t.beneficiary_id = ANY(CAST(:ids AS uuid[])) OR t.representative_id = ANY(CAST(:ids AS uuid[])))",
    "preference": _OF,
    "household_member": _OF,
    "group_membership": _OF,
    "institution_stay": _OF,
    "other_benefit": _OF,
    "one_off_due": _OF,
    **merged_papers.TABLES,
}
WATCHED: Final = frozenset(_TABLES)
"""Kinds of facts that must be as the merge left them for it to be undone."""
_COUNTERS: Final = "- 'version' - 'updated_at' - 'set_key'"
_PLAIN: Final = ("survey_task_person", "household_member", "group_membership", "institution_stay", "other_benefit", "one_off_due")
"""Tables whose rows are put back as they were: nobody outside keeps a copy of them by version."""

Moved = dict[str, list[Any]]
"""What a merge or its undoing changed, for events: entitlements, representatives, preferences."""


async def snapshot(tx: Tx, ids: Sequence[UUID]) -> dict[str, Any]:
    """Every row of the two people in the tables a merge touches, and the households one of them heads."""
    kept: dict[str, Any] = {}
    for table, condition in _TABLES.items():
        kept[table] = await tx.value(f"SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM {table} t WHERE {condition}", ids=list(ids))
    kept["heads"] = await tx.value(
        "SELECT coalesce(jsonb_agg(jsonb_build_object('household_id', household_id, 'head_id', head_id)), '[]') FROM household"
        " WHERE head_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(ids),
    )
    return kept


async def _digests(tx: Tx, ids: Sequence[UUID]) -> dict[str, str]:
    return {
        table: await tx.value(
            f"SELECT md5(coalesce(string_agg(x.line, E'\\n' ORDER BY x.line), '')) FROM"
            f" (SELECT CAST(to_jsonb(t) {_COUNTERS} AS text) AS line FROM {table} t WHERE {condition}) x",
            ids=list(ids),
        )
        for table, condition in _TABLES.items()
    }


async def record_merge(tx: Tx, values: dict[str, Any], before: dict[str, Any]) -> UUID:
    """Keep what stood before a merge and a digest of what it left."""
    after = await _digests(tx, [values["survivor_id"], values["other_id"]])
    merge_id = await tx.value(
        "INSERT INTO person_merge (candidate_id, decision_id, survivor_id, other_id, effective_month, before, after)"
        " VALUES (:candidate_id, :decision_id, :survivor_id, :other_id, :effective_month, :before, :after) RETURNING merge_id",
        before=before,
        after=after,
        **values,
    )
    return UUID(str(merge_id))


async def standing_merge(tx: Tx, candidate_id: UUID) -> Any | None:
    """The merge of a candidate that stands, locked."""
    return await tx.row("SELECT * FROM person_merge WHERE candidate_id = :id AND undone_at IS NULL FOR UPDATE", id=candidate_id)


async def changed_since_merge(tx: Tx, merge: Any) -> list[str]:
    """Which facts of the two people changed after the merge: undoing would lose them."""
    now = await _digests(tx, [merge["survivor_id"], merge["other_id"]])
    return sorted(table for table, digest in merge["after"].items() if now[table] != digest)


# The other file's allowances: the months that stay with it (before `month`, those that doubled one of the survivor's taken out), and the
# months that go on with the survivor (from `month`, those in which the survivor holds the same category taken out). Months of explicit
# arrears count. `gone_on` is none where nothing goes on; `ordinal` tells it from a decision of that number that the survivor holds.
_SPLIT: Final = """
CREATE TEMP TABLE split ON COMMIT DROP AS
SELECT e.entitlement_id, x.begins, e.until AS stood_until, e.status, x.kept, x.gone_on,
       greatest(e.from_month, upper(x.kept)) AS keeps_until,
       CASE WHEN EXISTS (SELECT FROM entitlement t WHERE t.person_id = :survivor AND t.until > t.from_month
                         AND (t.category, t.decision_number, t.ordinal) = (e.category, e.decision_number, e.ordinal))
            THEN (SELECT max(t.ordinal) FROM entitlement t WHERE t.person_id IN (:survivor, :other) AND t.category = e.category
                  AND t.decision_number = e.decision_number)
                 + row_number() OVER (PARTITION BY e.category, e.decision_number ORDER BY e.ordinal)
            ELSE e.ordinal END AS ordinal
FROM entitlement e
JOIN benefit_category c ON c.code = e.category
CROSS JOIN LATERAL (
    SELECT coalesce(range_agg(daterange(least(s.from_month, s.arrears_from), s.until)), '{}') AS doubled,
           coalesce(range_agg(daterange(least(s.from_month, s.arrears_from), s.until)) FILTER (WHERE s.category = e.category), '{}') AS same
    FROM entitlement s JOIN benefit_category k ON k.code = s.category
    WHERE s.person_id = :survivor AND s.until > s.from_month
      AND (s.category = e.category AND (NOT e.per_dependant OR s.decision_number = e.decision_number AND s.ordinal = e.ordinal)
           OR k.stack_group = c.stack_group AND k.stack_rule = 'HIGHEST')
) d
CROSS JOIN LATERAL (
    SELECT b.begins, datemultirange(daterange(b.begins, least(e.until, greatest(CAST(:month AS date), b.begins)))) - d.doubled AS kept,
           datemultirange(daterange(least(e.until, greatest(CAST(:month AS date), b.begins)), e.until)) - d.same AS gone_on
    FROM (SELECT least(e.from_month, e.arrears_from) AS begins) b
) x
WHERE e.person_id = :other AND e.until > e.from_month
"""
# Every column goes over: from when it stands, too, since the steps of age count from there. Months of before are set aside (`_ASIDE`).
_GO_ON: Final = """
INSERT INTO entitlement AS t (person_id, until, status, ordinal, {columns})
SELECT :survivor, greatest(e.from_month, upper(x.gone_on)), CASE WHEN upper(x.gone_on) < x.stood_until THEN 'ENDED' ELSE x.status END,
       x.ordinal, {values}
FROM split x JOIN entitlement e USING (entitlement_id)
WHERE NOT isempty(x.gone_on)
ON CONFLICT (person_id, category, decision_number, ordinal) DO UPDATE SET from_month = excluded.from_month,
    arrears_from = excluded.arrears_from, until = excluded.until, status = excluded.status, version = t.version + 1
WHERE t.until <= t.from_month  -- left by a merge that was undone
RETURNING entitlement_id
"""
_NOT_COPIED: Final = ("entitlement_id", "person_id", "until", "status", "ordinal", "version", "created_at")
_PAUSES: Final = """
INSERT INTO entitlement_pause (entitlement_id, from_month, until, reason, back_pay, decision_id)
SELECT n.entitlement_id, p.from_month, p.until, p.reason, p.back_pay, p.decision_id
FROM split x JOIN entitlement e USING (entitlement_id)
JOIN entitlement n ON n.category = e.category AND n.decision_number = e.decision_number AND n.ordinal = x.ordinal
JOIN entitlement_pause p ON p.entitlement_id = e.entitlement_id
WHERE n.entitlement_id = ANY(CAST(:fresh AS uuid[]))
ON CONFLICT DO NOTHING
"""
# Months of an allowance that are not due under the file it stands in: due under the other one, or doubled.
_ASIDE: Final = """
INSERT INTO entitlement_pause (entitlement_id, from_month, until, reason)
SELECT y.entitlement_id, lower(a.span), upper(a.span), 'Hồ sơ đã gộp'
FROM split x JOIN entitlement e USING (entitlement_id)
CROSS JOIN LATERAL (
    SELECT x.entitlement_id, datemultirange(daterange(x.begins, least(x.keeps_until, x.stood_until))) - x.kept AS spans
    UNION ALL
    SELECT n.entitlement_id, datemultirange(daterange(x.begins, n.until)) - x.gone_on FROM entitlement n
    WHERE n.entitlement_id = ANY(CAST(:fresh AS uuid[])) AND n.category = e.category AND n.decision_number = e.decision_number
      AND n.ordinal = x.ordinal
) y
CROSS JOIN LATERAL unnest(y.spans) AS a(span)
ON CONFLICT (entitlement_id, from_month) WHERE NOT back_pay DO UPDATE SET until = greatest(entitlement_pause.until, excluded.until)
"""
_END: Final = """
UPDATE entitlement e SET until = x.keeps_until, status = 'ENDED', version = e.version + 1
FROM split x WHERE x.entitlement_id = e.entitlement_id AND x.keeps_until < e.until RETURNING e.entitlement_id
"""
# Who is paid for the merged person (a carer, a single parent) is paid for the survivor: not twice, where both were named.
_PAID_FOR_BOTH: Final = """
UPDATE entitlement e SET until = greatest(e.from_month, CAST(:month AS date)), status = 'ENDED', version = e.version + 1
WHERE e.dependant_id = :other AND e.person_id <> :survivor AND e.until > greatest(e.from_month, CAST(:month AS date))
  AND EXISTS (SELECT FROM entitlement s WHERE s.person_id = e.person_id AND s.dependant_id = :survivor AND s.category = e.category
              AND s.from_month <= greatest(e.from_month, CAST(:month AS date)) AND s.until >= e.until)
RETURNING e.entitlement_id
"""
_PAID_FOR: Final = (
    "UPDATE entitlement SET dependant_id = :survivor, version = version + 1 WHERE dependant_id = :other AND person_id <> :survivor"
    " RETURNING entitlement_id"
)
_FACTS: Final = (
    # Household: the survivor's own stands; without one the survivor takes the other's place, as head too.
    (
        "INSERT INTO household_member (household_id, person_id, relation, from_date) SELECT m.household_id, :survivor, m.relation, :day"
        " FROM household_member m WHERE m.person_id = :other AND m.to_date IS NULL"
        " AND NOT EXISTS (SELECT FROM household_member s WHERE s.person_id = :survivor AND s.to_date IS NULL) ON CONFLICT DO NOTHING"
    ),
    "UPDATE household SET head_id = :survivor, version = version + 1 WHERE head_id = :other",
    "DELETE FROM household_member WHERE person_id = :other AND to_date IS NULL AND from_date > :day",
    "UPDATE household_member SET to_date = :day WHERE person_id = :other AND to_date IS NULL",
    (
        # The survivor's own groups stand: of the other's, the days on which the survivor was in none of the set.
        "INSERT INTO group_membership (person_id, group_code, from_date, to_date, decision_number)"
        " SELECT :survivor, g.group_code, lower(d.days), upper(d.days) - 1, g.decision_number FROM group_membership g,"
        " LATERAL unnest(CAST(daterange(g.from_date, g.to_date, '[]') AS datemultirange) - coalesce((SELECT"
        "  range_agg(daterange(s.from_date, s.to_date, '[]')) FROM group_membership s WHERE s.person_id = :survivor"
        "  AND s.set_key = g.set_key), '{}')) AS d(days) WHERE g.person_id = :other"
    ),
    (
        "INSERT INTO institution_stay (institution_id, person_id, from_date, to_date) SELECT institution_id, :survivor, from_date, to_date"
        " FROM institution_stay WHERE person_id = :other ON CONFLICT DO NOTHING"
    ),
    (
        "INSERT INTO other_benefit (person_id, source, kind, from_month, until, monthly_amount, list_id, told_on) SELECT :survivor, source,"
        " kind, from_month, until, monthly_amount, list_id, told_on FROM other_benefit WHERE person_id = :other ON CONFLICT DO NOTHING"
    ),
    # One-off sums of months not yet paid: those the survivor has too are cancelled, the rest go over.
    (
        "UPDATE one_off_due o SET cancelled_on = :day WHERE o.person_id = :other AND o.cancelled_on IS NULL AND o.month >= :month"
        " AND EXISTS (SELECT FROM one_off_due s WHERE s.person_id = :survivor AND s.kind = o.kind AND s.benefit_line = o.benefit_line"
        " AND s.month = o.month AND s.cancelled_on IS NULL)"
    ),
    "UPDATE one_off_due o SET person_id = :survivor WHERE o.person_id = :other AND o.cancelled_on IS NULL AND o.month >= :month",
)
# Who collects for the other file, and for whom the other file collects: both become the survivor's.
_APPOINT: Final = """
INSERT INTO representative AS t (beneficiary_id, representative_id, {columns})
SELECT CASE WHEN r.beneficiary_id = :other THEN :survivor ELSE r.beneficiary_id END,
       CASE WHEN r.representative_id = :other THEN :survivor ELSE r.representative_id END, {values}
FROM representative r
WHERE :other IN (r.beneficiary_id, r.representative_id) AND :survivor NOT IN (r.beneficiary_id, r.representative_id)
  AND r.revoked_on IS NULL
ON CONFLICT (beneficiary_id, representative_id) DO UPDATE SET {sets}, revoked_on = NULL, version = t.version + 1
WHERE t.revoked_on IS NOT NULL
RETURNING beneficiary_id, representative_id
"""
_OF_THE_PAIR: Final = ("beneficiary_id", "representative_id", "revoked_on", "version")
_REVOKE: Final = """
UPDATE representative SET revoked_on = :day, version = version + 1
WHERE :other IN (beneficiary_id, representative_id) AND revoked_on IS NULL RETURNING beneficiary_id, representative_id
"""
_PREFER: Final = """
INSERT INTO preference AS t (person_id, preference, recorded_on, evidence, source, recorded_by)
SELECT :survivor, o.preference, o.recorded_on, o.evidence, o.source, o.recorded_by FROM preference o
WHERE o.person_id = :other AND o.preference <> 'UNKNOWN'
ON CONFLICT (person_id) DO UPDATE SET preference = excluded.preference, recorded_on = excluded.recorded_on, evidence = excluded.evidence,
    source = excluded.source, recorded_by = excluded.recorded_by, version = t.version + 1
WHERE t.preference = 'UNKNOWN'
RETURNING person_id
"""


async def merge(tx: Tx, survivor: UUID, other: UUID, month: date, day: date) -> Moved:
    """Move everything from the other file to the survivor from `month` on. Columns of the two people are the caller's."""
    both: dict[str, Any] = {"survivor": survivor, "other": other}
    await tx.execute(_SPLIT, month=month, **both)
    copied = await _columns(tx, "entitlement", _NOT_COPIED)
    go_on = _GO_ON.format(columns=", ".join(copied), values=", ".join(f"e.{name}" for name in copied))
    ended = [row["entitlement_id"] for row in await tx.rows(_END)]
    fresh = [row["entitlement_id"] for row in await tx.rows(go_on, survivor=survivor)]
    await tx.execute(_PAUSES, fresh=fresh)
    await tx.execute(_ASIDE, fresh=fresh)
    ended += [row["entitlement_id"] for row in await tx.rows(_PAID_FOR_BOTH, month=month, **both)]
    paid_for = [row["entitlement_id"] for row in await tx.rows(_PAID_FOR, **both)]
    for statement in _FACTS:
        wanted = {name: value for name, value in (both | {"month": month, "day": day}).items() if f":{name}" in statement}
        await tx.execute(statement, **wanted)
    await merged_papers.follow(tx, both, fresh, day)
    await tx.execute("DROP TABLE split")
    columns = await _columns(tx, "representative", _OF_THE_PAIR)
    appoint = _APPOINT.format(
        columns=", ".join(columns),
        values=", ".join(f"r.{name}" for name in columns),
        sets=", ".join(f"{c} = excluded.{c}" for c in columns),
    )
    pairs = [tuple(row.values()) for row in await tx.rows(appoint, **both)]
    pairs += [tuple(row.values()) for row in await tx.rows(_REVOKE, other=other, day=day)]
    preferences = [row["person_id"] for row in await tx.rows(_PREFER, **both)]
    await _programmes(tx, [survivor, other])
    told = [*fresh, *(entitlement_id for entitlement_id in paid_for if entitlement_id not in ended)]
    return {"ended": ended, "granted": told, "representatives": pairs, "preferences": preferences}


async def _programmes(tx: Tx, ids: Sequence[UUID]) -> None:
    """Programmes follow the entitlements that stand."""
    await tx.execute(
        "UPDATE person p SET programmes = coalesce((SELECT array_agg(DISTINCT e.programme ORDER BY e.programme) FROM entitlement e"
        " WHERE e.person_id = p.person_id AND e.until > e.from_month), '{}') WHERE p.person_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(ids),
    )


async def _columns(tx: Tx, table: str, without: Sequence[str]) -> list[str]:
    rows = await tx.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = :table"
        " AND is_generated = 'NEVER' AND column_name <> ALL(CAST(:without AS text[])) ORDER BY ordinal_position",
        table=table,
        without=list(without),
    )
    return [row["column_name"] for row in rows]


async def _put_back(tx: Tx, table: str, key: Sequence[str], rows: list[Any], *, counted: bool = True) -> None:
    """Set rows that still exist to what they were; the version goes on counting, or consumers would not believe it."""
    columns = await _columns(tx, table, [*key, "version", "created_at", "updated_at"])
    sets = ", ".join(f"{name} = o.{name}" for name in columns) + (", version = t.version + 1" if counted else "")
    await tx.execute(
        f"UPDATE {table} t SET {sets} FROM jsonb_populate_recordset(CAST(NULL AS {table}), CAST(:rows AS jsonb)) o WHERE "
        + " AND ".join(f"t.{name} = o.{name}" for name in key),
        rows=orjson.dumps(rows).decode(),
    )


async def undo(tx: Tx, merge: Any, day: date) -> Moved:
    """Put back what stood before a merge. Rows the merge added to versioned parts end; the rest is as it was."""
    ids, before = [merge["survivor_id"], merge["other_id"]], merge["before"]
    old = {table: [row[key] for row in before[table]] for table, key in (("entitlement", "entitlement_id"), ("preference", "person_id"))}
    await tx.execute("UPDATE person SET number_blind = NULL, national_number = NULL WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=ids)
    await _put_back(tx, "person", ["person_id"], before["person"])
    await tx.execute(
        f"DELETE FROM entitlement_pause t WHERE {_TABLES['entitlement_pause']}",
        ids=ids,
    )
    await _put_back(tx, "entitlement", ["entitlement_id"], before["entitlement"])
    added = await tx.rows(
        "UPDATE entitlement SET until = least(from_month, arrears_from), status = 'ENDED', version = version + 1"
        " WHERE person_id = ANY(CAST(:ids AS uuid[])) AND entitlement_id <> ALL(CAST(:old AS uuid[])) RETURNING entitlement_id",
        ids=ids,
        old=old["entitlement"],
    )
    await _insert(tx, "entitlement_pause", before["entitlement_pause"])
    for table, key in merged_papers.PUT_BACK.items():
        await _put_back(tx, table, [key], before[table], counted=table in merged_papers.COUNTED)
    for table in _PLAIN:
        await tx.execute(f"DELETE FROM {table} t WHERE {_TABLES[table]}", ids=ids)
        await _insert(tx, table, before[table])
    for head in before["heads"]:
        await tx.execute(
            "UPDATE household SET head_id = CAST(:head_id AS uuid), version = version + 1 WHERE household_id = CAST(:household_id AS uuid)"
            " AND head_id IS DISTINCT FROM CAST(:head_id AS uuid)",
            **head,
        )
    await _put_back(tx, "representative", ["beneficiary_id", "representative_id"], before["representative"])
    await tx.execute(
        "UPDATE representative t SET revoked_on = :day, version = version + 1 WHERE revoked_on IS NULL AND "
        + _TABLES["representative"]
        + " AND NOT EXISTS (SELECT FROM jsonb_to_recordset(CAST(:old AS jsonb)) AS o(beneficiary_id uuid, representative_id uuid)"
        "   WHERE o.beneficiary_id = t.beneficiary_id AND o.representative_id = t.representative_id)",
        day=day,
        ids=ids,
        old=orjson.dumps(before["representative"]).decode(),
    )
    await _put_back(tx, "preference", ["person_id"], before["preference"])
    await tx.execute(
        "UPDATE preference SET preference = 'UNKNOWN', recorded_on = :day, evidence = NULL, version = version + 1"
        " WHERE person_id = ANY(CAST(:ids AS uuid[])) AND person_id <> ALL(CAST(:old AS uuid[]))",
        day=day,
        ids=ids,
        old=old["preference"],
    )
    await tx.execute("UPDATE person_merge SET undone_at = now() WHERE merge_id = :id", id=merge["merge_id"])
    pairs = await tx.rows(f"SELECT beneficiary_id, representative_id FROM representative t WHERE {_TABLES['representative']}", ids=ids)
    preferences = await tx.rows("SELECT person_id FROM preference WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=ids)
    return {
        "ended": [row["entitlement_id"] for row in added],
        "granted": [UUID(item) for item in old["entitlement"]],
        "representatives": [tuple(row.values()) for row in pairs],
        "preferences": [row["person_id"] for row in preferences],
    }


async def _insert(tx: Tx, table: str, rows: list[Any]) -> None:
    if rows:
        columns = ", ".join(await _columns(tx, table, []))
        await tx.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(CAST(NULL AS {table}), CAST(:rows AS jsonb))",
            rows=orjson.dumps(rows).decode(),
        )
