"""HTTP of the population simulator."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from simulators.population.app import create_app
from simulators.population.config import PopulationConfig
from simulators.world import WORLD_DDL

TOKEN = "token of the tests"


@pytest.fixture
async def population(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    connection = sqlite3.connect(tmp_path / "world.sqlite")
    connection.executescript(WORLD_DDL)
    connection.executemany(
        "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            ("060148000001", "Đặng Thị Hoà", "1948-05-03", "F", "ALIVE", None, 0),
            ("060048000002", "Lê Văn Tú", "1948", "M", "DECEASED", "2024-07-11", 0),
        ],
    )
    connection.commit()
    connection.close()
    app = create_app(PopulationConfig(world=tmp_path / "world.sqlite", state=tmp_path / "books.sqlite", token=TOKEN))
    async with app.router.lifespan_context(app):
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://population", headers=headers) as client:
            yield client


def person(number: str, ref: str = "a", name: str = "Đặng Thị Hoà") -> dict[str, Any]:
    return {"ref": ref, "number": number, "full_name": name, "birth_date": "1948-05-03", "sex": "F"}


async def check(client: httpx.AsyncClient, *persons: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await client.post("/v1/checks", json={"persons": persons})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


async def test_checks_answer_in_order_and_are_counted(population: httpx.AsyncClient) -> None:
    found = await check(population, person("060148000001"), person("000000000000", "b"), person("060048000002", "c", "Lê Văn Tú"))
    assert [(row["ref"], row["status"]) for row in found] == [("a", "MATCH"), ("b", "NOT_FOUND"), ("c", "DECEASED")]
    await check(population, person("060148000001"), person("060148000001", "z"))
    asked = (await population.get("/control/asked", params={"min_times": 2})).json()
    assert asked["rows"] == [{"number": "060148000001", "times": 3, "refs": {"a": 2, "z": 1}}]
    assert (asked["numbers"], asked["answers"], asked["max_times"]) == (3, 5, 3)


async def test_only_with_the_token_and_only_a_thousand(population: httpx.AsyncClient) -> None:
    for headers in ({"authorization": ""}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
        assert (await population.post("/v1/checks", json={"persons": []}, headers=headers)).status_code == 401
        assert (await population.get("/v1/deaths", params={"since": "2024-01-01"}, headers=headers)).status_code == 401
    for body, status in (({"persons": []}, 400), ({}, 400), ({"persons": [{"ref": 1, "number": "1"}]}, 400)):
        assert (await population.post("/v1/checks", json=body)).status_code == status
    many = [person(str(n)) for n in range(1001)]
    assert (await population.post("/v1/checks", json={"persons": many})).status_code == 413


async def test_scripted_trouble(population: httpx.AsyncClient) -> None:
    async def script(**change: Any) -> None:
        assert (await population.post("/control/script", json=change)).status_code == 200

    async def status() -> int:
        return (await population.post("/v1/checks", json={"persons": [person("060148000001")]})).status_code

    await script(outage_seconds=60)
    assert await status() == 503
    await script(reset=True, error_rate=1)
    assert await status() == 500
    await script(reset=True, nonsense=1)
    assert (await population.post("/v1/checks", json={"persons": [person("1")]})).headers["content-type"].startswith("text/html")
    await script(rate_per_second=1)
    await check(population, *(person("060148000001") for _ in range(1_000)))
    limited = await population.post("/v1/checks", json={"persons": [person("1")]})
    assert limited.status_code == 429
    assert 900 < int(limited.headers["retry-after"]) <= 999
    await script(reset=True, lie={"status": "NOT_FOUND"})
    assert (await check(population, person("060148000001")))[0]["status"] == "NOT_FOUND"
    await script(reset=True)
    assert await status() == 200


async def test_corrections_and_deaths(population: httpx.AsyncClient) -> None:
    async def correct(**record: Any) -> int:
        return (await population.post("/control/corrections", json={"corrections": [record]})).status_code

    assert await correct(number="060148000001", full_name="Đặng Thị Hoa") == 200
    assert (await check(population, person("060148000001", name="Đặng Thị Hoa")))[0]["status"] == "MATCH"
    assert await correct(number="060148000001", status="DECEASED", death_date="2024-08-01") == 200
    found = (await check(population, person("060148000001", name="Đặng Thị Hoa")))[0]
    assert (found["status"], found["death_date"]) == ("DECEASED", "2024-08-01")
    assert await correct(number="060000000009", full_name="Mới") == 422
    assert await correct(number="060000000009", full_name="Mới", birth_date="1950") == 200
    deaths = (await population.get("/v1/deaths", params={"since": "2024-07-11"})).json()
    assert [row["number"] for row in deaths["deaths"]] == ["060048000002", "060148000001"]
    assert not deaths["more"]
    first = (await population.get("/v1/deaths", params={"limit": 1})).json()
    assert ([row["number"] for row in first["deaths"]], first["more"]) == (["060048000002"], True)
    rest = (await population.get("/v1/deaths", params={"cursor": first["cursor"]})).json()
    assert ([row["number"] for row in rest["deaths"]], rest["more"]) == (["060148000001"], False)
    none = (await population.get("/v1/deaths", params={"cursor": rest["cursor"]})).json()
    assert (none["deaths"], none["cursor"]) == ([], rest["cursor"])
    assert (await population.get("/v1/deaths", params={"since": "2024-08-02"})).json()["deaths"] == deaths["deaths"][1:], "recorded today"
    assert (await population.get("/v1/deaths", params={"cursor": "x"})).status_code == 400


async def test_one_person_at_a_time(population: httpx.AsyncClient) -> None:
    assert (await population.post("/v1/check", json=person("060148000001"))).json()["status"] == "MATCH"
    assert (await population.post("/v1/check", json={"ref": "a"})).status_code == 400
    assert (await population.get("/control/asked", params={"number": "060148000001"})).json()["rows"][0]["times"] == 1


async def test_garbled_answers_and_lies(population: httpx.AsyncClient) -> None:
    async def told(**script: Any) -> bytes:
        await population.post("/control/script", json=script)
        return (await population.post("/v1/checks", json={"persons": [person("060148000001"), person("060048000002", "b")]})).content

    assert (await told(garble={"how": "truncated"}))[-2:] != b"]}"
    assert [row["ref"] for row in orjson.loads(await told(garble={"how": "foreign_refs"}))["results"]] == ["xa", "xb"]
    assert len(orjson.loads(await told(garble={"how": "missing"}))["results"]) == 1
    assert len(orjson.loads(await told(garble={"how": "doubled"}))["results"]) == 4
    assert orjson.loads(await told(garble={"how": "strange_words"}))["results"][0]["status"] == "OK?"
    assert orjson.loads(await told(garble={"how": "number_in_reference"}))["results"][0]["reference"] == "PD-060148000001"
    assert len(orjson.loads(await told())["results"]) == 2, "each for one request"
    lie = {"status": "MATCH", "name": "Ai Đó", "birth_date": "1900", "answers": 1}
    assert orjson.loads(await told(lie=lie))["results"][0]["population_name"] == "Ai Đó"


async def test_the_police_answer_a_list(population: httpx.AsyncClient) -> None:
    head = "Mã lô,Mã dòng,Số định danh cá nhân,Họ và tên,Ngày sinh,Giới tính,Kết quả,Ngày mất,Tài khoản (Khớp/Không khớp)"
    rows = ["DANH SÁCH", head, "L1,1,060148000001,Đặng Thị Hoà,03/05/1948,Nữ,,,", "L1,2,060048000002,Lê Văn Tú,1948,Nam,,,"]
    await population.post("/control/accounts", json={"060148000001": "mismatch"})
    answer = await population.post("/v1/files", content="\r\n".join(rows).encode())
    assert answer.content.decode("utf-8-sig").splitlines()[2:] == [
        "L1,1,060148000001,Đặng Thị Hoà,03/05/1948,Nữ,Khớp,,Không khớp",
        "L1,2,060048000002,Lê Văn Tú,1948,Nam,Đã chết,11/07/2024,",
    ]
    assert (await population.post("/v1/files", content=b"x")).status_code == 400


async def test_without_a_world_it_is_away_and_says_nothing_wrong(tmp_path: Path) -> None:
    app = create_app(PopulationConfig(world=tmp_path / "none.sqlite", state=tmp_path / "books.sqlite", token=TOKEN))
    async with app.router.lifespan_context(app):
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://population", headers=headers) as client:
            assert (await client.post("/v1/checks", json={"persons": [person("1")]})).status_code == 503
            assert (await client.get("/control/asked")).json()["answers"] == 0
            assert (await client.get("/health/live")).status_code == 200
