"""Made-up people in any number, for benches: structurally right numbers, one open bank account each. Nobody in it exists."""

from __future__ import annotations

import random
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from simulators.world import WORLD_DDL

__all__ = ["generate", "people"]

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý")
_MIDDLE = {"M": ("Văn", "Đức", "Hữu", "Minh", "Quốc"), "F": ("Thị", "Thị Kim", "Thị Ngọc", "Thị Thu", "Thị Mỹ")}
_GIVEN = {
    "M": ("Hùng", "Dũng", "Tuấn", "Sơn", "Bình", "Long", "Phúc", "Tài", "Khánh", "Thành"),
    "F": ("Hoa", "Lan", "Phượng", "Hằng", "Nga", "Thảo", "Hương", "Loan", "Yến", "Xuân"),
}
_PROVINCES = ("060", "091", "042", "058", "056")
_OLDEST = date(1925, 1, 1)
_DAYS = (date(2010, 1, 1) - _OLDEST).days
_CHUNK = 10_000
Person = tuple[str, str, str, str, str, str | None, int]


def people(count: int, seed: int) -> Iterator[Person]:
    """Rows of world `person`; the same seed gives the same people, and nobody twice."""
    chance = random.Random(seed)
    serials: Counter[str] = Counter()
    made = 0
    while made < count:
        sex = chance.choice("MF")
        born = _OLDEST + timedelta(days=chance.randrange(_DAYS))
        # Digit 4 of a personal number holds century and sex (Decree 137/2015): 0 and 1 for 19xx, 2 and 3 for 20xx.
        century = (0 if born.year < 2000 else 2) + (sex == "F")
        prefix = f"{chance.choice(_PROVINCES)}{century}{born.year % 100:02d}"
        serials[prefix] += 1
        if serials[prefix] > 999_999:
            continue
        name = f"{chance.choice(_FAMILY)} {chance.choice(_MIDDLE[sex])} {chance.choice(_GIVEN[sex])}"
        # A step prime to a million spreads the serials and never repeats one.
        number = f"{prefix}{serials[prefix] * 524_287 % 1_000_000:06d}"
        yield number, name, born.isoformat(), sex, "ALIVE", None, 0
        made += 1


def generate(out: Path, count: int, seed: int) -> None:
    """Write a new world.sqlite with `count` people, each with an open AGRIBANK account, in flat memory."""
    out.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(out, isolation_level=None)
    try:
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;" + WORLD_DDL)
        connection.execute("BEGIN")
        chunk: list[Person] = []
        for serial, person in enumerate(people(count, seed), 1):
            chunk.append(person)
            if len(chunk) == _CHUNK or serial == count:
                _write(connection, chunk, serial - len(chunk))
                chunk.clear()
        connection.execute("COMMIT")
    finally:
        connection.close()


def _write(connection: sqlite3.Connection, chunk: list[Person], start: int) -> None:
    connection.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?)", chunk)
    connection.executemany(
        "INSERT INTO account VALUES ('agribank', 'AGRIBANK', ?, ?, ?, 'OPEN', 'OK')",
        ((f"4800{start + offset:09d}", _folded(person[1]), person[0]) for offset, person in enumerate(chunk)),
    )


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).upper()
