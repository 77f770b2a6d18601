"""Providers by the names offices write."""

from __future__ import annotations

import pytest

from accounts.providers.directory import load_directory
from common.contracts.accounts_v1 import AccountKind


@pytest.mark.parametrize(
    ("text", "code", "partner"),
    [
        ("Agribank", "AGRIBANK", "agribank"),
        ("NH Agribank", "AGRIBANK", "agribank"),
        ("Nông nghiệp", "AGRIBANK", "agribank"),
        ("NGAN HANG NONG NGHIEP VA PTNT", "AGRIBANK", "agribank"),
        ("Liên Việt", "LPBANK", "lpbank"),
        ("LienVietPostBank", "LPBANK", "lpbank"),
        ("lpbank", "LPBANK", "lpbank"),
        ("Nam Á", "NAMABANK", "namabank"),
        ("Ngân hàng TMCP Nam Á", "NAMABANK", "namabank"),
        ("Nam A Bank", "NAMABANK", "namabank"),
        ("VIETTEL MONEY", "VIETTELMONEY", "viettelmoney"),
        ("VNPT Money", "VNPTMONEY", "vnptmoney"),
        ("Momo", "MOMO", "momo"),
        ("Vietcombank", "VIETCOMBANK", None),
        ("Đông Á", "VIKKI", None),
        ("Chính sách xã hội", "VBSP", None),
    ],
)
def test_a_provider_is_found_by_its_many_names(text: str, code: str, partner: str | None) -> None:
    found = load_directory().find(text)
    assert found is not None
    assert (found.code, found.partner) == (code, partner)


@pytest.mark.parametrize("text", ["", "Ngân hàng", "bank", "TMCP", "ngân hàng gần chợ", "Á"])
def test_what_is_not_a_provider_is_not_guessed(text: str) -> None:
    assert load_directory().find(text) is None


def test_kinds_and_codes() -> None:
    providers = load_directory().providers
    assert providers["MOMO"].kind is AccountKind.WALLET
    assert providers["VNPTMONEY"].kind is AccountKind.MOBILE_MONEY
    assert {provider.partner for provider in providers.values()} - {None} == {
        "agribank", "lpbank", "namabank", "viettelmoney", "vnptmoney", "momo",
    }  # fmt: skip
    assert "LIENVIETPOSTBANK" not in providers  # renamed: an alias of its successor
