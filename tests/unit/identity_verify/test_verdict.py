"""The verdict on one person: names of domain §6.3, birth dates at the precision known, what each status means."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from common.contracts.identity_verify_v1 import Verdict
from identity_verify.domain.dates import agree_at_common_precision
from identity_verify.domain.verdict import Answer, Asked, SourceStatus, judge
from identity_verify.usecases.cut_off import TOTALS

PAIRS = list(csv.DictReader((Path(__file__).parent / "name_pairs.csv").open(encoding="utf-8")))
VERDICT_OF_NAME = {
    "MATCH": Verdict.VERIFIED,
    "MATCH_UNACCENTED": Verdict.VERIFIED,
    "REVIEW_DIACRITIC": Verdict.REVIEW,
    "REVIEW_VARIANT": Verdict.REVIEW,
    "MISMATCH": Verdict.SUSPECTED_IDENTITY,
}
ASKED = Asked("Trần Thị Phương", "1950-03-05", "F")


def answer(
    status: SourceStatus = SourceStatus.MATCH, name: str | None = "Trần Thị Phương", birth: str | None = "1950-03-05", **more: object
):
    return Answer(status, name, birth, **more)


def test_there_are_forty_pairs() -> None:
    assert len(PAIRS) == 40


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["id"] for pair in PAIRS])
def test_names_decide_between_pass_review_and_suspicion(pair: dict[str, str]) -> None:
    found = judge(Asked(pair["name_a"], "1950", "F"), answer(name=pair["name_b"], birth="1950-03-05"))
    assert found is not None
    assert found.fields["name"] == pair["expected_name_verdict"]
    assert found.verdict is VERDICT_OF_NAME[pair["expected_name_verdict"]]


def test_two_men_of_one_name_are_told_apart_by_birth_date() -> None:
    found = judge(Asked("Nguyễn Văn Minh", "1950", "M"), answer(name="Nguyễn Văn Minh", birth="1975-06-01"))
    assert found is not None
    assert found.verdict is Verdict.REVIEW
    assert found.fields["birth_date"] == "mismatch"


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [
        ("1950", "1950-03-05", True),
        ("1950-03", "1950-03-05", True),
        ("1950-03-05", "1950", True),
        ("1950-03-05", "1950-03-05", True),
        ("1950-03-05", "1950-03-06", False),
        ("1950-03", "1950-04-05", False),
        ("1951", "1950-03-05", False),
        (None, "1950-03-05", None),
        ("1950", None, None),
    ],
)
def test_birth_dates_are_compared_at_the_precision_both_have(ours: str | None, theirs: str | None, agree: bool | None) -> None:
    assert agree_at_common_precision(ours, theirs) is agree


def test_an_unreadable_birth_date_is_never_a_pass() -> None:
    with pytest.raises(ValueError, match="YYYY"):
        agree_at_common_precision("05/03/1950", "1950")
    found = judge(Asked("Trần Thị Phương", "05/03/1950", "F"), answer())
    assert found is not None
    assert found.verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (SourceStatus.MATCH, Verdict.VERIFIED),
        (SourceStatus.MISMATCH, Verdict.VERIFIED),  # the source compares letters; §6.2 decides, here all our fields agree
        (SourceStatus.NOT_FOUND, Verdict.NOT_FOUND),
        (SourceStatus.NOT_COLLECTED, Verdict.NOT_FOUND),
        (SourceStatus.MULTIPLE, Verdict.REVIEW),
        (SourceStatus.DECEASED, Verdict.DECEASED),
    ],
)
def test_each_status_has_its_verdict(status: SourceStatus, verdict: Verdict) -> None:
    found = judge(ASKED, answer(status))
    assert found is not None
    assert found.verdict is verdict


@pytest.mark.parametrize("status", [SourceStatus.ERROR, SourceStatus.NOT_ASKED])
def test_no_answer_gives_no_verdict(status: SourceStatus) -> None:
    assert judge(ASKED, answer(status)) is None


def test_a_match_without_the_registered_name_is_not_believed() -> None:
    assert judge(ASKED, answer(SourceStatus.MATCH, name=None)) is None


def test_a_strangers_death_is_a_suspicion_and_not_our_persons_death() -> None:
    found = judge(ASKED, answer(SourceStatus.DECEASED, name="Lê Văn Tám", death_date=date(2020, 1, 1)))
    assert found is not None
    assert found.verdict is Verdict.SUSPECTED_IDENTITY
    assert found.death_date is None


def test_a_death_carries_its_date() -> None:
    found = judge(ASKED, answer(SourceStatus.DECEASED, death_date=date(2024, 7, 30)))
    assert found is not None
    assert found.death_date == date(2024, 7, 30)


def test_sex_is_noted_and_decides_nothing() -> None:
    found = judge(ASKED, answer(sex_field="mismatch"))
    assert found is not None
    assert (found.verdict, found.fields["sex"]) == (Verdict.VERIFIED, "mismatch")


def test_totals_that_were_not_announced_never_agree_by_silence() -> None:
    found = {"beneficiaries": 2, "beneficiary_versions": 3, "representatives": 0, "representative_versions": 0}
    assert TOTALS.difference(found, found) == {}
    assert TOTALS.difference({}, found) == {"beneficiaries": -2, "beneficiary_versions": -3}
    assert TOTALS.difference({**found, "entitlements": 9}, found) == {}
    assert TOTALS.difference({"beneficiaries": 2, "beneficiary_versions": 3}, {**found, "representatives": 1}) == {}
    assert TOTALS.difference({**found, "representatives": 1}, found) == {"representatives": 1}
