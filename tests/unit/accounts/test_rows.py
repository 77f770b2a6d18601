"""Rows of account lists, and what providers' answers mean."""

from __future__ import annotations

import pytest

from accounts.domain.numbers import BadNumberError, read_account_number
from accounts.domain.outcome import Answer, judge
from accounts.domain.rows import REASONS, check_row
from accounts.providers.directory import load_directory
from common.contracts.accounts_v1 import AccountKind, PayoutMethod

ROW = {
    "file_code": "BT-22924-M-00017", "beneficiary": "Trần Thị Hoà", "payee": "Bản thân", "method": "Tài khoản", "provider": "Liên Việt",
    "account_number": "0071 0012 34567", "holder": "TRAN THI HOA",
}  # fmt: skip


def row(**changes: str):
    return check_row({**ROW, **changes}, load_directory())


def test_a_good_row() -> None:
    found = row()
    assert found.refusal is None
    assert (found.method, found.kind, found.provider_code, found.partner) == (PayoutMethod.ACCOUNT, AccountKind.BANK, "LPBANK", "lpbank")
    assert (found.account_number, found.payee_name) == ("0071001234567", None)
    assert "0071001234567" not in repr(found)


@pytest.mark.parametrize("payee", ["", "bản thân", "BAN THAN", "TRẦN THỊ HÒA", "  Trần  Thị Hoà "])
def test_the_person_himself_in_many_words(payee: str) -> None:
    assert row(payee=payee).payee_name is None


def test_a_representative_is_named() -> None:
    found = row(payee="Nguyễn Văn Thuý")
    assert (found.payee_name, found.payee_folded) == ("Nguyễn Văn Thuý", "NGUYEN VAN THUY")
    assert found.payee_key == row(payee="NGUYỄN VĂN THÚY").payee_key


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"file_code": ""}, "FILE_CODE_MISSING"),
        ({"method": "Chuyển bằng chim"}, "METHOD_UNKNOWN"),
        ({"method": ""}, "METHOD_UNKNOWN"),
        ({"provider": "Ngân hàng gần chợ"}, "PROVIDER_UNKNOWN"),
        ({"provider": "Vietcombank"}, "PROVIDER_NOT_SERVED"),
        ({"account_number": "123"}, "ACCOUNT_NUMBER"),
        ({"account_number": ""}, "ACCOUNT_NUMBER"),
        ({"account_number": "3.80123E+11"}, "SPREADSHEET_DAMAGE"),
        ({"provider": "Viettel Money", "account_number": "987654321"}, "LEADING_ZERO_LOST"),
        ({"provider": "Viettel Money", "account_number": "12345678901"}, "ACCOUNT_NUMBER"),
        ({"method": "Tiền mặt tại nhà"}, "HOME_REASON_MISSING"),
    ],
)
def test_bad_rows_say_why(changes: dict[str, str], reason: str) -> None:
    assert row(**changes).refusal == reason
    assert reason in REASONS


@pytest.mark.parametrize(
    ("method", "expected"),
    [("Tiền mặt tại bưu điện", PayoutMethod.CASH_POST), ("TIEN MAT TAI NHA", PayoutMethod.CASH_HOME), ("Ví điện tử", PayoutMethod.ACCOUNT)],
)
def test_forms_of_payment(method: str, expected: PayoutMethod) -> None:
    assert row(method=method, provider="MoMo", account_number="0912345678", home_reason="già yếu").method is expected


def test_numbers_are_text() -> None:
    assert read_account_number(" 99mm24011m34875080", AccountKind.WALLET) == "99MM24011M34875080"
    assert read_account_number("0001.2345-678", AccountKind.BANK) == "00012345678"
    with pytest.raises(BadNumberError):
        read_account_number("1234567890123456789012", AccountKind.BANK)


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (Answer("OK", "LE THI HOA", "MATCH"), "ACTIVE", None),
        (Answer("OK", "LE THI HOA", "NOT_GIVEN"), "NEEDS_REVIEW", "ID_NOT_CONFIRMED"),  # a neighbour's name reads the same
        (Answer("OK", "LE THI HOA", "MISMATCH"), "REJECTED", "ID_DIFFERS"),
        (Answer("OK", "LE HOA", "MATCH"), "NEEDS_REVIEW", "NAME_REVIEW"),
        (Answer("OK", "LE THI HUONG", "MATCH"), "REJECTED", "NAME_DIFFERS"),
        (Answer("OK", "LE THI HUONG", "MISMATCH"), "REJECTED", "NAME_DIFFERS"),
        (Answer("NOT_FOUND"), "REJECTED", "NOT_FOUND"),
        (Answer("CLOSED"), "CLOSED", "CLOSED"),
        (Answer("DORMANT", "LE THI HOA", "MATCH"), "DORMANT", "DORMANT"),
        (Answer("NOT_UPGRADED", "LE THI HOA", "MATCH"), "NOT_UPGRADED", "NOT_UPGRADED"),
        (Answer("UNSUPPORTED"), "NEEDS_REVIEW", "INQUIRY_UNSUPPORTED"),
    ],
)
def test_what_an_answer_means(answer: Answer, status: str, reason: str | None) -> None:
    found = judge("Lê Thị Hoà", answer)
    assert found is not None
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize("answer", [Answer("ERROR"), Answer("OK", None, "MATCH"), Answer("WHATEVER", "LE THI HOA", "MATCH")])
def test_no_usable_answer_decides_nothing(answer: Answer) -> None:
    assert judge("Lê Thị Hoà", answer) is None
