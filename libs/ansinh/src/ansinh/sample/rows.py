"""Turns people into the rows that a commune office would have typed, in the canonical column order."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ansinh.sample.model import Person
from ansinh.sample.names import other_tone_style, unaccented
from ansinh.sample.people import CommunePeople

__all__ = ["ACCOUNTS", "ACCOUNT_COLUMNS", "REGISTER_COLUMNS", "ListRow", "Style", "account_rows", "choose_style", "register_rows"]

ACCOUNTS = "ACCOUNTS"
_RELATION = {"AUTHORISED": "Ủy quyền", "GUARDIAN": "Giám hộ", "CARER": "Chăm sóc"}
_METHOD = {"BANK": "Tài khoản", "WALLET": "Ví điện tử", "MOBILE_MONEY": "Mobile money"}

# Canonical columns with the spellings that offices use for them; accents and case vary further by file style.
REGISTER_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("STT", "TT"), ("Mã hồ sơ", "Mã HS"), ("Họ và tên", "Họ tên", "Họ và\ntên"), ("Ngày sinh", "Ngày tháng năm sinh"),
    ("Giới tính", "Nam/Nữ"),
    ("Số CCCD/định danh", "Số định danh cá nhân", "Số CCCD", "CCCD/ĐDCN"), ("Địa chỉ", "Nơi cư trú"), ("Mã đơn vị", "Mã xã"),
    ("Loại đối tượng",),
    ("Tỷ lệ thương tật", "Tỷ lệ thương tật (%)"), ("Số quyết định", "Số QĐ"), ("Ngày quyết định", "Ngày QĐ"),
    ("Hưởng từ tháng", "Hưởng từ"),
    ("Truy lĩnh từ tháng", "Truy lĩnh từ"), ("Nguyện vọng", "Nguyện vọng (TK/TM/BKK)"),
    ("Họ tên người nhận thay", "Họ và tên người nhận thay"),
    ("Ngày sinh người nhận", "Ngày sinh người nhận thay"), ("Giới tính người nhận", "Giới tính người nhận thay"),
    ("CCCD người nhận", "Số CCCD người nhận thay"), ("Quan hệ/Hình thức", "Hình thức nhận thay"), ("Số giấy ủy quyền", "Giấy ủy quyền số"),
    ("Từ ngày",), ("Đến ngày",),
)  # fmt: skip
ACCOUNT_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("STT", "TT"), ("Mã hồ sơ", "Mã HS"), ("Họ và tên người hưởng", "Họ tên người hưởng"), ("Người nhận",),
    ("Hình thức nhận", "Hình thức chi trả"), ("Ngân hàng / nhà cung cấp", "Ngân hàng"), ("Số tài khoản", "Số TK"),
    ("Tên chủ tài khoản", "Chủ tài khoản"), ("Lý do nhận tại nhà", "Lý do"),
)  # fmt: skip
NAME, NUMBER, BIRTH, CATEGORY, UNIT, CODE = 2, 5, 3, 8, 7, 1


@dataclass(slots=True)
class ListRow:
    """One row of a list: cells in canonical order; `refused` names why the office must be told to correct it ("" = good)."""

    cells: list[str]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Style:
    """How one office writes: file kind, alphabet habits, title rows."""

    xlsx: bool
    semicolon: bool
    bom: bool
    capitals: bool
    decomposed: bool
    other_tones: bool
    headers: str  # PLAIN, CAPITALS, NO_ACCENTS
    short_dates: bool
    title_rows: int
    total_row: bool
    spelling: int


def choose_style(rng: Random) -> Style:
    """One office's habits."""
    return Style(
        xlsx=rng.random() < 0.55, semicolon=rng.random() < 0.6, bom=rng.random() < 0.7, capitals=rng.random() < 0.1,
        decomposed=rng.random() < 0.1, other_tones=rng.random() < 0.35,
        headers=rng.choices(("PLAIN", "CAPITALS", "NO_ACCENTS"), (6, 2, 2))[0],
        short_dates=rng.random() < 0.15, title_rows=rng.randint(2, 4), total_row=rng.random() < 0.7,
        spelling=rng.choice((0, 0, 1, 2, 3)),
    )  # fmt: skip


def written_name(rng: Random, name: str, style: Style) -> str:
    """A name as this office types it: the same name for everybody who reads it."""
    if style.other_tones:
        name = other_tone_style(name)
    if style.capitals:
        name = name.upper()
    roll = rng.random()
    if roll < 0.010:
        return name.replace(" ", "\u00a0", 1)
    if roll < 0.016:
        return f" {name.replace(' ', '  ', 1)} "
    return name.replace(" ", "\u200b ", 1) if roll < 0.018 else name


def _date(text: str, style: Style) -> str:
    """dd/mm/yyyy, or d/m/yyyy where the office leaves out zeros."""
    if not style.short_dates or len(text) != 10:
        return text
    day, month, year = text.split("/")
    return f"{int(day)}/{int(month)}/{year}"


def _cells(rng: Random, p: Person, line: int, unit: str, style: Style) -> list[str]:
    rep = p.representative
    benefit = p.lines[line]
    cells = [
        "", p.code, written_name(rng, p.list_name, style), _date(p.list_birth, style), "Nam" if p.sex == "M" else "Nữ", p.number, p.address,
        unit, benefit.category, str(benefit.percent or ""), p.decision, _date(p.decision_date, style), p.from_month, p.arrears_from, p.wish,
    ]  # fmt: skip
    if rep is None:
        return cells + [""] * 8
    birth = f"{rep.birth[2]:02d}/{rep.birth[1]:02d}/{rep.birth[0]}"
    return [
        *cells, written_name(rng, rep.name, style), _date(birth, style), "Nam" if rep.sex == "M" else "Nữ", rep.number,
        _RELATION[rep.kind], rep.certificate, rep.valid_from, rep.valid_to,
    ]  # fmt: skip


def _damaged(cells: list[str], damage: str, rng: Random) -> ListRow:
    """The row with one typing fault in it, and the reason the fault must be refused for."""
    out = list(cells)
    if damage == "NUMBER":
        out[NUMBER] = out[NUMBER][1:]
    elif damage == "DATE":
        out[BIRTH] = rng.choice(("31/02/", "45/13/", "30/02/")) + out[BIRTH][-4:]
    elif damage == "CATEGORY":
        out[CATEGORY] = rng.choice(("SA9_X", "KHAC", "MR_KHONG_RO"))
    else:
        out[NAME] = ""
    return ListRow(out, refused=damage)


def register_rows(made: CommunePeople, programme: str, style: Style) -> tuple[list[ListRow], list[ListRow], list[ListRow]]:
    """Rows of one programme's list, the corrected rows of its supplement, and rows that repeat in another commune's supplement."""
    rng, unit = made.rng, made.plan.commune.code
    everybody = [p for p in (*made.people, *made.deceased, *made.unregistered) if p.programme == programme]
    everybody.sort(key=lambda p: p.code)
    rows: list[ListRow] = []
    corrected: list[ListRow] = []
    place: dict[str, int] = {}
    for p in everybody:
        place[p.code] = len(rows)
        for line in range(len(p.lines)):
            cells = _cells(rng, p, line, unit, style)
            if p.damage:
                rows.append(_damaged(cells, p.damage, rng))
                if p.corrected:
                    corrected.append(ListRow(cells))
            else:
                rows.append(ListRow(cells))
    doubles = [p for p in everybody if p.number and not p.damage and not p.died_on and len(p.lines) == 1 and p.outcome in (0, 1)]
    travelling: list[ListRow] = []
    inserts: list[tuple[int, ListRow]] = []
    for p in rng.sample(doubles, min(len(doubles), made.plan.extras[programme].duplicates)):
        cells, roll = list(rows[place[p.code]].cells), rng.random()
        if roll < 0.2:
            travelling.append(ListRow(cells, refused="DUPLICATE"))
            continue
        if roll < 0.5:
            cells[CODE] = made.code(programme)
        inserts.append((rng.randint(place[p.code] + 1, len(rows)), ListRow(cells, refused="DUPLICATE")))
    for at, row in sorted(inserts, key=lambda x: -x[0]):
        rows.insert(at, row)
    return rows, corrected, travelling


def account_rows(made: CommunePeople, style: Style) -> list[ListRow]:
    """Rows of the commune's registration for payment: accounts, cash at the post office, cash at home."""
    rng, rows = made.rng, []
    for p in sorted((*made.people, *made.deceased), key=lambda p: p.code):
        if p.method == "NONE":
            continue
        payee = written_name(rng, p.representative.name, style) if p.representative and p.collected_by_representative else "Bản thân"
        cells = ["", p.code, written_name(rng, p.list_name, style), payee, "", "", "", "", ""]
        if p.method == "ACCOUNT" and p.account is not None:
            number = p.account.number
            if rng.random() < 0.03:
                number = f"{number[:4]} {number[4:8]} {number[8:]}"
            cells[4:8] = [_METHOD[p.account.provider.kind], rng.choice(p.account.provider.spellings), number, unaccented(p.account.holder)]
        elif p.method == "HOME":
            cells[4], cells[8] = "Tiền mặt tại nhà", p.home_reason
        else:
            cells[4] = "Tiền mặt tại bưu điện"
        rows.append(ListRow(cells))
    return rows
