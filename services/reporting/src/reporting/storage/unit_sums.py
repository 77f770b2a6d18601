"""Where the sums of a unit lie: at the unit itself, or added up from the units below it.

`month_sum`, `standing_change` and `owed_change` hold what lies at each unit itself (nearly always a commune). `month_sum_above`,
`standing_above` and `owed_above` hold, for every unit above, the sum of all that lies below it. So a province with its districts is a few
hundred rows, however many communes and people it has.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from reporting.storage.lines import BELOW, below

__all__ = ["ABOVE", "Beside", "above", "place", "summed"]

Beside = Literal["NONE", "CHILDREN", "COMMUNES"]
"""Which units stand beside the total."""

ABOVE: Final = {"month_sum": "month_sum_above", "standing_change": "standing_above", "owed_change": "owed_above"}

# The path of the unit directly above; a province's is its own. Indexed as written here (migration 0016).
_PARENT: Final = "left(unit_path, length(unit_path) - strpos(reverse(unit_path), '/'))"


def place(unit_path: str, beside: Beside) -> dict[str, Any]:
    """Parameters of :func:`summed`."""
    given = {"unit": unit_path}
    if beside == "COMMUNES":
        return given | below(unit_path)
    if beside == "CHILDREN":
        given["unit_to"] = unit_path + "0"
    return given | {"unit_parent": unit_path.rpartition("/")[0] or unit_path}


def summed(table: str, beside: Beside, columns: str, where: str) -> str:
    """SQL of the rows of a unit and of those beside it: `segment` ('' for what counts in the total alone, else a unit's path), `columns`.

    Added up over all segments they are the unit with everything below it, each once.
    """

    def part(source: str, segment: str, condition: str) -> str:
        return f"SELECT {segment} AS segment, {columns} FROM {source} WHERE {condition} AND {where}"

    upper = ABOVE[table]
    own = f"{_PARENT} = :unit_parent AND unit_path = :unit"
    if beside == "NONE":
        parts = [part(table, "''", own), part(upper, "''", "unit_path = :unit")]
    elif beside == "CHILDREN":
        child = f"{_PARENT} = :unit AND unit_path <> :unit"
        under = f"unit_path > :unit AND unit_path < :unit_to AND {child}"
        parts = [part(table, "''", own), part(table, "unit_path", child), part(upper, "unit_path", under)]
    else:
        parts = [part(table, "CASE WHEN unit_path = :unit THEN '' ELSE unit_path END", BELOW)]
    return " UNION ALL ".join(parts)


def above(columns: str, source: str) -> str:
    """SQL: the rows of `source` once for each unit above theirs (`columns` with `unit_path` of that unit), not yet added up."""
    picked = ", ".join(f"left(unit_path, slash - 1) AS {name}" if name == "unit_path" else name for name in columns.split(", "))
    return f"""
        SELECT {picked} FROM {source} AS b
        CROSS JOIN LATERAL generate_series(2, length(b.unit_path)) AS slash WHERE substr(b.unit_path, slash, 1) = '/'
    """
