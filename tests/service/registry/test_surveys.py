"""The preference survey: who is asked, who goes there, what is printed, and what is believed of the answers."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_test_helpers import UNIT_PATH, row

from common.actor import Role
from common.contracts.registry_v1 import PreferenceRecorded
from registry.domain.survey_rows import read_row

DAY = "2024-10-05"


@pytest.fixture
async def village(world: Any) -> dict[str, str]:
    """A-1 and A-2 in one household, A-3 alone, A-4 has answered, A-5 is dead; the survey is open."""
    await world.take([
        row(f"A-{n}", f"06019000000{n}", full_name=f"Nguyễn Thị {name}", preference="TK" if n == 4 else "")
        for n, name in enumerate(("Một", "Hai", "Ba", "Bốn", "Năm"), start=1)
    ])  # fmt: skip
    people = {f"A-{n}": await world.id_of(f"A-{n}") for n in range(1, 6)}
    members = [{"beneficiary_id": people["A-1"], "relation": "Chủ hộ"}, {"beneficiary_id": people["A-2"], "relation": "Vợ"}]
    home = {"code": "H-1", "unit_code": "22924", "business_date": DAY, "from_date": "2024-01-01", "members": members, "hamlet": "Thôn 2"}
    made = await world.maker.post("/v1/households", json=home, headers={"Idempotency-Key": "household-1"})
    assert made.status_code == 201, made.text
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE person SET status = 'DECEASED', death_date = '2024-09-01' WHERE file_code = 'A-5'")
    return people


async def _open(world: Any, key: str = "1") -> dict[str, Any]:
    body = {"unit_code": "22924", "title": "Khảo sát quý IV", "business_date": DAY, "due_on": "2024-10-31"}
    answer = await world.maker.post("/v1/surveys", json=body, headers={"Idempotency-Key": f"survey-{key:>03}"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def _tasks(world: Any, client: Any = None, **params: Any) -> list[dict[str, Any]]:
    answer = await (client or world.maker).get("/v1/survey-tasks", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def _answer(world: Any, task: dict[str, Any], answers: dict[str, str], client: Any = None, **more: Any) -> Any:
    given_ = [{"beneficiary_id": person, "preference": said} | more for person, said in answers.items()]
    return await (client or world.maker).post(
        f"/v1/survey-tasks/{task['task_id']}/answers",
        json={"business_date": DAY, "answered_on": DAY, "answers": given_},
        headers={"If-Match": f'"{task["version"]}"'},
    )


async def test_everybody_alive_without_an_answer_is_asked_once_a_task_per_household(world: Any, village: dict[str, str]) -> None:
    made = await _open(world)
    assert (made["tasks"], made["people"]) == (2, 3)
    again = await _open(world, "2")
    assert (again["tasks"], again["people"]) == (0, 0)
    asked = {tuple(sorted(item["full_name"] for item in task["people"])): task["hamlet"] for task in await _tasks(world)}
    assert asked == {("Nguyễn Thị Hai", "Nguyễn Thị Một"): "Thôn 2", ("Nguyễn Thị Ba",): None}


async def test_tasks_are_given_by_hamlet_and_the_rest_to_somebody_else(world: Any, village: dict[str, str]) -> None:
    survey = (await _open(world))["survey_id"]
    police = world.client_as(world.app, Role.COMMUNE_POLICE, units=(UNIT_PATH,), subject="police-1")

    async def give(**body: Any) -> int:
        return int((await world.maker.post(f"/v1/surveys/{survey}/assign", json=body)).json()["tasks"])

    assert await give(officer="police-1", hamlet="Thôn 2") == 1
    assert await give(officer="officer-2") == 1
    assert await give(officer="officer-2") == 0
    assert [task["hamlet"] for task in await _tasks(world, police, mine=True)] == ["Thôn 2"]
    assert (await police.post(f"/v1/surveys/{survey}/assign", json={"officer": "x"})).status_code == 403
    progress = (await world.maker.get(f"/v1/surveys/{survey}")).json()
    assert (progress["tasks"], progress["tasks_unassigned"], progress["answered"]) == (2, 0, 0)


async def test_answers_at_the_door_are_recorded_and_published_once(world: Any, village: dict[str, str]) -> None:
    survey = (await _open(world))["survey_id"]
    (task,) = await _tasks(world, hamlet="Thôn 2")
    half = await _answer(world, task, {village["A-1"]: "DECLINES"}, evidence="nói tại nhà")
    assert (half.status_code, half.json()["state"], half.headers["ETag"]) == (200, "OPEN", '"2"')
    assert (await _answer(world, task, {village["A-2"]: "WANTS_ACCOUNT"})).status_code == 412
    done = await _answer(world, half.json(), {village["A-2"]: "WANTS_ACCOUNT"})
    assert (done.json()["state"], done.json()["done_on"]) == ("DONE", DAY)
    events = [item["body"] for item in await world.events("PreferenceRecorded")]
    said = [(item["beneficiary_id"], item["preference"]) for item in events if item["recorded_on"] == DAY]
    assert said == [(village["A-1"], "DECLINES"), (village["A-2"], "WANTS_ACCOUNT")]
    for body in events:
        PreferenceRecorded.model_validate(body)
    person = (await world.maker.get(f"/v1/beneficiaries/{village['A-1']}")).json()
    assert (person["preference"], person["preference_on"], person["preference_evidence"]) == ("DECLINES", DAY, "nói tại nhà")
    assert (await world.maker.get(f"/v1/surveys/{survey}")).json()["answered"] == 2


async def test_what_is_wrong_with_an_answer_is_named(world: Any, village: dict[str, str]) -> None:
    await _open(world)
    (task,) = await _tasks(world, hamlet="Thôn 2")
    bare = await _answer(world, task, {village["A-1"]: "FORCE_MAJEURE"})
    assert (bare.status_code, bare.json()["errors"][0]["code"]) == (422, "EVIDENCE_NEEDED")
    stranger = await _answer(world, task, {village["A-3"]: "DECLINES"})
    assert (stranger.status_code, stranger.json()["errors"][0]["code"]) == (422, "NOT_ASKED")
    reason = await _answer(world, task, {village["A-1"]: "FORCE_MAJEURE"}, evidence="Liệt, không có người nhận thay")
    assert reason.status_code == 200
    other = world.client_as(world.app, Role.COMMUNE_POLICE, units=("60/593/22915",), subject="other")
    assert (await _answer(world, task, {village["A-2"]: "DECLINES"}, other)).status_code == 404
    assert await _tasks(world, other) == []


async def test_a_results_file_gives_every_row_its_verdict(world: Any, village: dict[str, str]) -> None:
    survey = (await _open(world))["survey_id"]
    text = (
        "STT;Mã hồ sơ;Họ và tên;Nguyện vọng;Căn cứ;Ngày trả lời\n1;A-1;x;TM;;03/10/2024\n2;A-2;x;BKK;;\n3;A-3;x;;;\n4;A-4;x;TK;;\n"
        "5;A-1;x;TK;;\n6;;x;TK;;\n7;A-3;x;có lẽ;;\n"
    )

    async def send(key: str) -> Any:
        files = {"file": ("ket-qua.csv", text.encode())}
        headers = {"Idempotency-Key": f"results-{key}"}
        return await world.maker.post(f"/v1/surveys/{survey}/results", data={"business_date": DAY}, files=files, headers=headers)

    found = (await send("one")).json()
    assert [(item["row_number"], item["verdict"], [why["code"] for why in item["reasons"]]) for item in found["rows"]] == [
        (2, "ANSWERED", []), (3, "REFUSED", ["EVIDENCE_NEEDED"]), (4, "UNANSWERED", []), (5, "REFUSED", ["NOT_ASKED"]),
        (6, "REFUSED", ["DUPLICATE_SUBJECT"]), (7, "REFUSED", ["MISSING_FILE_CODE"]),
        (8, "REFUSED", ["BAD_PREFERENCE", "DUPLICATE_SUBJECT"]),
    ]  # fmt: skip
    assert (found["answered"], found["unanswered"], found["refused"]) == (1, 1, 5)
    person = (await world.maker.get(f"/v1/beneficiaries/{village['A-1']}")).json()
    assert (person["preference"], person["preference_on"]) == ("DECLINES", "2024-10-03")
    before = len(await world.events("PreferenceRecorded"))
    assert (await send("two")).status_code == 200
    assert len(await world.events("PreferenceRecorded")) == before


async def test_the_sheet_prints_who_has_not_answered_without_numbers_and_escaped(world: Any, village: dict[str, str]) -> None:
    survey = (await _open(world))["survey_id"]
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE survey_task SET address = '<script>x</script>' WHERE hamlet = 'Thôn 2'")
    page = await world.maker.get(f"/v1/surveys/{survey}/sheet")
    async with world.db.read() as tx:
        office = await tx.value("SELECT name FROM administrative_unit WHERE code = '22924' ORDER BY valid_from DESC LIMIT 1")
    assert f"ỦY BAN NHÂN DÂN {office.upper()}" in page.text
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page.text
    assert all(f"Nguyễn Thị {name}<" in page.text for name in ("Một", "Hai", "Ba"))
    assert not re.search(r"Nguyễn Thị (Bốn|Năm)<|<script|0601900|SA6", page.text)
    hamlet = (await world.maker.get(f"/v1/surveys/{survey}/sheet", params={"hamlet": "Thôn 2"})).text
    assert "Nguyễn Thị Ba<" not in hamlet
    other = world.client_as(world.app, Role.AUDITOR, units=("60/593/22915",))
    assert (await other.get(f"/v1/surveys/{survey}/sheet")).status_code == 404


async def test_health_facts_and_numbers_are_in_no_answer_of_the_survey_or_of_households(world: Any, village: dict[str, str]) -> None:
    await _open(world)
    texts = [
        (await world.maker.get(path)).text
        for path in ("/v1/survey-tasks", "/v1/surveys", "/v1/households", f"/v1/beneficiaries/{village['A-1']}/living")
    ]
    for text in texts:
        assert not re.search(r"SA6|khuyết tật|HIV|06019000000", text)


@given(st.dictionaries(st.sampled_from(["file_code", "preference", "evidence", "answered_on"]), st.text(max_size=40)))
def test_any_row_is_read_or_refused_with_reasons(values: dict[str, str]) -> None:
    found = read_row(values, date(2024, 10, 5))
    assert all(item.vi and item.en for item in found.reasons)
    assert found.reasons or (found.file_code and found.answered_on <= date(2024, 10, 5))
