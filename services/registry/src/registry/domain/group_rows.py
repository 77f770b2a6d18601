"""What one row of a review list (poor, near-poor …) says: who, which group, in or out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from common.names import folded
from common.tabular import ColumnSpec
from registry.domain.reasons import Reason, reason

__all__ = ["COLUMNS", "GroupRow", "read_row", "words"]

COLUMNS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("ordinal", ("STT", "Số thứ tự", "TT")),
    ColumnSpec("household_code", ("Mã hộ", "Mã số hộ", "Mã hộ gia đình", "Số hộ")),
    ColumnSpec("file_code", ("Mã hồ sơ", "Mã HS", "Mã đối tượng")),
    ColumnSpec("name", ("Họ và tên", "Họ tên", "Họ tên chủ hộ", "Họ và tên chủ hộ", "Chủ hộ")),
    ColumnSpec("group", ("Nhóm", "Diện", "Diện hộ", "Phân loại hộ", "Kết quả rà soát", "Kết quả phân loại", "Loại hộ"), required=True),
    ColumnSpec("action", ("Biến động", "Thay đổi", "Vào/Ra")),
)
_SHORT: Final = {"HN": "POOR", "NGHEO": "POOR", "HCN": "NEAR_POOR", "CN": "NEAR_POOR", "CAN NGHEO": "NEAR_POOR", "KHAC": "OTHER"}
_ACTIONS: Final = {
    "": "START", "VAO": "START", "THEM": "START", "MOI": "START", "START": "START", "GIU NGUYEN": "START",
    "RA": "END", "THOAT": "END", "BOT": "END", "END": "END",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One row as understood; `reasons` empty means good."""

    code: str
    subject: str
    group: str
    action: str
    reasons: tuple[Reason, ...]


def words(groups: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """How a group may be written in a list → its code: code, Vietnamese and English name, the usual short forms."""
    found: dict[str, str] = {}
    for group in groups:
        for text in (group["code"].replace("_", " "), group["name_vi"], group["name_en"]):
            found[folded(text)] = group["code"]
    return found | {short: code for short, code in _SHORT.items() if code in set(found.values())}


def read_row(values: Mapping[str, str], known: Mapping[str, str]) -> GroupRow:
    """Read one row; `known` is :func:`words`."""
    reasons: list[Reason] = []
    household, person = values.get("household_code", "").strip(), values.get("file_code", "").strip()
    if not (household or person):
        reasons.append(reason("MISSING_SUBJECT", "household_code"))
    said = values.get("group", "").strip()
    text = said.replace("_", " ")
    group = known.get(folded(text), "")
    if not group:
        reasons.append(reason("UNKNOWN_GROUP", "group", said))
    action = _ACTIONS.get(folded(values.get("action", "")))
    if action is None:
        reasons.append(reason("BAD_ACTION", "action", values.get("action", "")))
    return GroupRow((household or person)[:60], "HOUSEHOLD" if household else "PERSON", group, action or "START", tuple(reasons))
