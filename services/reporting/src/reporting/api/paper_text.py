"""A frozen report as a paper and as a table: heading, whom it goes to, figures, sum in words, what it rests on, what is open."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common import sheets
from common.clock import VIETNAM
from common.paper import Fields, Paper, Signature, Table, Text
from common.spoken import in_words
from reporting.domain.addressing import Letter
from reporting.domain.indicators import ALL, group_words
from reporting.domain.states import source_words
from reporting.domain.statutory import ColumnKind, Layout, Period, Source
from reporting.usecases.papers import Frozen

__all__ = ["paper", "period_of_head", "place_of", "sheet", "sheet_rows"]

_LEVEL: Final = re.compile(r"^(Tỉnh|Thành phố|Thị xã|Huyện|Quận|Xã|Phường|Thị trấn|Đặc khu) ")
_BETWEEN: Final = " · "
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI")


def period_of_head(layout: Layout, head: RowMapping) -> Period:
    """The period a report was frozen for."""
    return Period(layout.period, head["period_first"], head["period_last"])


def place_of(unit_name: str) -> str:
    """Where a paper of the unit is dated: 'Phường Mũi Né' → 'Mũi Né'."""
    return _LEVEL.sub("", unit_name)


def _day(day: date) -> str:
    return f"ngày {day.day:02} tháng {day.month:02} năm {day.year}"


def _chosen(frozen: Frozen, number: int) -> tuple[Letter | None, list[RowMapping]]:
    """The paper asked for, and its rows: of several competent ministries or departments each gets its own programmes."""
    rows = list(frozen.rows)
    if not frozen.letters:
        return None, rows
    one = frozen.letters[number]
    return one, rows if one.programmes is None else [row for row in rows if row["programme"] in one.programmes]


def _cells(layout: Layout, row: RowMapping) -> list[str | int]:
    # On paper a rate has a comma, as the offices write it.
    return [str(row["cells"][c.key]).replace(".", ",") if c.kind is ColumnKind.RATE else row["cells"][c.key] for c in layout.columns]


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."


def _label(layout: Layout, row: RowMapping) -> str:
    """The row's name as people read it: of a partner's row the funding source in words (the frozen rows keep its code)."""
    label = str(row["label"])
    partner, between, source = label.rpartition(_BETWEEN)
    return f"{partner}{between}{source_words(source).vi}" if layout.source is Source.PARTNERS and not row["is_total"] else label


def _table(layout: Layout, rows: Sequence[RowMapping]) -> Table:
    lines: list[list[str | int]] = [["A", *(f"({column.key})" for column in layout.columns)]]
    section = 0
    for row in rows:
        label = _label(layout, row)
        if row["is_total"]:
            label = f"{_ROMAN[section % len(_ROMAN)]}. {group_words(row['programme']).vi} – {label}"
            section += 1
        lines.append([label, *_cells(layout, row)])
    return Table(
        ["Nhóm, đơn vị" if layout.source is not Source.PARTNERS else "Nhóm, tổ chức, nguồn", *(c.words.vi for c in layout.columns)], lines
    )


def _sum_in_words(layout: Layout, rows: Sequence[RowMapping]) -> list[Text]:
    if layout.sum_in_words is None:
        return []
    totals = [row for row in rows if row["is_total"]]
    whole = [row for row in totals if row["programme"] == ALL] or totals
    amount = sum(int(row["cells"][layout.sum_in_words]) for row in whole)
    words = in_words(amount)
    shown = f"{amount:,}".replace(",", ".")
    return [Text(f"Tổng số tiền (cột {layout.sum_in_words}): {shown} đồng. Bằng chữ: {words[:1].upper()}{words[1:]} đồng.")]


def paper(frozen: Frozen, addressee: int) -> Paper:
    """The report to one addressee, on paper. Raises IndexError where there is no such addressee."""
    layout, head = frozen.layout, frozen.head
    letter, rows = _chosen(frozen, addressee)
    fields = [("Kính gửi", "; ".join(letter.to))] if letter else []
    # A report that was numbered by hand has its number written in; the system gives none.
    fields += [("Kỳ báo cáo", period_of_head(layout, head).label.vi), ("Đơn vị", head["unit_name"])]
    if not layout.form_number:
        fields.append(("Mẫu số", "chưa xác định, xem ghi chú"))
    else:
        fields.append(("Mẫu số", layout.form_number))
    if budget := layout.budget_on(head["period_last"]):
        fields.append(("Mục lục ngân sách", budget.vi))
    basis = "; ".join(one.vi + ("" if one.read else " (chưa có văn bản)") for one in layout.basis)
    notes = [Text(f"Căn cứ: {basis}."), *(Text(f"Ghi chú: {_sentence(words.vi)}") for words in layout.open)]
    frozen_at = head["frozen_at"].astimezone(VIETNAM)
    kept = (
        f"Số liệu cố định lúc {frozen_at:%H:%M:%S} ngày {frozen_at:%d/%m/%Y} (giờ Việt Nam), số nhật ký {head['log_seq']}, "
        f"địa giới ngày {head['units_on']:%d/%m/%Y}, biểu {layout.code} phiên bản {head['layout_version']}, lần {head['edition']}; "
        f"SHA-256 {head['digest']}."
    )
    office = letter.office if letter else layout.sender.vi
    return Paper(
        title=layout.title.vi,
        subtitle=period_of_head(layout, head).label.vi,
        authority="\n".join(filter(None, (f"UBND {head['unit_name'].upper()}", office and office.upper()))),
        number="........../BC-......",
        place_and_date=f"{place_of(head['unit_name'])}, {_day(head['business_date'])}",
        body=[Fields(fields), _table(layout, rows), *_sum_in_words(layout, rows), *notes, Text(kept)],
        signatures=[Signature(title, note) for title, note in layout.signatures],
    )


def sheet(frozen: Frozen) -> sheets.Sheet:
    """What stands above and beside the rows of the table file."""
    head, layout = frozen.head, frozen.layout
    budget = layout.budget_on(head["period_last"])
    titles = (
        layout.title.vi, f"{period_of_head(layout, head).label.vi} – {head['unit_name']}", *((budget.vi,) if budget else ()),
        f"Số nhật ký {head['log_seq']}, biểu {layout.code} phiên bản {head['layout_version']}, SHA-256 {head['digest']}",
    )  # fmt: skip
    return sheets.Sheet(["Nhóm", "Mã đơn vị", "Đơn vị", "Cộng", *(f"({c.key}) {c.words.vi}" for c in layout.columns)], titles, "Báo cáo")


async def sheet_rows(layout: Layout, rows: AsyncIterator[RowMapping]) -> AsyncIterator[list[sheets.Cell]]:
    """The rows of the table file as they come."""
    async for row in rows:
        yield [
            group_words(row["programme"]).vi,
            row["unit_path"],
            _label(layout, row),
            "x" if row["is_total"] else "",
            *_cells(layout, row),
        ]
