"""The people are structurally right, the defects are real defects, and the seed decides everything."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
import unicodedata
from datetime import date
from functools import cache
from pathlib import Path
from random import Random

import pytest

from accounts.domain.rows import COLUMNS as ACCOUNT_COLUMNS
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
from ansinh.sample.truth import read_people, read_totals
from common.names import NameVerdict, compare
from common.tabular import read_rows
from registry.domain.columns import COLUMNS
from registry.domain.rows import Category, Rules, check_row


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
        columns = ACCOUNT_COLUMNS if file["kind"] == "ACCOUNTS" else COLUMNS
        path = sample / str(file["path"])
        table = read_rows(path.read_bytes(), path.name, columns)
        assert {c.name for c in columns if c.required} <= set(table.columns)
        assert {name.upper() for name in table.unknown} <= {"STT", "TT"}
        assert sum(1 for _ in table.rows) == file["rows"]
        seen[path.suffix[1:]] += 1
    assert min(seen.values()) > 5


def _rules(programme: str, unit: str, day: str) -> Rules:
    codes = {line.category for p in (MERIT, SOCIAL_ASSISTANCE) for line in _every_line(p)}
    categories = {c: Category(c, MERIT if c.startswith("MR") else SOCIAL_ASSISTANCE, c in ("MR_WOUNDED", "MR_WOUNDED_B")) for c in codes}
    return Rules(programme, unit, f"60/1/{unit}", date.fromisoformat(day), categories, {unit: f"60/1/{unit}"})


@cache
def _every_line(programme: str) -> set[Line]:
    rng = Random(1)
    return {line for _ in range(20_000) for line in draw_lines(rng, programme, adult=False)[1]}


def test_exactly_the_malformed_rows_are_refused_by_the_registrys_own_rules(sample: Path) -> None:
    manifest = read_manifest(sample)
    refused, shapes = set(), {"year_only": 0, "decomposed": 0, "same_name": 0}
    for file in manifest.files:
        if file["kind"] == "ACCOUNTS":
            continue
        path = sample / str(file["path"])
        shapes["decomposed"] += path.suffix == ".csv" and not unicodedata.is_normalized("NFC", path.read_text(encoding="utf-8-sig"))
        rules = _rules(str(file["kind"]), str(file["unit_code"]), manifest.business_date)
        for row in read_rows(path.read_bytes(), path.name, COLUMNS).rows:
            checked = check_row(row.values, rules)
            assert not checked.warnings
            shapes["year_only"] += len(checked.birth_date or "") == 4
            shapes["same_name"] += checked.rep_name_folded == checked.name_folded
            if checked.reasons:
                refused.add((file["path"], row.number))
    expected = {(r["file"], r["row"]) for r in read_totals(sample)["refused"] if r["reason"] != "DUPLICATE"}
    assert refused == expected
    assert len(expected) > 3
    assert shapes["year_only"] > 10
    assert shapes["decomposed"] > 0
    assert shapes["same_name"] == 0  # a registration names the payee by name only


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
