"""What looks alike is alike: composed and combining letters, full-width forms, characters nobody sees."""

from __future__ import annotations

import unicodedata

import pytest

from common.letters import plain
from common.lists.cells import hide_numbers, parse_amount_vi, parse_date_vi
from common.lists.raw import tidy
from common.masking import hide_long_numbers
from common.names import clean, compare, folded
from disbursement.channels.statements.references import our_reference

NAME = "Nguyễn Thị Hường"
REFERENCE = "01920E5C6C1D7A549C0E2F6F0D6A1B11001"


def wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def seeded(text: str) -> str:
    return "\u202e" + "\u200b".join(text) + "\ufeff"


FORMS = [str, wide, seeded, lambda text: unicodedata.normalize("NFD", text), lambda text: seeded(unicodedata.normalize("NFD", wide(text)))]


@pytest.mark.parametrize("form", FORMS)
def test_a_text_is_the_same_however_it_was_typed(form: object) -> None:
    assert callable(form)
    assert plain(form(NAME)) == clean(form(NAME)) == tidy(form(NAME)) == NAME
    assert folded(form(NAME)) == "NGUYEN THI HUONG"
    assert compare(form(NAME), NAME) == "MATCH"
    assert our_reference(form(f"chi tro cap {REFERENCE}")) == our_reference(form(REFERENCE)) == REFERENCE
    assert parse_amount_vi(tidy(form("1.878.000 đ"))) == 1_878_000
    assert parse_date_vi(tidy(form("05/09/2024"))) == "2024-09-05"


@pytest.mark.parametrize("form", FORMS)
def test_a_number_is_hidden_however_it_was_typed(form: object) -> None:
    assert callable(form)
    said = form("Số 060150123456")
    assert (hide_long_numbers(said), hide_numbers(said)) == ("Số ***", ("Số ***", True))


def test_other_scripts_stay_as_they_are() -> None:
    assert plain("Đinh Y Krông — ½ ngày · 中文") == "Đinh Y Krông — ½ ngày · 中文"
