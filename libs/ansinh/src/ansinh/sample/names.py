"""Vietnamese personal names: Kinh, Chăm, Ê Đê and K'Ho, and the ways in which offices and banks write them differently."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from random import Random

__all__ = [
    "DIACRITIC_TWINS", "IY_TWINS", "PersonName", "make_name", "name_with_given", "other_person_name",
    "other_tone_style", "unaccented", "without_middle",
]  # fmt: skip

_FAMILY = (
    ("Nguyễn", 300), ("Trần", 120), ("Lê", 100), ("Phạm", 60), ("Huỳnh", 55), ("Võ", 50), ("Phan", 40), ("Đặng", 30), ("Bùi", 25),
    ("Đỗ", 22), ("Hồ", 20), ("Ngô", 18), ("Dương", 16), ("Lý", 10), ("Đinh", 12), ("Trương", 22), ("Mai", 9), ("Tạ", 6), ("Châu", 6),
    ("Lâm", 8), ("Cao", 7), ("Hà", 6), ("Lương", 7), ("Thái", 6), ("Đoàn", 10), ("Văn", 3), ("Tôn", 2), ("Kiều", 3), ("Từ", 2),
)  # fmt: skip
_words = str.split
_CHAM_FAMILY = ("Thông", "Qua", "Đàng", "Bá", "Xích", "Lư", "Nguyễn", "Thiên", "Ức", "Mang", "Dụng", "Lựu", "Não")
_MALE_MIDDLE = (("Văn", 50), ("Hữu", 8), ("Đức", 7), ("Quang", 6), ("Thanh", 7),
                ("Ngọc", 5), ("Minh", 5), ("Công", 4), ("Đình", 4), ("Xuân", 4))  # fmt: skip
_FEMALE_MIDDLE = (("Thị", 68), ("Ngọc", 6), ("Kim", 6), ("Thanh", 5),
                  ("Bích", 3), ("Minh", 2), ("Thị Kim", 4), ("Thị Ngọc", 3), ("Thị Bích", 3))  # fmt: skip
_MALE_GIVEN = tuple(_words(
    "An Ánh Ba Bình Bảy Bảo Cảnh Chiến Chính Công Cường Danh Dũng Đạt Điền Định Đông Đức Giang Hai Hải Hạnh Hiền Hiếu Hòa Hoàng "
    "Hội Hùng Huy Hưng Khánh Khoa Kiên Lâm Liêm Linh Long Lộc Lợi Luận Lực Mạnh Minh Mười Nam Năm Nghĩa Nhân Nhơn Phong Phú Phúc Phước "
    "Quân Quốc Quý Sáu Sang Sơn Sáng Tài Tám Tân Tâm Thạch Thái Thắng Thành Thiện Thìn Thịnh Thọ Thông Thuận Thủy Tiến Tín Toàn Trí "
    "Trung Trường Tú Tuấn Tùng Út Vinh Việt Xuân Thoại Khỏe"
))  # fmt: skip
_FEMALE_GIVEN = tuple(_words(
    "An Anh Ánh Ba Bảy Bé Bích Chi Cúc Châu Dung Duyên Đào Điệp Gái Hà Hai Hạnh Hằng Hiền Hoa Hòa Hồng Huệ Hương Khánh Kiều Lài Lan Liên "
    "Liễu Loan Lý Lợi Mai Mận Mười Mỹ Năm Nga Ngân Ngọc Nguyệt Nhàn Nhung Nở Nương Oanh Phấn Phụng Phương Phượng Quyên Sáu Sen Sương Tám "
    "Tâm Thanh Thảo Thắm Thơm Thu Thúy Thủy Thư Tím Tình Trang Trinh Tuyết Tư Út Vân Xinh Xuân Yến Hòa Thoa Nhụy Xòe"
))  # fmt: skip
_CHAM_GIVEN = tuple(_words(
    "Cường Đạt Điểu Hiếu Khánh Lắm Năng Ngọc Thọ Thạch Sự Phúc Phước Hồng Luyến Nhơn Sang Tài Thành Trình Vũ Xuân"
))  # fmt: skip
_EDE_CLAN = ("Niê", "Êban", "Kbuôr", "Mlô", "Byă", "Ayŭn", "Ktla")
_EDE_MALE = ("Moan", "Bhiông", "Wang", "Blô", "Ngông", "Thinh", "Krông")
_EDE_FEMALE = ("Blang", "Hương", "Bia", "Djuih", "Linh", "Yar", "Mrê")
_KHO = ("Brêm", "Văn", "Đam", "Thôn", "Tiêng", "Nhung", "Minh", "Huệ", "Yến")

# Given names that differ only in accents from another: a different person may bear the twin, so an officer must look.
DIACRITIC_TWINS = {
    "M": {"Tuấn": "Tuân", "Hùng": "Hưng", "Dũng": "Đúng", "Toàn": "Toán", "Tài": "Tại", "Sơn": "Sờn"},
    "F": {"Phương": "Phượng", "Lan": "Lân", "Nga": "Ngà", "Thu": "Thư", "Hằng": "Hàng", "Hoa": "Hòa"},
}
# i/y spellings: both valid, on an identity card different spellings of one name.
IY_TWINS = {"M": {"Quý": "Quí", "Kỳ": "Kì", "Sỹ": "Sĩ"}, "F": {"Mỹ": "Mĩ", "Lý": "Lí", "Vy": "Vi"}}

_TONES = {
    "òa": "oà", "óa": "oá", "ỏa": "oả", "õa": "oã", "ọa": "oạ", "òe": "oè", "óe": "oé", "ỏe": "oẻ", "õe": "oẽ", "ọe": "oẹ",
    "ùy": "uỳ", "úy": "uý", "ủy": "uỷ", "ũy": "uỹ", "ụy": "uỵ",
}  # fmt: skip
_TONE_PATTERN = re.compile("(" + "|".join(_TONES) + r")(?![^\W\d_])")
_UNACCENT_CACHE: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as on the identity card; `middle` is empty for some peoples."""

    family: str
    middle: str
    given: str

    @property
    def full(self) -> str:
        """Family, middle, given."""
        return " ".join(p for p in (self.family, self.middle, self.given) if p)


class _Weighted:
    """Weighted choice with the cumulative weights computed once."""

    def __init__(self, pairs: tuple[tuple[str, int], ...]) -> None:
        self._values = [p[0] for p in pairs]
        self._cumulative = list(accumulate(p[1] for p in pairs))

    def pick(self, rng: Random) -> str:
        return rng.choices(self._values, cum_weights=self._cumulative)[0]


_family, _male_middle, _female_middle = _Weighted(_FAMILY), _Weighted(_MALE_MIDDLE), _Weighted(_FEMALE_MIDDLE)


def make_name(rng: Random, sex: str, *, plain: bool = False) -> PersonName:
    """A name for `sex` ("M" or "F"); `plain` keeps to Kinh names of three or four tokens."""
    roll = rng.random()
    if not plain and roll < 0.05:
        return _minority_name(rng, sex, roll)
    middle = (_male_middle if sex == "M" else _female_middle).pick(rng)
    given = rng.choice(_MALE_GIVEN if sex == "M" else _FEMALE_GIVEN)
    return PersonName(_family.pick(rng), middle, given)


def _minority_name(rng: Random, sex: str, roll: float) -> PersonName:
    if roll < 0.030:
        return PersonName(rng.choice(_CHAM_FAMILY), "Thị" if sex == "F" else rng.choice(("Văn", "Đình", "Minh")), rng.choice(_CHAM_GIVEN))
    if roll < 0.042:
        if sex == "M":
            return PersonName("Y", rng.choice(_EDE_MALE), rng.choice(_EDE_CLAN))
        return PersonName("", "H'" + rng.choice(_EDE_FEMALE), rng.choice(_EDE_CLAN))
    return PersonName("", "K'" + rng.choice(_KHO) if sex == "M" else "Ka", rng.choice(_KHO))


def name_with_given(rng: Random, sex: str, given: str) -> PersonName:
    """A Kinh name that ends in `given`."""
    return PersonName(_family.pick(rng), "Văn" if sex == "M" else "Thị", given)


def other_person_name(rng: Random, sex: str, name: PersonName) -> PersonName:
    """A name that no rule may take for `name`: family and given differ also without accents."""
    while True:
        other = make_name(rng, sex, plain=True)
        if unaccented(other.family) != unaccented(name.family) and unaccented(other.given) not in unaccented(name.full):
            return other


def other_tone_style(text: str) -> str:
    """The same name with the tone mark on the other vowel (Hòa to Hoà, Thúy to Thuý): the same spelling to a reader."""
    return _TONE_PATTERN.sub(lambda m: _TONES[m.group(1)], text)


def unaccented(text: str) -> str:
    """Capitals without accents as banks hold names; Đ has no decomposition and is mapped by hand, apostrophes are dropped."""
    found = _UNACCENT_CACHE.get(text)
    if found is None:
        found = " ".join(_unaccent_token(t) for t in text.split())
        if len(_UNACCENT_CACHE) < 50_000:
            _UNACCENT_CACHE[text] = found
    return found


def _unaccent_token(token: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", token) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D").replace("'", "").replace("’", "").upper()


def without_middle(name: PersonName) -> str:
    """The name as typed when Thị or Văn was left out at the bank: family and given only."""
    return f"{name.family} {name.given}"
