"""SQL of lists: files, staged rows, counts, saved mappings. Names of columns are the service's, never input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from common.db import Tx
from common.lists.errors import ImportNotFound
from common.lists.profile import ListProfile
from common.lists.reasons import Reason

__all__ = [
    "approved_without_job", "clear_rows", "count", "file_of", "files_for_approval", "first_of", "known_mappings", "page", "reasons_json",
    "refuse_rows", "rows_with_reasons", "settle_corrected", "stage", "unsettled", "verdicts",
]  # fmt: skip

GENERAL_COLUMNS: Final = ("import_id", "row_number", "verdict", "reasons", "warnings")

_FILE: Final = (
    "import_id, seq, job_id, unit_code, unit_path, file_name, sha256, business_date, dry_run, state, sheet, choice, version, staged_to,"
    " created_by"
)
VIEW: Final = (
    "f.import_id, f.job_id, f.unit_code, f.unit_path, f.file_name, f.business_date, f.dry_run, f.state, f.refusal->>'detail' AS refusal,"
    " f.sheet, f.rows_total, f.rows_good, f.rows_refused, f.rows_waiting, f.rows_applied, f.rows_unchanged, f.rows_left_out,"
    " f.needs_second, f.version, f.created_by, f.created_at, f.checked_at, f.approved_by, f.approved_at, f.applied_at"
)


def reasons_json(reasons: Sequence[Reason]) -> str:
    """Reasons as `import_row` stores them."""
    return orjson.dumps([item.as_json() for item in reasons]).decode()


async def file_of(tx: Tx, profile: ListProfile, import_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """A file's row without its content."""
    columns = ", ".join([_FILE, *profile.own])
    return await tx.row(f"SELECT {columns} FROM import_file WHERE import_id = :id{' FOR NO KEY UPDATE' if lock else ''}", id=import_id)


async def content_of(tx: Tx, import_id: UUID) -> bytes:
    """The file as sent, encrypted. ImportNotFound when its term is over and it was emptied."""
    content = bytes(await tx.value("SELECT content FROM import_file WHERE import_id = :id", id=import_id))
    if not content:
        raise ImportNotFound("The file was erased when its retention term was over")
    return content


async def first_of(tx: Tx, profile: ListProfile, same: dict[str, Any]) -> RowMapping | None:
    """The import that took the same bytes for the same list before; `stuck` when its check ended on a defect."""
    where = " AND ".join(f"f.{name} = :{name}" for name in (*profile.once, "sheet"))
    return await tx.row(
        "SELECT f.import_id, f.job_id, f.unit_path, f.state = 'RECEIVED' AND j.state = 'FAILED' AS stuck"
        f" FROM import_file f LEFT JOIN job j ON j.id = f.job_id WHERE {where} AND NOT f.dry_run AND f.state <> 'REFUSED'",
        **{name: same[name] for name in (*profile.once, "sheet")},
    )


async def stage(tx: Tx, profile: ListProfile, rows: Iterable[tuple[Any, ...]]) -> int:
    """COPY checked rows into the staging table; how many."""
    return await tx.copy("import_row", (*GENERAL_COLUMNS, *profile.row_columns), rows)


async def clear_rows(tx: Tx, import_id: UUID) -> None:
    """Forget what was staged: the file is read anew."""
    await tx.execute("DELETE FROM import_row WHERE import_id = :id", id=import_id)


async def refuse_rows(tx: Tx, refused: Sequence[tuple[UUID, int, Reason]]) -> None:
    """Give rows their refusal."""
    if not refused:
        return
    await tx.execute(
        "UPDATE import_row r SET verdict = 'REFUSED', reasons = r.reasons || CAST(x.reasons AS jsonb)"
        " FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[]), CAST(:reasons AS text[])) AS x(import_id, row_number, reasons)"
        " WHERE r.import_id = x.import_id AND r.row_number = x.row_number",
        imports=[item[0] for item in refused],
        rows=[item[1] for item in refused],
        reasons=[reasons_json([item[2]]) for item in refused],
    )


async def files_for_approval(tx: Tx, imports: Sequence[UUID]) -> Sequence[RowMapping]:
    """Files to be approved, locked, in the order received."""
    return await tx.rows(
        "SELECT import_id, unit_path, state, dry_run, needs_second, created_by, business_date, rows_good FROM import_file"
        " WHERE import_id = ANY(CAST(:ids AS uuid[])) ORDER BY seq FOR NO KEY UPDATE",
        ids=list(imports),
    )


async def approved_without_job(tx: Tx, imports: Sequence[UUID], kind: str) -> set[UUID]:
    """Approved imports whose application has stopped (its job failed): they may be approved, and so queued, again."""
    rows = await tx.rows(
        "SELECT f.import_id FROM import_file f WHERE f.import_id = ANY(CAST(:ids AS uuid[])) AND f.state = 'APPROVED' AND NOT EXISTS ("
        "   SELECT 1 FROM job j WHERE j.kind = :kind AND j.state IN ('QUEUED', 'RUNNING')"
        "   AND j.detail @> jsonb_build_object('import_ids', jsonb_build_array(f.import_id)))",
        ids=list(imports),
        kind=kind,
    )
    return {row["import_id"] for row in rows}


async def count(tx: Tx, imports: Sequence[UUID]) -> None:
    """Write the counts of each import from its rows; an approved import without good rows left is applied."""
    await tx.execute(
        "UPDATE import_file f SET rows_total = c.total, rows_good = c.open + c.applied + c.same, rows_refused = c.refused,"
        " rows_waiting = c.waiting, rows_applied = c.applied, rows_unchanged = c.same,"
        " state = CASE WHEN f.state = 'APPROVED' AND c.open = 0 THEN 'APPLIED' ELSE f.state END,"
        " applied_at = CASE WHEN f.state = 'APPROVED' AND c.open = 0 THEN now() ELSE f.applied_at END"
        " FROM (SELECT x.import_id, count(r.import_id) AS total, count(*) FILTER (WHERE r.verdict = 'GOOD') AS open,"
        "         count(*) FILTER (WHERE r.verdict = 'REFUSED') AS refused, count(*) FILTER (WHERE r.verdict = 'WAITING') AS waiting,"
        "         count(*) FILTER (WHERE r.verdict = 'APPLIED') AS applied, count(*) FILTER (WHERE r.verdict = 'UNCHANGED') AS same"
        "       FROM unnest(CAST(:imports AS uuid[])) AS x(import_id) LEFT JOIN import_row r USING (import_id) GROUP BY x.import_id) c"
        " WHERE f.import_id = c.import_id",
        imports=list(imports),
    )


async def settle_corrected(tx: Tx, profile: ListProfile, imports: Sequence[UUID]) -> int:
    """Rows that waited and stand corrected in these imports, sent later for the same unit: they wait no more."""
    return await tx.execute(
        "UPDATE import_row w SET settled = 'CORRECTED', settled_at = now(), settled_by = x.created_by, settled_import = x.import_id"
        " FROM (SELECT DISTINCT ON (w.import_id, w.row_number) w.import_id AS was, w.row_number, f.import_id, f.created_by"
        "       FROM import_file f JOIN import_row a ON a.import_id = f.import_id AND a.verdict IN ('APPLIED', 'UNCHANGED')"
        f"      JOIN import_row w ON w.verdict = 'REFUSED' AND w.settled IS NULL AND {profile.same_row}"
        "       JOIN import_file o ON o.import_id = w.import_id AND NOT o.dry_run AND o.seq < f.seq AND"
        "            (f.unit_path = o.unit_path OR starts_with(f.unit_path, o.unit_path || '/')"
        "             OR starts_with(o.unit_path, f.unit_path || '/'))"
        "       WHERE f.import_id = ANY(CAST(:imports AS uuid[]))) x"
        " WHERE w.import_id = x.was AND w.row_number = x.row_number",
        imports=list(imports),
    )


async def page(
    tx: Tx, profile: ListProfile, *, state: str | None, after: UUID | None, limit: int, scope: tuple[str, dict[str, Any]]
) -> Sequence[RowMapping]:
    """One page of imports in the order received."""
    return await tx.rows(
        f"SELECT {_view(profile)} FROM import_file f WHERE {scope[0]} AND {profile.listed} AND (CAST(:state AS text) IS NULL"
        " OR f.state = :state) AND (CAST(:after AS uuid) IS NULL OR f.import_id > :after) ORDER BY f.import_id LIMIT :limit",
        state=state,
        after=after,
        limit=limit,
        **scope[1],
    )


async def view(tx: Tx, profile: ListProfile, import_id: UUID) -> RowMapping | None:
    """One import as shown."""
    return await tx.row(f"SELECT {_view(profile)} FROM import_file f WHERE f.import_id = :id", id=import_id)


def _view(profile: ListProfile) -> str:
    return ", ".join([VIEW, *(f"f.{name}" for name in profile.own)])


def _who(profile: ListProfile) -> str:
    return ", ".join(f"{who.sql} AS {who.name}" for who in profile.who)


async def rows_with_reasons(tx: Tx, profile: ListProfile, import_id: UUID) -> AsyncIterator[RowMapping]:
    """Refused, waiting and flagged rows of an import, by row."""
    async for row in tx.stream(
        f"SELECT r.row_number, r.verdict, r.reasons, r.warnings, {_who(profile)} FROM import_row r"
        " WHERE r.import_id = :id AND (r.verdict IN ('REFUSED', 'WAITING') OR r.warnings <> '[]') ORDER BY r.row_number",
        id=import_id,
    ):
        yield row


async def verdicts(tx: Tx, import_id: UUID) -> AsyncIterator[RowMapping]:
    """The verdict of every row of an import, by row."""
    async for row in tx.stream(
        "SELECT row_number, verdict, reasons, warnings, settled, settled_note FROM import_row WHERE import_id = :id ORDER BY row_number",
        id=import_id,
    ):
        yield row


async def unsettled(
    tx: Tx, profile: ListProfile, *, import_id: UUID | None, after: tuple[UUID, int] | None, limit: int, scope: tuple[str, dict[str, Any]]
) -> Sequence[RowMapping]:
    """Rows that wait for a correction or a dismissal, oldest list first."""
    return await tx.rows(
        f"SELECT r.import_id, f.file_name, f.unit_code, f.business_date, r.row_number, r.verdict, r.reasons, {_who(profile)}"
        " FROM import_row r JOIN import_file f USING (import_id)"
        f" WHERE r.verdict IN ('REFUSED', 'WAITING') AND r.settled IS NULL AND NOT f.dry_run AND f.state <> 'REFUSED' AND {scope[0]}"
        " AND (CAST(:only AS uuid) IS NULL OR r.import_id = :only)"
        " AND (CAST(:after AS uuid) IS NULL OR (r.import_id, r.row_number) > (:after, CAST(:row AS int)))"
        " ORDER BY r.import_id, r.row_number LIMIT :limit",
        only=import_id,
        after=after[0] if after else None,
        row=after[1] if after else 0,
        limit=limit,
        **scope[1],
    )


async def known_mappings(tx: Tx, unit_path: str) -> dict[str, dict[str, int]]:
    """Columns by header fingerprint, as the unit or one above it has saved them; the nearest unit's word counts."""
    rows = await tx.rows(
        "SELECT fingerprint, columns FROM import_mapping WHERE :path = unit_path OR starts_with(:path, unit_path || '/')"
        " ORDER BY length(unit_path)",
        path=unit_path,
    )
    return {row["fingerprint"]: dict(row["columns"]) for row in rows}
