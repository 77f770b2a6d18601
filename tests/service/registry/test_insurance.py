"""A list is frozen and sent, the answer is checked line by line, and what people draw elsewhere counts in their dues."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from registry_test_helpers import row

from common.actor import Role

DAY = "2024-08-20"


@pytest.fixture
async def frozen(world: Any) -> Any:
    await world.take([
        row("A-1", "060140000001", category="SA5C", birth_date="1940", full_name="Bùi Thị An"),
        row("A-2", "060140000002", category="SA5C", birth_date="1940", full_name="Lê Văn Bình"),
        row("A-3", "", category="SA6_S", full_name="Trần Văn Công"),
    ])  # fmt: skip
    body = {"unit_code": "22924", "business_date": DAY, "programmes": ["SOCIAL_ASSISTANCE"]}
    sent = await world.maker.post("/v1/insurance-lists", json=body, headers={"Idempotency-Key": "freeze-001"})
    assert sent.status_code == 201, sent.text
    world.list = sent.json()["list_id"]
    return world


async def _file(world: Any, **params: Any) -> list[list[str]]:
    answer = await world.maker.get(f"/v1/insurance-lists/{world.list}/file", params={"format": "csv"} | params)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def _load(world: Any, filled: dict[str, tuple[str, ...]], key: str = "answer-01", told_on: str = "2024-08-25") -> Any:
    """Send the list back with (result, kind, amount, from, to) by name."""
    lines = await _file(world)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows(lines[:2])
    for line in lines[2:]:
        if line[1] in filled:
            writer.writerow([*line[:6], *filled[line[1]]])
    return await world.maker.post(
        f"/v1/insurance-lists/{world.list}/answers", data={"told_on": told_on}, files={"file": ("a.csv", out.getvalue().encode())},
        headers={"Idempotency-Key": key},
    )  # fmt: skip


async def _decide(client: Any, answer: str, approve: bool = True) -> Any:
    return await client.post(f"/v1/insurance-answers/{answer}/decision", json={"approve": approve, "business_date": "2024-08-25"})


async def test_the_list_stays_as_it_was_sent(frozen: Any) -> None:
    before = await _file(frozen)
    assert [line[:2] for line in before[2:]] == [["1", "Bùi Thị An"], ["2", "Lê Văn Bình"], ["3", "Trần Văn Công"]]
    assert before[2][4] == "060*****0001"
    await frozen.take([row("A-4", "060140000004", full_name="An Mới")])
    await frozen.change_identity(await frozen.id_of("A-1"), full_name="Bùi Thị Ánh")
    assert await _file(frozen) == before
    whole = await _file(frozen, whole_numbers=True, purpose="gửi BHXH đối chiếu")
    assert whole[2][4] == "060140000001"


async def test_what_is_drawn_elsewhere_ends_what_is_due_here(frozen: Any) -> None:
    assert (await frozen.due("A-1", "2024-09"))["total"] == 500_000
    loaded = await _load(frozen, {
        "Bùi Thị An": ("CÓ", "Lương hưu", "3.000.000", "07/2024", ""), "Lê Văn Bình": ("không", "", "", "", ""),
    })  # fmt: skip
    assert loaded.status_code == 201, loaded.text
    answer = loaded.json()["answer_id"]
    shown = (await frozen.maker.get(f"/v1/insurance-answers/{answer}")).json()
    assert {name: shown[name] for name in ("people", "lines_answered", "people_drawing", "rows_refused", "state")} == {
        "people": 3, "lines_answered": 2, "people_drawing": 1, "rows_refused": 0, "state": "CHECKED",
    }  # fmt: skip
    assert (await frozen.due("A-1", "2024-09"))["total"] == 500_000, "nothing counts before a second person approves"
    assert (await _decide(frozen.maker, answer)).json()["type"] == "/problems/same-person"
    before = len(await frozen.events("DuesChanged"))
    assert (await _decide(frozen.checker, answer)).json()["state"] == "APPLIED"
    assert [(await frozen.due("A-1", month))["total"] for month in ("2024-06", "2024-09")] == [360_000, 0]
    assert (await frozen.due("A-2", "2024-09"))["total"] == 500_000
    assert len(await frozen.events("DuesChanged")) == before + 1
    assert (await _decide(frozen.checker, answer)).status_code == 409


async def test_a_later_answer_takes_the_word_back(frozen: Any) -> None:
    first = (await _load(frozen, {"Bùi Thị An": ("CÓ", "Lương hưu", "", "07/2024", "")})).json()["answer_id"]
    await _decide(frozen.checker, first)
    second = (await _load(frozen, {"Bùi Thị An": ("KHÔNG", "", "", "", "")}, "answer-02", "2024-10-05")).json()["answer_id"]
    await _decide(frozen.checker, second)
    assert [(await frozen.due("A-1", month))["total"] for month in ("2024-09", "2024-10")] == [0, 500_000]


async def test_rows_that_do_not_fit_are_refused_one_by_one(frozen: Any) -> None:
    text = (
        "STT;Họ và tên;Kết quả;Loại chế độ;Mức hưởng;Hưởng từ tháng;Đến tháng\n1;Bùi Thị An;CÓ;Lương hưu;abc;;\n2;Trần Văn Công;KHÔNG;;;;\n"
        "3;Trần Văn Công;có thể;;;;\n9;Ai Đó;KHÔNG;;;;\n3;Trần Văn Công;CÓ;Tuất;;08/2024;07/2024\n"
    )
    loaded = await frozen.maker.post(
        f"/v1/insurance-lists/{frozen.list}/answers", data={"told_on": "2024-08-25"}, files={"file": ("a.csv", text.encode())},
        headers={"Idempotency-Key": "answer-09"},
    )  # fmt: skip
    assert loaded.status_code == 201, loaded.text
    shown = (await frozen.maker.get(f"/v1/insurance-answers/{loaded.json()['answer_id']}")).json()
    assert {item["row_number"]: [reason["code"] for reason in item["reasons"]] for item in shown["refused"]} == {
        2: ["BAD_AMOUNT", "BAD_FROM_MONTH"], 3: ["NAME_DIFFERS"], 4: ["BAD_VERDICT"], 5: ["LINE_UNKNOWN"], 6: ["LINE_TWICE", "BAD_UNTIL"],
    }  # fmt: skip
    assert shown["rows_good"] == 0
    again = await frozen.maker.post(
        f"/v1/insurance-lists/{frozen.list}/answers", data={"told_on": "2024-08-25"}, files={"file": ("b.csv", text.encode())},
        headers={"Idempotency-Key": "answer-10"},
    )  # fmt: skip
    assert again.status_code == 409


async def test_lists_of_another_area_do_not_exist(frozen: Any) -> None:
    stranger = frozen.client_as(frozen.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="stranger")
    assert (await stranger.get(f"/v1/insurance-lists/{frozen.list}")).status_code == 404
    assert (await stranger.get(f"/v1/insurance-lists/{frozen.list}/file")).status_code == 404
    assert (await stranger.get("/v1/insurance-lists")).json()["items"] == []
