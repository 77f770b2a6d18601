"""Figures as the provinces published them, beside what the reporting service says of the preset's own month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from ansinh.demo.check import Differences
from ansinh.sample.presets import PRESETS

__all__ = ["beside_published", "published_table"]

Row = dict[str, Any]


def beside_published(preset: str, indicators: Sequence[Mapping[str, Any]], found: Differences) -> list[Row]:
    """Each published figure of a preset at its own size, and the indicator of that month; what is not the same is a difference."""
    known = PRESETS.get(preset)
    rows: list[Row] = []
    for one in known.published if known else ():
        said = next(
            (
                row["values"].get(one.indicator)
                for row in indicators
                if row["group"] == one.group
                and (row["is_total"] if one.unit is None else not row["is_total"] and row["unit_code"] == one.unit)
            ),
            None,
        )
        reported = None if said is None else str(said)
        rows.append(
            {
                "id": one.source,
                "group": one.group,
                "unit": one.unit,
                "indicator": one.indicator,
                "published": one.value,
                "reported": reported,
            }
        )
        if reported != one.value:
            found.add("published", f"{one.source}: {one.group} {one.indicator} was published as {one.value} and is reported as {reported}")
    return rows


def published_table(rows: Sequence[Row]) -> Table:
    """The same to read."""
    table = Table(title="Số liệu đã công bố và báo cáo / published figures and the report")
    for name in ("", "Nhóm / group", "Đơn vị / unit", "Chỉ tiêu / indicator"):
        table.add_column(name)
    for name in ("Đã công bố / published", "Báo cáo / reported"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row["id"], row["group"], row["unit"] or "", row["indicator"], row["published"], row["reported"] or "–")
    return table
