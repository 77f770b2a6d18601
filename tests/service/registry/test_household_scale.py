"""A large unit's review and survey are set-based: one full review, one survey, its results by file.

`HOUSEHOLD_PEOPLE` sets another number of people (a province's: 60000), three to a household.
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
import pytest

from ansinh.effort import Effort
from common.actor import Role

PER_HOUSEHOLD = 3
HOMES = int(os.environ.get("HOUSEHOLD_PEOPLE", "15000")) // PER_HOUSEHOLD
PEOPLE = PER_HOUSEHOLD * HOMES
LISTED, OTHERS = 9 * HOMES // 10, HOMES // 40
DAY = "2024-08-20"


def _fill(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        "INSERT INTO person (file_code, is_beneficiary, full_name, name_folded, sex, unit_code, unit_path, programmes,"
        " identity_fingerprint, created_by) SELECT 'F-' || i, true, 'Nguyễn Thị Hoa', 'NGUYEN THI HOA', 'F', '22924', '60/593/22924',"
        " ARRAY['SOCIAL_ASSISTANCE'],"
        f" 'x', 'made' FROM generate_series(0, {PEOPLE - 1}) i"
    )
    conn.execute(
        "INSERT INTO entitlement (person_id, programme, funding_source, category, per_dependant, benefit_line, decision_number,"
        " decision_date, from_month) SELECT p.person_id, c.programme, c.funding_source, c.code, c.per_dependant, c.benefit_line, '1/QĐ',"
        " '2023-01-01', '2023-01-01' FROM person p, benefit_category c WHERE c.code = 'SA6_S'"
    )
    conn.execute(
        "INSERT INTO household (code, unit_code, unit_path, created_by, hamlet) SELECT 'H-' || i, '22924', '60/593/22924', 'made',"
        f" 'Thôn ' || i % 10 FROM generate_series(0, {HOMES - 1}) i"
    )
    conn.execute(
        "INSERT INTO household_member (household_id, person_id, relation, from_date)"
        " SELECT h.household_id, p.person_id, 'Con', '2020-01-01'"
        f" FROM person p JOIN household h ON h.code = 'H-' || CAST(substr(p.file_code, 3) AS int) / {PER_HOUSEHOLD}"
    )


def _timed(label: str, effort: Effort, limit: float) -> None:
    print(f"{label:50} {effort}")
    assert effort.seconds < limit, label


async def _review(world: Any, households: list[int], from_date: str, key: str) -> dict[str, Any]:
    text = "STT,Mã hộ,Họ tên,Diện\n" + "".join(f"{n},H-{n},x,Hộ nghèo\n" for n in households)
    fields = {
        "unit_code": "22924", "from_date": from_date, "decision_number": f"{key}/QĐ", "business_date": DAY, "mode": "FULL_REVIEW",
        "groups": "POOR,NEAR_POOR",
    }  # fmt: skip
    with Effort(world.db.url) as effort:
        taken = await world.checker.post(
            "/v1/group-lists/file", data=fields, files={"file": ("r.csv", text.encode())}, headers={"Idempotency-Key": f"review-{key}-1"}
        )
    assert taken.status_code == 202, taken.text
    _timed(f"review of {len(households):,} households checked", effort, 20)
    second = world.client_as(world.app, Role.APPROVER, units=("60",), subject="second")
    with Effort(world.db.url) as effort:
        done = await second.post(f"/v1/group-lists/{taken.json()['list_id']}/approve", json={"business_date": DAY})
    assert done.status_code == 200, done.text
    _timed(f"approved, {done.json()['people_affected']:,} people computed anew", effort, 60)
    return dict(done.json())


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_review_and_a_survey_of_a_large_unit(world: Any) -> None:
    with psycopg.connect(str(world.settings.owner_database_url).replace("postgresql+psycopg", "postgresql"), autocommit=True) as conn:
        _fill(conn)
    first = await _review(world, list(range(LISTED)), "2024-01-01", "a")
    assert (first["started"], first["people_affected"]) == (LISTED, PER_HOUSEHOLD * LISTED)
    second = await _review(world, list(range(OTHERS, LISTED + OTHERS)), "2024-07-01", "b")
    assert (second["started"], second["ended"], second["people_affected"]) == (
        OTHERS, OTHERS, 2 * PER_HOUSEHOLD * OTHERS
    )  # fmt: skip
    body = {"unit_code": "22924", "title": "Khảo sát", "business_date": DAY, "due_on": "2024-09-30"}
    with Effort(world.db.url) as effort:
        survey = (await world.checker.post("/v1/surveys", json=body, headers={"Idempotency-Key": "survey-001"})).json()
    assert (survey["tasks"], survey["people"]) == (HOMES, PEOPLE)
    _timed(f"survey opened for {PEOPLE:,} people", effort, 30)
    text = "STT,Mã hồ sơ,Họ và tên,Nguyện vọng\n" + "".join(f"{n},F-{n},x,TM\n" for n in range(HOMES))
    with Effort(world.db.url) as effort:
        sent = await world.checker.post(
            f"/v1/surveys/{survey['survey_id']}/results", data={"business_date": DAY}, files={"file": ("k.csv", text.encode())},
            headers={"Idempotency-Key": "results-001"},
        )  # fmt: skip
    assert (sent.json()["answered"], sent.json()["refused"]) == (HOMES, 0)
    _timed(f"{HOMES:,} answers by file recorded and published", effort, 30)
    progress = (await world.checker.get(f"/v1/surveys/{survey['survey_id']}")).json()
    assert (progress["answered"], progress["tasks_done"]) == (HOMES, HOMES // PER_HOUSEHOLD)
