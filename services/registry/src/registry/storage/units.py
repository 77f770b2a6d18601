"""The dated tree of administrative units: loaded from files, changed by approved files, read as of a date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from common import outbox
from common.contracts.registry_v1 import AdministrativeUnitChanged
from common.db import Tx
from common.ids import stable_id
from registry.domain.units import ChangeRow, Unit, search_key
from registry.storage.catalogue import read_file

__all__ = [
    "REFORM", "VALID", "apply_change", "clashes", "counts", "load", "page", "predecessors", "publish", "successors", "take_lock",
    "tree_before", "unit_id_of", "versions",
]  # fmt: skip

REFORM: Final = date(2025, 7, 1)
"""Two levels instead of three (Law 72/2025/QH15, Resolution 202/2025/QH15, Decision 19/2025/QĐ-TTg)."""

VALID: Final = "u.valid_from <= :on AND (u.valid_to IS NULL OR u.valid_to >= :on)"
_BASIS: Final = {"units_legacy.csv": None, "units_current.csv": "Quyết định 19/2025/QĐ-TTg"}
_COLUMNS: Final = (
    "unit_id", "code", "name", "short_name", "level", "type", "parent_code", "path", "valid_from", "valid_to", "name_key", "legal_basis"
)  # fmt: skip
_LINK_COLUMNS: Final = ("old_unit_id", "new_unit_id", "kind", "is_default", "effective_on")
_VIEW: Final = "u.unit_id, u.code, u.name, u.short_name, u.level, u.type, u.parent_code, u.path, u.valid_from, u.valid_to, u.legal_basis"

_EVENTS: Final = """
SELECT u.unit_id AS key, uuidv7() AS event_id, json_build_object('version', u.version, 'business_date', CAST(:as_of AS date),
       'unit_id', u.unit_id, 'code', u.code, 'name', u.name, 'level', u.level, 'parent_code', u.parent_code, 'path', u.path,
       'valid_from', u.valid_from, 'valid_to', u.valid_to, 'formed_from', (
           SELECT coalesce(json_agg(json_build_object('unit_id', o.unit_id, 'path', o.path, 'kind', l.kind) ORDER BY o.path), '[]'::json)
           FROM unit_link l JOIN administrative_unit o ON o.unit_id = l.old_unit_id WHERE l.new_unit_id = u.unit_id)) AS body
FROM administrative_unit u WHERE u.unit_id = ANY(CAST(:ids AS uuid[])) ORDER BY u.path, u.valid_from
"""


def unit_id_of(code: str, valid_from: object) -> UUID:
    """The id of a unit follows from what keys it."""
    return stable_id("unit", code, valid_from)


async def publish(tx: Tx, ids: Sequence[UUID], as_of: date) -> None:
    """Publish the full state of units."""
    if ids:
        await outbox.insert_select(tx, AdministrativeUnitChanged, _EVENTS, ids=list(ids), as_of=as_of)


def _file_rows(name: str) -> Iterator[tuple[Any, ...]]:
    paths: dict[str, str] = {}
    for row in sorted(read_file(name), key=lambda row: ("province", "district", "commune").index(row["level"])):
        parent = row["parent_code"] or None
        path = f"{paths[parent]}/{row['code']}" if parent else row["code"]
        paths[row["code"]] = path
        yield (
            unit_id_of(row["code"], row["valid_from"]), row["code"], row["name"], row["short_name"], row["level"], row["type"], parent,
            path, row["valid_from"], row["valid_to"] or None, search_key(row["name"]), _BASIS[name],
        )  # fmt: skip


def _link_rows() -> Iterator[tuple[Any, ...]]:
    """Old → new of the reform of 2025. A province follows its communes: each went into one province, wholly."""
    old = {row["code"]: row for row in read_file("units_legacy.csv")}
    new = {row["code"]: row for row in read_file("units_current.csv")}
    provinces: dict[str, str] = {}
    for row in read_file("units_mapping_2025.csv"):
        before, after = old[row["old_code"]], new[row["new_code"]]
        yield (
            unit_id_of(before["code"], before["valid_from"]), unit_id_of(after["code"], after["valid_from"]), row["kind"],
            row["is_default"] == "1", REFORM,
        )  # fmt: skip
        top = before
        while top["parent_code"]:
            top = old[top["parent_code"]]
        if provinces.setdefault(top["code"], after["parent_code"]) != after["parent_code"]:
            raise ValueError(f"province {top['code']} went into two provinces")
    for code, now in provinces.items():
        yield unit_id_of(code, old[code]["valid_from"]), unit_id_of(now, new[now]["valid_from"]), "WHOLE", True, REFORM


async def load(tx: Tx, as_of: date) -> dict[str, int]:
    """Load units and links from the catalogue; rows changed. Needs the owner role; a second load changes nothing.

    A unit that an approved change has closed meanwhile stays closed: the files say what was when they were made.
    """
    names = ", ".join(_COLUMNS)
    rest = [column for column in _COLUMNS if column not in ("unit_id", "valid_to")]
    await tx.execute(f"CREATE TEMP TABLE load_unit ON COMMIT DROP AS SELECT {names} FROM administrative_unit WITH NO DATA")
    for name in _BASIS:
        await tx.copy("load_unit", _COLUMNS, _file_rows(name))
    rows = await tx.rows(
        f"INSERT INTO administrative_unit AS t ({names}) SELECT {names} FROM load_unit ON CONFLICT (unit_id) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in rest)
        + ", valid_to = coalesce(t.valid_to, excluded.valid_to), version = t.version + 1"
        + f" WHERE ({', '.join('t.' + c for c in rest)}) IS DISTINCT FROM ({', '.join('excluded.' + c for c in rest)})"
        + " OR (t.valid_to IS NULL AND excluded.valid_to IS NOT NULL) RETURNING unit_id"
    )
    names = ", ".join(_LINK_COLUMNS)
    await tx.execute(f"CREATE TEMP TABLE load_link ON COMMIT DROP AS SELECT {names} FROM unit_link WITH NO DATA")
    await tx.copy("load_link", _LINK_COLUMNS, _link_rows())
    links = await tx.execute(
        f"INSERT INTO unit_link AS t ({names}) SELECT {names} FROM load_link ON CONFLICT (old_unit_id, new_unit_id) DO UPDATE SET"
        " kind = excluded.kind, is_default = excluded.is_default"
        " WHERE (t.kind, t.is_default) IS DISTINCT FROM (excluded.kind, excluded.is_default)"
    )
    await publish(tx, [row["unit_id"] for row in rows], as_of)  # after the links: an event says what the unit was made from
    return {"administrative_unit": len(rows), "unit_link": links}


async def page(
    tx: Tx, on: date, *, parent: str | None, children: bool, level: str | None, name: str | None, after: str | None, limit: int
) -> Sequence[Any]:
    """Units on a date, by path. `parent`: that unit and everything below it, or with `children` the next level only.

    `name` is a search key; it matches the beginning of any word of the name.
    """
    return await tx.rows(
        f"SELECT {_VIEW} FROM administrative_unit u WHERE {VALID}"
        " AND (CAST(:parent AS text) IS NULL OR u.path LIKE :below OR (NOT :children AND u.path = :parent))"
        " AND (NOT :children OR CASE WHEN CAST(:parent AS text) IS NULL THEN u.parent_code IS NULL"
        "      ELSE u.path NOT LIKE :deeper END)"
        " AND (CAST(:level AS text) IS NULL OR u.level = :level)"
        " AND (CAST(:name AS text) IS NULL OR u.name_key LIKE :name || '%' OR u.name_key LIKE '% ' || :name || '%')"
        ' AND (CAST(:after AS text) IS NULL OR u.path COLLATE "C" > :after) ORDER BY u.path COLLATE "C" LIMIT :limit',
        on=on, parent=parent, below=f"{parent}/%", deeper=f"{parent}/%/%", children=children, level=level, name=name, after=after,
        limit=limit,
    )  # fmt: skip


async def counts(tx: Tx, on: date) -> Sequence[Any]:
    """Units on a date, per level and type."""
    return await tx.rows(
        f"SELECT u.level, u.type, count(*) AS units FROM administrative_unit u WHERE {VALID} GROUP BY u.level, u.type"
        " ORDER BY min(length(u.path) - length(replace(u.path, '/', ''))), u.level, u.type",
        on=on,
    )


async def versions(tx: Tx, code: str) -> Sequence[Any]:
    """Everything a code has stood for, oldest first."""
    return await tx.rows(f"SELECT {_VIEW} FROM administrative_unit u WHERE u.code = :code ORDER BY u.valid_from", code=code)


async def successors(tx: Tx, unit_id: UUID) -> Sequence[Any]:
    """What became of a unit; of one that has no link of its own, what became of the units below it."""
    return await tx.rows(
        "WITH old AS (SELECT * FROM administrative_unit WHERE unit_id = :id), own AS ("
        "    SELECT l.* FROM unit_link l WHERE l.old_unit_id = :id), below AS ("
        "    SELECT l.new_unit_id, 'PART' AS kind, false AS is_default, l.effective_on FROM old"
        "    JOIN administrative_unit b ON b.path LIKE old.path || '/%' AND b.valid_from <= coalesce(old.valid_to, 'infinity'::date)"
        "         AND coalesce(b.valid_to, 'infinity'::date) = coalesce(old.valid_to, 'infinity'::date)"
        "    JOIN unit_link l ON l.old_unit_id = b.unit_id WHERE NOT EXISTS (SELECT 1 FROM own))"
        f" SELECT {_VIEW}, l.kind, bool_or(l.is_default) AS is_default, l.effective_on"
        " FROM (SELECT new_unit_id, kind, is_default, effective_on FROM own UNION ALL SELECT * FROM below) l"
        " JOIN administrative_unit u ON u.unit_id = l.new_unit_id GROUP BY u.unit_id, l.kind, l.effective_on ORDER BY u.path",
        id=unit_id,
    )


async def predecessors(tx: Tx, unit_id: UUID) -> Sequence[Any]:
    """What a unit was made from."""
    return await tx.rows(
        f"SELECT {_VIEW}, l.kind, l.is_default, l.effective_on FROM unit_link l"
        " JOIN administrative_unit u ON u.unit_id = l.old_unit_id WHERE l.new_unit_id = :id ORDER BY u.path",
        id=unit_id,
    )


async def tree_before(tx: Tx, effective_on: date, codes: Sequence[str]) -> dict[str, Unit]:
    """Units valid on the day before a change, of the provinces that the codes lie in (a change of one province reads one)."""
    rows = await tx.rows(
        f"WITH u AS (SELECT * FROM administrative_unit u WHERE {VALID}), top AS ("
        "    SELECT DISTINCT split_part(path, '/', 1) AS code FROM u WHERE code = ANY(CAST(:codes AS text[])))"
        " SELECT u.code, u.name, u.level, u.parent_code, u.path FROM u JOIN top ON top.code = split_part(u.path, '/', 1)",
        on=effective_on - timedelta(days=1),
        codes=list(codes),
    )
    return {row["code"]: Unit(**row) for row in rows}


async def clashes(tx: Tx, gone: Sequence[str], new: Sequence[str], effective_on: date) -> list[str]:
    """Codes a change cannot touch on that day: already closed, not yet begun, or given a version on or after it."""
    rows = await tx.rows(
        "SELECT c AS code FROM unnest(CAST(:gone AS text[])) AS c WHERE NOT EXISTS (SELECT 1 FROM administrative_unit u WHERE u.code = c"
        "   AND u.valid_from < :on AND u.valid_to IS NULL)"
        " UNION SELECT c FROM unnest(CAST(:new AS text[])) AS c JOIN administrative_unit u ON u.code = c AND u.valid_from >= :on"
        " ORDER BY 1",
        gone=list(gone),
        new=list(new),
        on=effective_on,
    )
    return [row["code"] for row in rows]


async def take_lock(tx: Tx) -> None:
    """One change of the tree at a time: each is checked against the tree it will change."""
    await tx.execute("SELECT pg_advisory_xact_lock(7210002)")


async def apply_change(tx: Tx, change_id: UUID, rows: Sequence[ChangeRow], effective_on: date, legal_basis: str, as_of: date) -> int:
    """Close what ends, add what begins, link the two, publish both; units touched."""
    last_day = effective_on - timedelta(days=1)
    gone = {code for row in rows for code in (*row.whole, *row.part)} | {row.code for row in rows if row.ended}
    closed = await tx.rows(
        "UPDATE administrative_unit u SET valid_to = :last, version = version + 1 WHERE u.code = ANY(CAST(:codes AS text[]))"
        " AND u.valid_from <= :last AND u.valid_to IS NULL RETURNING unit_id, code",
        last=last_day,
        codes=sorted(gone),
    )
    old_ids = {row["code"]: row["unit_id"] for row in closed}
    new = [row for row in rows if not row.ended]
    body = [
        {
            "unit_id": str(unit_id_of(row.code, effective_on)), "code": row.code, "name": row.name, "short_name": row.name,
            "level": row.level, "type": row.type, "parent_code": row.parent_code, "path": row.path, "name_key": search_key(row.name),
        }
        for row in new
    ]  # fmt: skip
    added = await tx.rows(
        "INSERT INTO administrative_unit (unit_id, code, name, short_name, level, type, parent_code, path, valid_from, name_key,"
        " legal_basis, change_id) SELECT unit_id, code, name, short_name, level, type, parent_code, path, :on, name_key, :basis, :change"
        " FROM json_to_recordset(CAST(:body AS json)) AS x(unit_id uuid, code text, name text, short_name text, level text, type text,"
        " parent_code text, path text, name_key text) RETURNING unit_id",
        on=effective_on, basis=legal_basis, change=change_id, body=orjson.dumps(body).decode(),
    )  # fmt: skip
    links = [(old_ids[code], unit_id_of(row.code, effective_on), "WHOLE") for row in new for code in row.whole]
    links += [(old_ids[code], unit_id_of(row.code, effective_on), "PART") for row in new for code in row.part]
    await tx.execute(
        "INSERT INTO unit_link (old_unit_id, new_unit_id, kind, is_default, effective_on) SELECT o, n, k, k = 'WHOLE', :on"
        " FROM unnest(CAST(:old AS uuid[]), CAST(:new AS uuid[]), CAST(:kinds AS text[])) AS x(o, n, k)",
        old=[link[0] for link in links], new=[link[1] for link in links], kinds=[link[2] for link in links], on=effective_on,
    )  # fmt: skip
    touched = [row["unit_id"] for row in (*closed, *added)]
    await publish(tx, touched, as_of)
    return len(touched)
