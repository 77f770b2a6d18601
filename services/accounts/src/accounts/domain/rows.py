"""One row of an account list: what it asks for, or why it cannot be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from accounts.domain.directory import Directory
from accounts.domain.numbers import BadNumberError, read_account_number
from common.contracts.accounts_v1 import AccountKind, PayoutMethod
from common.lists.cells import hide_numbers
from common.lists.headers import ColumnSpec
from common.lists.reasons import GENERAL
from common.masking import mask_account
from common.names import clean, comparison_key, folded

__all__ = ["COLUMNS", "FIELDS", "REASONS", "CheckedRow", "check_row"]

COLUMNS: Final = (
    ColumnSpec("file_code", ("Mã hồ sơ", "Mã HS", "Số hồ sơ", "File code", "Dossier code"), required=True),
    ColumnSpec(
        "beneficiary",
        ("Họ và tên người hưởng", "Họ tên người hưởng", "Người hưởng", "Họ và tên", "Họ tên", "Beneficiary name"),
        required=True,
    ),
    ColumnSpec("payee", ("Người nhận", "Họ tên người nhận", "Họ và tên người nhận", "Người nhận tiền", "Người nhận thay")),
    ColumnSpec("method", ("Hình thức nhận", "Hình thức chi trả", "Hình thức", "Payment method"), required=True),
    ColumnSpec("provider", ("Ngân hàng / nhà cung cấp", "Ngân hàng", "Tên ngân hàng", "Nhà cung cấp", "Tổ chức cung ứng", "Bank")),
    ColumnSpec("account_number", ("Số tài khoản", "Số TK", "STK", "Account number"), secret=True, mask=mask_account),
    ColumnSpec("holder", ("Tên chủ tài khoản", "Chủ tài khoản", "Account holder")),
    ColumnSpec("home_reason", ("Lý do nhận tại nhà", "Lý do"), secret=True),
)
"""The columns of an account list, by the headers that offices use."""

REASONS: Final[dict[str, tuple[str, str]]] = {
    **GENERAL,
    "FILE_CODE_MISSING": ("Thiếu mã hồ sơ", "The file code is missing"),
    "METHOD_UNKNOWN": ("Không rõ hình thức nhận", "The form of payment is not one of the list's"),
    "PROVIDER_UNKNOWN": ("Không nhận ra ngân hàng hoặc nhà cung cấp", "The provider is not known"),
    "PROVIDER_NOT_SERVED": ("Chưa có kênh chi trả tới nhà cung cấp này", "No payment partner pays into it"),
    "ACCOUNT_NUMBER": ("Số tài khoản không hợp lệ", "An account number has 6 to 19 letters or digits"),
    "SPREADSHEET_DAMAGE": ("Số tài khoản bị bảng tính làm hỏng", "A spreadsheet has rounded the number: type it again as text"),
    "LEADING_ZERO_LOST": ("Mất số 0 ở đầu", "The leading zero is lost; confirm the number"),
    "HOME_REASON_MISSING": ("Thiếu lý do nhận tại nhà", "Payment at home needs its reason"),
    "DUPLICATE_ROW": ("Mã hồ sơ lặp lại trong danh sách", "An earlier row has this file code"),
    "OTHER_UNIT": ("Hồ sơ thuộc đơn vị khác", "The person belongs to another unit"),
    "OTHER_PERSON": ("Họ tên không khớp với hồ sơ", "The file code belongs to somebody of another name"),
    "BENEFICIARY_UNKNOWN": ("Chưa có hồ sơ này", "Waits until the person is registered"),
    "PAYEE_UNKNOWN": ("Chưa có người nhận thay này", "Waits until the representative is registered"),
}
"""Reason code → (Vietnamese, English)."""

FIELDS: Final[dict[str, str]] = {
    "FILE_CODE_MISSING": "file_code", "METHOD_UNKNOWN": "method", "PROVIDER_UNKNOWN": "provider", "PROVIDER_NOT_SERVED": "provider",
    "ACCOUNT_NUMBER": "account_number", "SPREADSHEET_DAMAGE": "account_number", "LEADING_ZERO_LOST": "account_number",
    "HOME_REASON_MISSING": "home_reason", "DUPLICATE_ROW": "file_code", "OTHER_UNIT": "file_code", "OTHER_PERSON": "beneficiary",
    "BENEFICIARY_UNKNOWN": "file_code", "PAYEE_UNKNOWN": "payee",
}  # fmt: skip
"""Reason code → the column at fault."""

_METHODS: Final[dict[str, PayoutMethod]] = {
    **dict.fromkeys(("TAI KHOAN", "TAI KHOAN NGAN HANG", "TK", "VI DIEN TU", "VI", "MOBILE MONEY", "TIEN DI DONG"), PayoutMethod.ACCOUNT),
    **dict.fromkeys(("TIEN MAT TAI BUU DIEN", "TIEN MAT", "TM"), PayoutMethod.CASH_POST),
    **dict.fromkeys(("TIEN MAT TAI NHA", "TAI NHA"), PayoutMethod.CASH_HOME),
}
_SELF: Final = frozenset({"", "BAN THAN", "NGUOI HUONG", "TU NHAN", "CHINH CHU"})


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row that was read; `refusal` is a key of REASONS when it cannot be taken."""

    file_code: str
    beneficiary_name: str
    name_folded: str
    payee_name: str | None
    payee_key: str | None
    payee_folded: str | None
    refusal: str | None = None
    hidden_in: tuple[str, ...] = ()
    """Columns in which what looks like a national number stood: it is not kept."""
    method: PayoutMethod | None = None
    kind: AccountKind | None = None
    provider_code: str | None = None
    partner: str | None = None
    account_number: str | None = field(default=None, repr=False)
    claimed_holder: str | None = None
    home_reason: str | None = field(default=None, repr=False)


def check_row(values: Mapping[str, str], directory: Directory) -> CheckedRow:
    """Read one row; the payee is the person himself or a representative named (None: himself)."""
    values, hidden = _hidden(values)
    name, payee = clean(values.get("beneficiary", "")), clean(values.get("payee", ""))
    himself = folded(payee) in _SELF or comparison_key(payee) == comparison_key(name)
    row = CheckedRow(
        file_code=values.get("file_code", "").strip().upper(),
        beneficiary_name=name,
        name_folded=folded(name),
        payee_name=None if himself else payee,
        payee_key=None if himself else comparison_key(payee),
        payee_folded=None if himself else folded(payee),
        hidden_in=hidden,
    )
    method = _METHODS.get(folded(values.get("method", "")))
    if not row.file_code:
        return replace(row, refusal="FILE_CODE_MISSING")
    if method is None:
        return replace(row, refusal="METHOD_UNKNOWN")
    if method is PayoutMethod.ACCOUNT:
        return _account(row, values, directory)
    home_reason = values.get("home_reason", "").strip() or None
    if method is PayoutMethod.CASH_HOME and home_reason is None:
        return replace(row, refusal="HOME_REASON_MISSING")
    return replace(row, method=method, home_reason=home_reason)


def _hidden(values: Mapping[str, str]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The cells that are kept in clear, without national numbers."""
    found = {name: hide_numbers(values[name]) for name in ("file_code", "beneficiary", "payee", "holder") if name in values}
    hit = tuple(name for name, (_, was) in found.items() if was)
    return ({**values, **{name: found[name][0] for name in hit}} if hit else values), hit


def _account(row: CheckedRow, values: Mapping[str, str], directory: Directory) -> CheckedRow:
    provider = directory.find(values.get("provider", ""))
    if provider is None:
        return replace(row, refusal="PROVIDER_UNKNOWN")
    if provider.partner is None:
        return replace(row, refusal="PROVIDER_NOT_SERVED")
    try:
        number = read_account_number(values.get("account_number", ""), provider.kind)
    except BadNumberError as error:
        return replace(row, refusal=error.code)
    return replace(
        row,
        method=PayoutMethod.ACCOUNT,
        kind=provider.kind,  # what the provider is decides, not the word the office chose for it
        provider_code=provider.code,
        partner=provider.partner,
        account_number=number,
        claimed_holder=clean(values.get("holder", "")) or None,
    )
