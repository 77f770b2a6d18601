"""What two people decided stands for the same data and the same answer about the person."""

from __future__ import annotations

import pytest

from common.contracts.identity_verify_v1 import Verdict
from identity_verify.domain.verdict import CONFIRMED, Finding, still_decided

FIELDS = {"number": "match", "name": "REVIEW_DIACRITIC", "birth_date": "match", "sex": "match"}
DECIDED = {"verdict": "VERIFIED", "fields": FIELDS, "fingerprint": "f", "by": "a,b"}


@pytest.mark.parametrize(
    ("fields", "fingerprint", "verdict"),
    [
        (FIELDS, "f", Verdict.VERIFIED),
        ({**FIELDS, "account": "mismatch"}, "f", Verdict.VERIFIED),
        (FIELDS, "other", Verdict.REVIEW),
        ({**FIELDS, "birth_date": "mismatch"}, "f", Verdict.REVIEW),
    ],
)
def test_it_stands_while_nothing_about_the_person_differs(fields: dict[str, str], fingerprint: str, verdict: Verdict) -> None:
    found = still_decided(Finding(Verdict.REVIEW, fields), fingerprint, DECIDED)
    assert found.verdict is verdict
    assert (found.fields.get("decision") == CONFIRMED) is (verdict is Verdict.VERIFIED)
    assert found.fields.get("account") == fields.get("account"), "the word on the account is told all the same"


def test_it_does_not_stand_against_a_death() -> None:
    assert still_decided(Finding(Verdict.DECEASED, FIELDS), "f", DECIDED).verdict is Verdict.DECEASED
