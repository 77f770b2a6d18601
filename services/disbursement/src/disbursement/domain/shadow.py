"""A shadow month: the office's own list beside ours, and why they differ, in two languages (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from common.contracts.disbursement_v1 import HoldReason
from common.names import folded
from common.problems import Problem
from disbursement.domain.holds import HOLDS

__all__ = ["KINDS", "AlreadyLive", "DifferenceKind", "ShadowDecided", "ShadowFileBroken", "explain", "method_of"]


class ShadowFileBroken(Problem):
    """The file cannot be read as a payment list; the detail says what is missing."""

    type, status = "shadow-file-broken", 422
    title, title_vi = "The file is not a payment list", "Tệp không phải danh sách chi trả"


class AlreadyLive(Problem):
    """The platform pays this month in the unit already: there is nothing to shadow."""

    type, status = "already-live", 409
    title, title_vi = "The unit is paid by the platform in this month", "Tháng này đơn vị đã chi trả qua hệ thống"


class ShadowDecided(Problem):
    """The go-live of this comparison was proposed or decided before."""

    type, status = "shadow-decided", 409
    title, title_vi = "The go-live was proposed or decided already", "Việc tiếp nhận đã được đề nghị hoặc quyết định"


class DifferenceKind(StrEnum):
    """How a line of theirs and of ours differ."""

    ONLY_OURS = "ONLY_OURS"
    ONLY_THEIRS = "ONLY_THEIRS"
    HELD = "HELD"
    AMOUNT = "AMOUNT"
    METHOD = "METHOD"
    ACCOUNT = "ACCOUNT"
    NAME = "NAME"
    TWICE = "TWICE"
    UNREADABLE = "UNREADABLE"


_K = DifferenceKind
KINDS: Final[dict[DifferenceKind, tuple[str, str]]] = {
    _K.ONLY_OURS: ("Chỉ có trong danh sách của hệ thống", "Only on our list"),
    _K.ONLY_THEIRS: ("Chỉ có trong danh sách của đơn vị", "Only on the office's list"),
    _K.HELD: ("Đơn vị chi, hệ thống tạm giữ", "The office pays, we hold"),
    _K.AMOUNT: ("Khác số tiền", "The amount differs"),
    _K.METHOD: ("Khác hình thức nhận", "The way of payment differs"),
    _K.ACCOUNT: ("Khác số tài khoản (4 số cuối)", "The account differs (last four digits)"),
    _K.NAME: ("Khác họ tên", "The name differs"),
    _K.TWICE: ("Có nhiều dòng trong danh sách của đơn vị", "Several rows on the office's list"),
    _K.UNREADABLE: ("Số tiền trong tệp không đọc được", "The amount in the file cannot be read"),
}

_WHY: Final[dict[tuple[DifferenceKind, str], tuple[str, str]]] = {
    (_K.ONLY_OURS, "FIRST_MONTH"): (
        "Tháng hưởng đầu tiên theo quyết định: đơn vị chưa đưa vào danh sách",
        "The first month by decision: the office has not listed it yet"),
    (_K.ONLY_OURS, "ARREARS_ONLY"): (
        "Chỉ còn tiền truy lĩnh của tháng trước, tháng này không phát sinh",
        "Arrears of earlier months only, nothing in this month"),
    (_K.ONLY_OURS, "NOT_IN_FILE"): (
        "Đang hưởng theo quyết định: kiểm tra vì sao đơn vị không chi",
        "Due by decision: find out why the office does not pay"),
    (_K.ONLY_THEIRS, "DECEASED"): (
        "Hồ sơ ghi đã chết: kiểm tra ngày mất, thu hồi nếu đã chi", "The register says deceased: check the day, recover what was paid"),
    (_K.ONLY_THEIRS, "OTHER_UNIT"): (
        "Mã hồ sơ thuộc đơn vị khác: chuyển hồ sơ hoặc sửa mã", "The dossier belongs to another unit: move it or mend the code"),
    (_K.ONLY_THEIRS, "ENDED"): ("Quyết định đã hết hạn trước tháng này", "The decision ended before this month"),
    (_K.ONLY_THEIRS, "STARTS_LATER"): ("Quyết định hưởng từ tháng sau", "The decision begins in a later month"),
    (_K.ONLY_THEIRS, "OTHER_SOURCE"): (
        "Có khoản phải chi nhưng thuộc chương trình hoặc nguồn khác", "Something is due, in another programme or from another source"),
    (_K.ONLY_THEIRS, "NOTHING_DUE"): (
        "Có hồ sơ nhưng chưa có quyết định hưởng được nhập", "There is a file, but no decision was recorded for it"),
    (_K.ONLY_THEIRS, "AMBIGUOUS_NAME"): (
        "Không có mã hồ sơ và nhiều người trùng tên: bổ sung mã", "No dossier code, and several people bear the name: add the code"),
    (_K.ONLY_THEIRS, "UNKNOWN_PERSON"): (
        "Không có trong sổ đăng ký: nhập hồ sơ hoặc kiểm tra tên, mã", "Not in the register: register, or check name and code"),
    (_K.AMOUNT, "ARREARS"): (
        "Hệ thống cộng tiền các tháng trước chưa chi", "We add earlier months that are not paid yet"),
    (_K.AMOUNT, "ONE_LINE_ONLY"): (
        "Đơn vị chỉ chi một trong các khoản", "The office pays only one of the allowances"),
    (_K.AMOUNT, "SEVERAL_MONTHS"): (
        "Đơn vị chi gộp nhiều tháng", "The office pays several months together"),
    (_K.AMOUNT, "OTHER_AMOUNT"): (
        "Khác mức hoặc hệ số: đối chiếu căn cứ bên cạnh", "Another rate or factor: compare the basis beside it"),
    (_K.METHOD, "CHOSEN"): ("Hình thức nhận đã đăng ký trong hệ thống", "The way recorded in the platform"),
    (_K.METHOD, "NO_ACCOUNT"): ("Chưa có tài khoản được xác minh: chi tiền mặt", "No verified account: paid in cash"),
    (_K.ACCOUNT, "OTHER_ACCOUNT"): (
        "Tài khoản khác: xác nhận với người nhận", "Another account: confirm with the payee"),
    (_K.NAME, "OTHER_NAME"): ("Cùng mã hồ sơ, khác họ tên: kiểm tra đúng người", "Same dossier, another name: check who it is"),
    (_K.TWICE, "SUMMED"): ("Đã cộng các dòng để so sánh", "The rows were summed for the comparison"),
    (_K.UNREADABLE, "AMOUNT_UNREADABLE"): ("Sửa số tiền trong tệp rồi nộp lại", "Mend the amount in the file and send it again"),
}  # fmt: skip

_CASH: Final = ("TIEN MAT", "BUU DIEN", "TAI NHA", "TRUC TIEP")
_ACCOUNT: Final = ("TAI KHOAN", "CHUYEN KHOAN", "NGAN HANG", "VI ", "TIEN DI DONG", "THE ")
_SHORT: Final = {"TM": "CASH", "CK": "ACCOUNT", "TK": "ACCOUNT", "ATM": "ACCOUNT"}


def method_of(text: str) -> str | None:
    """`ACCOUNT` or `CASH` from what an office writes; None when it says nothing we know."""
    words = folded(text)
    if words in _SHORT:
        return _SHORT[words]
    if any(word in f"{words} " for word in _CASH):
        return "CASH"
    return "ACCOUNT" if any(word in f"{words} " for word in _ACCOUNT) else None


def explain(row: Mapping[str, Any]) -> tuple[str, str]:
    """The explanation of one difference, Vietnamese and English."""
    kind, why = DifferenceKind(row["kind"]), row["why"]
    if kind is _K.HELD:
        hold = HOLDS[HoldReason(why)]
        return f"Tạm giữ: {hold.vi}. {hold.act_vi}", f"Held: {hold.en}. {hold.act_en}"
    vi, en = _WHY.get((kind, why), (why, why))
    if kind is _K.METHOD and (kind, why) not in _WHY:
        vi, en = f"Hệ thống chi tiền mặt vì {why}", f"We pay cash because of {why}"
    basis = row["basis"]
    return (f"{vi}. Căn cứ: {basis}", f"{en}. Basis: {basis}") if basis else (vi, en)
