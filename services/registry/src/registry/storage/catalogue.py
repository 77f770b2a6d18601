"""Law as data: files in `catalogue/`, loaded into tables by the `migrate` command, read by everything else (units: `storage.units`)."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files
from typing import Any, Final

from common.db import Tx
from registry.domain.rows import Category, name_label, plain_label
from registry.storage import policy

__all__ = ["categories", "header_of", "load", "read_file", "unit_of", "units_below"]

# table: (files, key); what refers to a category comes after the categories
_TABLES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "stacking_rule": (("stacking.csv",), ("stack_group",)),
    "benefit_standard": (("standards.csv",), ("standard", "applies_from", "known_from")),
    "benefit_category": (("categories.csv",), ("code",)),
    "category_coefficient": (("coefficients.csv",), ("category", "applies_from", "known_from")),
    "category_amount": (("merit_amounts.csv", "merit_wounded.csv"), ("category", "percent", "applies_from", "known_from")),
    "category_step": (("steps.csv",), ("category", "age_months")),
    "category_group_condition": (("group_conditions.csv",), ("category", "group_code")),
    "category_exclusion": (("exclusions.csv",), ("category", "fact")),
    "provincial_top_up": (("top_ups.csv",), ("code", "applies_from", "known_from")),
    "one_off_rule": (("one_off.csv",), ("code", "applies_from", "known_from")),
}
_WITHOUT_DRAFTS: Final = frozenset({"stacking_rule", "benefit_category"})
_DEFAULTS: Final = {"percent": "0"}


def read_file(name: str) -> Iterator[dict[str, str]]:
    """The rows of one catalogue file."""
    with (files("registry") / "catalogue" / name).open(encoding="utf-8") as source:
        yield from csv.DictReader(source)


def files_digest() -> str:
    """SHA-256 over the digests of all catalogue files: which state of them was loaded."""
    found = sorted((item for item in (files("registry") / "catalogue").iterdir() if item.name.endswith(".csv")), key=lambda item: item.name)
    return hashlib.sha256(b"".join(hashlib.sha256(item.read_bytes()).digest() for item in found)).hexdigest()


def header_of(name: str) -> list[str]:
    """The columns of one catalogue file, which may have no rows."""
    with (files("registry") / "catalogue" / name).open(encoding="utf-8") as source:
        return next(csv.reader(source))


async def load(tx: Tx, as_of: date) -> dict[str, int]:
    """Load all catalogue files; a second load of the same files changes nothing. Needs the owner role. Rows changed per table."""
    changed = {}
    for table, (names, key) in _TABLES.items():
        columns = header_of(names[0])
        rows = [row for name in names for row in read_file(name)]
        values = [[row[column] or _DEFAULTS.get(column) for column in columns] for row in rows]
        changed[table] = await _merge(tx, table, columns, key, values)
    columns = header_of("policy_settings.csv")
    questions = [[row[column] for column in columns] for row in read_file("policy_settings.csv")]
    changed["policy_setting"] = await policy.load_questions(tx, columns, questions)
    return changed


async def _merge(tx: Tx, table: str, columns: Sequence[str], key: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Make the table equal to the rows: insert, update what differs, delete what is gone. Rows of a change of the law stay."""
    drafts = table not in _WITHOUT_DRAFTS
    if table == "benefit_category":  # a category that a change brought and a release ships now belongs to the release
        codes = [row[columns.index("code")] for row in rows]
        await tx.execute(
            "UPDATE benefit_category SET change_id = NULL WHERE change_id IS NOT NULL AND code = ANY(CAST(:codes AS text[]))", codes=codes
        )
    names = ", ".join(columns)
    rest = [column for column in columns if column not in key]
    await tx.execute(f"CREATE TEMP TABLE load_{table} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")
    await tx.copy(f"load_{table}", columns, rows)
    same_key = " AND ".join(f"t.{column} = l.{column}" for column in key)
    changed = await tx.execute(
        f"INSERT INTO {table} AS t ({names}) SELECT {names} FROM load_{table}"
        f" ON CONFLICT ({', '.join(key)}{', change_id' if drafts else ''}) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in rest)
        + f" WHERE ({', '.join('t.' + c for c in rest)}) IS DISTINCT FROM ({', '.join('excluded.' + c for c in rest)})"
    )
    if table != "benefit_category":  # a category that ended keeps its row: entitlements refer to it
        changed += await tx.execute(
            f"DELETE FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM load_{table} l WHERE {same_key})"
            + (" AND t.change_id IS NULL" if drafts else "")
        )
    return changed


def _end_age(code: str, steps: Sequence[Any]) -> int | None:
    """The age at which a category and those it becomes by age have ended, or None. Steps come by age."""
    for step in steps:
        if step["category"] == code:
            if not step["next_category"]:
                return int(step["age_months"])
            code = step["next_category"]
    return None


async def categories(tx: Tx) -> dict[str, Category]:
    """All benefit categories by code and by label of the Vietnamese name, also without accents where that names one category only.

    Those of a draft of the law are none yet.
    """
    rows = await tx.rows(
        "SELECT code, programme, needs_percent, name_vi, start_rule, start_basis, concerns, min_age_months,"
        " per_quantity FROM benefit_category"
        " WHERE law_counts(change_id, NULL)"
    )
    steps = await tx.rows(
        "SELECT category, age_months, next_category FROM category_step WHERE law_counts(change_id, NULL) ORDER BY age_months"
    )
    known = [
        (
            row,
            Category(
                row["code"], row["programme"], row["needs_percent"], row["start_rule"], row["start_basis"], row["concerns"] == "DEPENDANT",
                row["min_age_months"], _end_age(row["code"], steps), row["per_quantity"],
            ),
        )
        for row in rows
    ]  # fmt: skip
    plain = Counter(plain_label(row["name_vi"]) for row, _ in known)
    found = {label: category for row, category in known if plain[label := plain_label(row["name_vi"])] == 1}
    found |= {name_label(row["name_vi"]): category for row, category in known}
    return found | {category.code: category for _, category in known}


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
