"""The people are structurally right, the defects are real defects, and the seed decides everything."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
from pathlib import Path

import pytest

from ansinh.sample import read_manifest, write_sample
from ansinh.sample.law import MERIT, SOCIAL_ASSISTANCE, Line, amount, draw_lines
from ansinh.sample.model import PROVIDERS
from ansinh.sample.names import (
    DIACRITIC_TWINS,
    IY_TWINS,
    make_name,
    name_with_given,
    other_person_name,
    other_tone_style,
    unaccented,
    without_middle,
)
from ansinh.sample.truth import read_people
from common.names import NameVerdict, compare
from common.tabular import read_rows
from registry.domain.columns import COLUMNS


def _digests(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, people=2_500, seed=42)
    return folder


def test_same_seed_same_bytes_other_seed_other_people(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_sample(tmp_path / name, people=300, seed=seed)
    a, b, c = (_digests(tmp_path / n) for n in "abc")
    assert a == b
    assert a["truth-people.jsonl.gz"] != c["truth-people.jsonl.gz"]


def test_processes_do_not_change_what_is_written(tmp_path: Path) -> None:
    write_sample(tmp_path / "one", people=3_200, seed=9, processes=1)
    write_sample(tmp_path / "two", people=3_200, seed=9, processes=2)
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_numbers_agree_with_province_sex_and_year(sample: Path) -> None:
    rows = sqlite3.connect(sample / "world.sqlite").execute("SELECT number, birth_date, sex FROM person").fetchall()
    home = 0
    for number, born, sex in rows:
        assert len(number) == 12
        assert number.isdigit()
        assert int(number[3]) % 2 == (sex == "F")
        year = int(born[:4])
        assert (1900 if int(number[3]) < 2 else 2000) + int(number[4:6]) == year
        home += number.startswith("060")
    assert len({r[0] for r in rows}) == len(rows)
    assert home / len(rows) > 0.85


def test_lists_are_read_with_every_column_known(sample: Path) -> None:
    seen = {"xlsx": 0, "csv": 0}
    for file in read_manifest(sample).files:
        if file["kind"] == "ACCOUNTS":
            continue
        path = sample / str(file["path"])
        table = read_rows(path.read_bytes(), path.name, COLUMNS)
        assert set(table.columns) == {c.name for c in COLUMNS}
        assert sum(1 for _ in table.rows) == file["rows"]
        seen[path.suffix[1:]] += 1
    assert min(seen.values()) > 5


def test_every_paid_account_exists_is_open_and_belongs_to_its_payee(sample: Path) -> None:
    world = sqlite3.connect(sample / "world.sqlite")
    codes = {p.code for p in read_people(sample) if p.outcome == "PAID" and p.channel in ("BANK", "WALLET", "MOBILE_MONEY")}
    found = 0
    for file in read_manifest(sample).files:
        if file["kind"] != "ACCOUNTS" or not str(file["path"]).endswith(".csv"):
            continue
        text = (sample / str(file["path"])).read_text(encoding="utf-8-sig").splitlines()
        for row in csv.reader(text, delimiter=max(";,", key=text[-4].count)):
            if len(row) > 6 and row[1] in codes:
                number = row[6].replace(" ", "")
                query = "SELECT status, holder_name, pay_behaviour FROM account WHERE account_number = ?"
                held = world.execute(query, (number,)).fetchall()
                assert [(h[0], h[2]) for h in held] == [("OPEN", "OK")]
                assert held[0][1] == row[7]
                found += 1
    assert found > 100


def test_twins_and_variants_need_an_officer_and_strangers_are_strangers() -> None:
    from random import Random

    rng = Random(3)
    for sex in "MF":
        for given, twin in DIACRITIC_TWINS[sex].items():
            assert compare(name_with_given(rng, sex, given).full, f"Trần Thị {twin}") is not NameVerdict.MATCH
            assert compare(f"Trần Văn {given}", f"Trần Văn {twin}") is NameVerdict.REVIEW_DIACRITIC
        for given, twin in IY_TWINS[sex].items():
            assert compare(f"Trần Văn {given}", f"Trần Văn {twin}") is NameVerdict.REVIEW_VARIANT
        for _ in range(2_000):
            name = make_name(rng, sex)
            assert compare(name.full, other_tone_style(name.full)) is NameVerdict.MATCH
            assert compare(name.full, unaccented(name.full)) in (NameVerdict.MATCH, NameVerdict.MATCH_UNACCENTED)
            assert compare(name.full, other_person_name(rng, sex, name).full) is NameVerdict.MISMATCH
            plain = name_with_given(rng, sex, make_name(rng, sex, plain=True).given)
            assert compare(plain.full, unaccented(without_middle(plain))) is NameVerdict.REVIEW_VARIANT


def test_amounts_follow_the_tables() -> None:
    assert amount(Line("SA6_XS_CE"), "2024-09") == 1_250_000
    assert amount(Line("SA6_XS_CE"), "2024-06") == 900_000
    assert amount(Line("MR_WOUNDED", 21), "2024-09") == 1_878_000
    assert amount(Line("MR_WOUNDED_B", 100), "2024-07") == 7_397_000
    assert amount(Line("MR_MARTYR_1"), "2024-06") is None


def test_every_category_has_an_amount() -> None:
    from random import Random

    rng = Random(8)
    for programme in (MERIT, SOCIAL_ASSISTANCE):
        for _ in range(3_000):
            category, lines = draw_lines(rng, programme, adult=False)
            assert category.first_year <= category.last_year
            assert all((amount(line, "2024-09") or 0) > 0 for line in lines)


def test_account_numbers_are_unique_and_shaped(sample: Path) -> None:
    rows = sqlite3.connect(sample / "world.sqlite").execute("SELECT provider_code, account_number, holder_name FROM account").fetchall()
    assert {r[0] for r in rows} == {p.code for p in PROVIDERS}
    for _, number, holder in rows:
        assert 6 <= len(number) <= 19
        assert number.isalnum()
        assert holder.isascii()
        assert holder == holder.upper()
    assert len({r[1] for r in rows}) == len(rows)
