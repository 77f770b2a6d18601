"""Law and units as data: files in `catalogue/`, loaded into tables by the `migrate` command, read by everything else."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files
from typing import Any, Final

from common import outbox
from common.contracts.registry_v1 import AdministrativeUnitChanged
from common.db import Tx
from common.ids import stable_id
from registry.domain.rows import Category

__all__ = ["categories", "load", "read_file", "unit_of", "units_below"]

# table: (files, primary key)
_TABLES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "benefit_standard": (("standards.csv",), ("standard", "applies_from", "known_from")),
    "benefit_category": (("categories.csv",), ("code",)),
    "category_coefficient": (("coefficients.csv",), ("category", "applies_from", "known_from")),
    "category_amount": (("merit_amounts.csv", "merit_wounded.csv"), ("category", "percent", "applies_from", "known_from")),
}
_DEFAULTS: Final = {"percent": "0"}
_UNIT_COLUMNS: Final = (
    "unit_id", "code", "name", "short_name", "level", "type", "parent_code", "path", "valid_from", "valid_to"
)  # fmt: skip


def read_file(name: str) -> Iterator[dict[str, str]]:
    """The rows of one catalogue file."""
    with (files("registry") / "catalogue" / name).open(encoding="utf-8") as source:
        yield from csv.DictReader(source)


async def load(tx: Tx, as_of: date) -> dict[str, int]:
    """Load all catalogue files; a second load of the same files changes nothing. Needs the owner role. Rows changed per table."""
    changed = {}
    for table, (names, key) in _TABLES.items():
        rows = [row for name in names for row in read_file(name)]
        columns = list(rows[0])
        values = [[row[column] or _DEFAULTS.get(column) for column in columns] for row in rows]
        changed[table] = await _merge(tx, table, columns, key, values)
    changed["administrative_unit"] = await _load_units(tx, as_of)
    return changed


async def _merge(tx: Tx, table: str, columns: Sequence[str], key: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Make the table equal to the rows: insert, update what differs, delete what is gone."""
    names = ", ".join(columns)
    rest = [column for column in columns if column not in key]
    await tx.execute(f"CREATE TEMP TABLE load_{table} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")
    await tx.copy(f"load_{table}", columns, rows)
    same_key = " AND ".join(f"t.{column} = l.{column}" for column in key)
    changed = await tx.execute(
        f"INSERT INTO {table} AS t ({names}) SELECT {names} FROM load_{table} ON CONFLICT ({', '.join(key)}) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in rest)
        + f" WHERE ({', '.join('t.' + c for c in rest)}) IS DISTINCT FROM ({', '.join('excluded.' + c for c in rest)})"
    )
    if table != "benefit_category":  # a category that ended keeps its row: entitlements refer to it
        changed += await tx.execute(f"DELETE FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM load_{table} l WHERE {same_key})")
    return changed


def _unit_rows() -> Iterator[tuple[Any, ...]]:
    for name in ("units_legacy.csv", "units_current.csv"):
        paths: dict[str, str] = {}
        rows = sorted(read_file(name), key=lambda row: ("province", "district", "commune").index(row["level"]))
        for row in rows:
            parent = row["parent_code"] or None
            path = f"{paths[parent]}/{row['code']}" if parent else row["code"]
            paths[row["code"]] = path
            unit_id = stable_id("unit", row["code"], row["valid_from"])
            yield (
                unit_id, row["code"], row["name"], row["short_name"], row["level"], row["type"], parent, path, row["valid_from"],
                row["valid_to"] or None,
            )  # fmt: skip


async def _load_units(tx: Tx, as_of: date) -> int:
    names = ", ".join(_UNIT_COLUMNS)
    rest = [column for column in _UNIT_COLUMNS if column != "unit_id"]
    await tx.execute(f"CREATE TEMP TABLE load_unit ON COMMIT DROP AS SELECT {names} FROM administrative_unit WITH NO DATA")
    await tx.copy("load_unit", _UNIT_COLUMNS, _unit_rows())
    rows = await tx.rows(
        f"INSERT INTO administrative_unit AS t ({names}) SELECT {names} FROM load_unit ON CONFLICT (unit_id) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in rest)
        + ", version = t.version + 1"
        + f" WHERE ({', '.join('t.' + c for c in rest)}) IS DISTINCT FROM ({', '.join('excluded.' + c for c in rest)}) RETURNING unit_id"
    )
    await outbox.insert_select(
        tx,
        AdministrativeUnitChanged,
        "SELECT u.unit_id AS key, uuidv7() AS event_id, json_build_object('version', u.version, 'business_date', CAST(:as_of AS date),"
        " 'unit_id', u.unit_id, 'code', u.code, 'name', u.name, 'level', u.level, 'parent_code', u.parent_code, 'path', u.path,"
        " 'valid_from', u.valid_from, 'valid_to', u.valid_to) AS body"
        " FROM administrative_unit u WHERE u.unit_id = ANY(CAST(:ids AS uuid[])) ORDER BY u.path",
        ids=[row["unit_id"] for row in rows],
        as_of=as_of,
    )
    return len(rows)


async def categories(tx: Tx) -> dict[str, Category]:
    """All benefit categories by code."""
    rows = await tx.rows("SELECT code, programme, needs_percent FROM benefit_category")
    return {row["code"]: Category(row["code"], row["programme"], row["needs_percent"]) for row in rows}


_VALID: Final = "u.valid_from <= :on AND (u.valid_to IS NULL OR u.valid_to >= :on)"


async def unit_of(tx: Tx, code: str, on: date) -> Any | None:
    """One unit as it is on a date, or None."""
    return await tx.row(f"SELECT u.* FROM administrative_unit u WHERE u.code = :code AND {_VALID}", code=code, on=on)


async def units_below(tx: Tx, path: str, on: date) -> dict[str, str]:
    """Code → path of a unit and everything below it on a date."""
    rows = await tx.rows(
        f"SELECT u.code, u.path FROM administrative_unit u WHERE (u.path = :path OR u.path LIKE :below) AND {_VALID}",
        path=path,
        below=path + "/%",
        on=on,
    )
    return {row["code"]: row["path"] for row in rows}
