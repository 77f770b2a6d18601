"""PDF papers read by another hand (PDFium): text with its marks, pages, tables that go on, the same bytes for the same paper."""

from __future__ import annotations

import tracemalloc
import unicodedata

import pypdfium2  # type: ignore[import-untyped]
import pytest

from common.paper import Fields, Paper, Signature, Table, Text
from common.pdf import pdf

# Every letter that Vietnamese has and plain Latin has not, in both cases.
_VOWELS = "aăâeêioôơuưy"
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
LETTERS = "".join(unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in _TONES) + "đ"
ALPHABET = LETTERS + LETTERS.upper()


def texts(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    pages = [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]
    document.close()
    return pages


def test_every_vietnamese_letter_can_be_read_back() -> None:
    paper = Paper("Báo cáo", [Text(word) for word in (ALPHABET[:70], ALPHABET[70:])])
    (page,) = texts(b"".join(pdf(paper)))
    found = page.replace("\n", "")
    assert ALPHABET[:70] in found
    assert ALPHABET[70:] in found


def test_letters_given_apart_from_their_marks_are_put_together() -> None:
    (page,) = texts(b"".join(pdf(Paper("x", [Text(unicodedata.normalize("NFD", "Nguyễn Thị Hồng – Đường Lê Lợi"))]))))
    assert "Nguyễn Thị Hồng – Đường Lê Lợi" in page


def test_a_paper_has_heading_number_signatures_and_amounts() -> None:
    paper = Paper(
        "Báo cáo kết quả chi trả",
        [Fields([("Kỳ", "Tháng 9/2024"), ("Ghi chú", "")]), Table(["Đơn vị", "Số tiền"], [("Phường Mũi Né", 1_234_567)])],
        authority="UBND TỈNH BÌNH THUẬN\nSỞ NỘI VỤ",
        number="12/BC-SNV",
        place_and_date="Bình Thuận, ngày 04 tháng 10 năm 2024",
        signatures=[Signature("NGƯỜI LẬP BIỂU"), Signature("GIÁM ĐỐC", "(Ký, đóng dấu)")],
    )
    (page,) = texts(b"".join(pdf(paper)))
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập – Tự do – Hạnh phúc", "SỞ NỘI VỤ", "Số: 12/BC-SNV", "BÁO CÁO KẾT QUẢ CHI TRẢ",
        "1.234.567", "NGƯỜI LẬP BIỂU", "(Ký, đóng dấu)",
    ):  # fmt: skip
        assert part in page


def test_a_long_table_goes_on_with_its_head_and_pages_are_numbered() -> None:
    rows = [(str(number), f"Người thứ {number}", number * 1000) for number in range(1, 201)]
    pages = texts(b"".join(pdf(Paper("Danh sách", [Table(["STT", "Họ tên", "Số tiền"], rows)]))))
    assert len(pages) > 3
    assert all("Họ tên" in page for page in pages)
    assert [page.split("\n")[0] for page in pages[1:3]] == ["2", "3"]
    whole = "\n".join(pages)
    assert all(f"Người thứ {number} " in whole or f"Người thứ {number}\n" in whole for number in range(1, 201))


def test_a_cell_longer_than_a_page_loses_nothing() -> None:
    words = " ".join(f"từ{number}" for number in range(3_000))
    whole = " ".join(texts(b"".join(pdf(Paper("x", [Table(["A", "B"], [("1", words)])])))))
    assert set(words.split(" ")) <= set(whole.split())


def test_the_same_paper_is_the_same_bytes() -> None:
    paper = Paper("x", [Table(["A"], [("một",), (2,)])])
    assert b"".join(pdf(paper)) == b"".join(pdf(paper))


@pytest.mark.parametrize("columns", [7, 8])
def test_a_wide_table_lies_on_its_side(columns: int) -> None:
    document = pypdfium2.PdfDocument(b"".join(pdf(Paper("x", [Table([f"Cột {n}" for n in range(columns)], [["1"] * columns])]))))
    width, height = document[0].get_size()
    document.close()
    assert (width > height) == (columns > 7)


def test_memory_does_not_grow_with_the_rows() -> None:
    def most(count: int) -> int:
        rows = ((str(number), "Nguyễn Văn An", number) for number in range(count))
        tracemalloc.start()
        for _ in pdf(Paper("x", [Table(["STT", "Họ tên", "Số tiền"], rows)])):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(100)  # faces are read once
    assert most(1_200) < most(300) + 512 * 1024


@pytest.mark.parametrize("rows", range(10, 34))
def test_nobody_signs_a_page_that_says_nothing_else(rows: int) -> None:
    lines = [(f"Phường {number}", number) for number in range(rows)]
    paper = Paper("Báo cáo", [Table(["Đơn vị", "Người"], lines), Text("Số liệu cố định")], signatures=[Signature("NGƯỜI LẬP BIỂU")])
    last = texts(b"".join(pdf(paper)))[-1]
    assert "NGƯỜI LẬP BIỂU" in last
    assert "Số liệu cố định" in last


@pytest.mark.parametrize("authority", ["UBND PHƯỜNG MŨI NÉ", "UBND TỈNH BÌNH THUẬN\nSỞ LAO ĐỘNG - THƯƠNG BINH VÀ XÃ HỘI"])
def test_the_rule_under_the_office_is_clear_of_its_letters(authority: str) -> None:
    document = pypdfium2.PdfDocument(b"".join(pdf(Paper("x", [Text("y")], authority=authority), landscape=True)))
    page = document[0]
    words = page.get_textpage()
    last = authority.split("\n")[-1]
    found = words.search(last).get_next()
    assert found is not None
    boxes = [words.get_charbox(found[0] + number) for number in range(len(last)) if last[number] != " "]
    rules = [one.get_bounds() for one in page.get_objects() if one.type == pypdfium2.raw.FPDF_PAGEOBJ_PATH]
    left, _, right, top = max(rules, key=lambda rule: (rule[0] < page.get_width() / 2, rule[3]))
    assert min(box[1] for box in boxes) - top > 2
    assert 0.3 < (right - left) / (boxes[-1][2] - boxes[0][0]) < 0.51
    document.close()
