"""A change of the law: drafted, checked, computed as a what-if, approved by somebody else; dues then change exactly as it said."""

from __future__ import annotations

import io
import itertools
from datetime import date
from typing import Any

import psycopg
import pytest
import xlsxwriter
from registry_law_model import Decision, Person, at, first_day, insert
from registry_test_helpers import UNIT_PATH

from common.actor import SYSTEM, Role
from registry.main import load_reference_data
from registry.storage import catalogue, dues
from registry.storage.publishing import take_people_lock
from registry.usecases.law_changes import LawKeeper

DAY = date(2026, 8, 25)
START = at(2024, 1)


class Law:
    """Two officers of the department and an approver."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.an = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="an")
        self.binh = world.client_as(world.app, Role.APPROVER, units=("60",), subject="binh")
        self.keys = itertools.count()
        self.change: dict[str, Any] = {}

    async def draft(self, **head: str) -> None:
        body = {
            "title_vi": "Mức chuẩn 540.000", "title_en": "Standard of 540,000", "legal_basis": "Nghị định 335/2026/NĐ-CP Điều 4",
            "applies_from": "2026-07-01", "known_from": "2026-08-25",
        } | head  # fmt: skip
        answer = await self.an.post("/v1/law-changes", json=body, headers=self.key())
        assert answer.status_code == 201, answer.text
        self.change = answer.json()

    def key(self) -> dict[str, str]:
        return {"Idempotency-Key": f"law-{next(self.keys):08d}"}

    @property
    def path(self) -> str:
        return f"/v1/law-changes/{self.change['change_id']}"

    async def do(self, step: str, client: Any = None, **more: Any) -> Any:
        headers = {"If-Match": f'"{self.change["version"]}"'}
        answer = await (client or self.an).post(f"{self.path}/{step}", headers=headers, **more)
        if answer.status_code == 200:
            self.change = answer.json()
        return answer

    async def rows(self, table: str, *rows: dict[str, Any]) -> Any:
        return await self.do(f"rows/{table}", json={"rows": list(rows)})

    async def what_if(self, **query: Any) -> dict[str, Any]:
        body = {"business_date": str(DAY), "until_month": "2026-12"}
        asked = await self.an.post(f"{self.path}/what-if", json=body, headers=self.key())
        assert asked.status_code == 202, asked.text
        await self.world.work()
        job = (await self.an.get(f"/v1/jobs/{asked.json()['job_id']}")).json()
        assert job["state"] == "DONE", job
        return await self.read(**query)

    async def read(self, client: Any = None, **query: Any) -> dict[str, Any]:
        answer = await (client or self.an).get(f"{self.path}/what-if", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def approve(self, day: str = str(DAY)) -> None:
        for step, client, body in (("propose", self.an, None), ("approve", self.binh, {"business_date": day})):
            answer = await self.do(step, client, json=body)
            assert answer.status_code == 200, answer.text
        await self.world.work()

    async def findings(self) -> set[tuple[str, str, str]]:
        items = (await self.an.get(f"{self.path}/findings")).json()["items"]
        assert all(item["vi"] and item["en"] for item in items)
        return {(item["level"], item["code"], item["subject"]) for item in items}


@pytest.fixture
def law(world: Any) -> Law:
    return Law(world)


async def store(world: Any, *people: Person, day: date = DAY) -> list[Any]:
    async with world.db.transaction(SYSTEM("test")) as tx:
        await take_people_lock(tx)
        ids = [await insert(tx, person, UNIT_PATH) for person in people]
        await dues.recompute(tx, ids, day)
    return ids


async def sums(world: Any, ids: list[Any], month: int) -> list[int]:
    async with world.db.read() as tx:
        return [
            int(
                await tx.value(
                    "SELECT coalesce(sum(amount), 0) FROM due_interval WHERE person_id = :id AND from_month <= :m AND until > :m",
                    id=one, m=first_day(month),
                )
            )
            for one in ids
        ]  # fmt: skip


async def live(world: Any) -> Any:
    async with world.db.read() as tx:
        return await tx.row(
            "SELECT (SELECT md5(string_agg(CAST(d AS text), '|' ORDER BY CAST(d AS text))) FROM due_interval d) AS dues,"
            " (SELECT sum(version) FROM dues_state) AS versions, (SELECT count(*) FROM outbox) AS events"
        )


async def test_what_a_rise_costs_is_said_before_it_is_law_and_dues_then_change_exactly_so(world: Any, law: Law) -> None:
    ids = await store(
        world,
        Person(None, (Decision("SA6_S", START),)), Person(None, (Decision("SA6_XS", START),)),
        Person(None, (Decision("CS_HH_XS", START), Decision("SA6_S", START))), Person(None, (Decision("MR_PRISON", START),)),
        Person(None, (Decision("SA6_S", START, end=at(2026, 8)),)),
    )  # fmt: skip
    await law.draft()
    assert (await law.rows("benefit_standard", {"standard": "SA_STANDARD", "amount_vnd": "540.000"})).status_code == 200
    before = await live(world)
    found = await law.what_if()
    assert dict(await live(world)) == dict(before), "a what-if writes nothing to the live dues and publishes nothing"
    steps = [60_000, 80_000, 40_000 + 60_000, 0, 60_000]
    assert {item["programme"]: item["people"] for item in found["people"]} == {"": 4, "SOCIAL_ASSISTANCE": 4}
    (line,) = found["items"]
    assert (line["arrears"], line["of_the_month"], line["ahead"]) == (sum(steps), sum(steps[:4]), sum(steps[:4]) * 4)
    assert (line["people"], line["missing_before"], line["missing_after"], found["out_of_date"]) == (4, 0, 0, 0)
    lines = await law.read(by=["line"])
    assert [(item["keys"][0].split()[-1], item["people"], item["of_the_month"]) for item in lines["items"]] == [
        ("A01", 4, 200_000), ("A03", 1, 40_000)
    ]  # fmt: skip
    by_place = await law.read(by=["province", "district", "commune"])
    assert [(item["keys"], item["people"]) for item in by_place["items"]] == [(["60", "60/593", UNIT_PATH], 4)]
    by_month = {item["keys"][0]: item["amount_after"] - item["amount_before"] for item in (await law.read(by=["month"]))["items"]}
    assert by_month == {"2026-07": sum(steps)} | {f"2026-{month:02d}": sum(steps[:4]) for month in range(8, 13)}

    elsewhere = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/594",), subject="far")
    assert (await law.read(elsewhere))["items"] == []
    months = range(at(2026, 6), at(2026, 10))
    was = {month: await sums(world, ids, month) for month in months}
    await law.approve()
    assert law.change["state"] == "APPROVED"
    for month in months:
        now = await sums(world, ids, month)
        expected = [0] * 5 if month < at(2026, 7) else steps if month == at(2026, 7) else [*steps[:4], 0]
        assert [a - b for a, b in zip(now, was[month], strict=True)] == expected
    async with world.db.read() as tx:
        acted = {row["action"] for row in await tx.rows("SELECT action FROM audit_log WHERE object_type = 'law-change'")}
    assert acted == {"law.draft", "law.rows", "law.what-if", "law.propose", "law.approve"}
    csv = await law.an.get(f"{law.path}/what-if/file", params={"format": "csv", "by": ["commune", "line"]})
    assert f"{UNIT_PATH},SOCIAL_ASSISTANCE LOCAL_BUDGET A01,4," in csv.text


async def test_a_merit_table_sent_as_a_workbook_ends_the_missing_months(world: Any, law: Law) -> None:
    ids = await store(
        world, Person(None, (Decision("MR_WOUNDED", START, percent=61),)), Person(None, (Decision("MR_PRISON", START),)),
        Person(None, (Decision("MR_HERO", START),)),
    )  # fmt: skip
    assert await sums(world, ids, at(2026, 7)) == [0, 0, 0]
    await law.draft(title_vi="Bảng 2026", legal_basis="Nghị định 321/2026/NĐ-CP Phụ lục")
    sheet = io.BytesIO()
    book = xlsxwriter.Workbook(sheet)
    page = book.add_worksheet()
    page.write_row(0, 0, ["BẢNG MỨC TRỢ CẤP ƯU ĐÃI"])
    page.write_row(2, 0, ["STT", "Mã đối tượng", "Tỷ lệ", "Mức trợ cấp"])
    for n, cells in enumerate((["MR_WOUNDED", "61%", "5.891.000"], ["MR_PRISON", "", 1_807_000], ["MR_WOUNDED", 62, 5_980_500])):
        page.write_row(3 + n, 0, [n + 1, *cells])
    book.close()
    sent = await law.do("files/category_amount", files={"file": ("bang.xlsx", sheet.getvalue())})
    assert sent.status_code == 200, sent.text
    assert law.change["rows"] == {"category_amount": 3}
    found = await law.findings()
    assert {("WARNING", "STILL_MISSING", "MR_HERO"), ("WARNING", "STILL_MISSING", "MR_WOUNDED 21%")} <= found
    assert ("WARNING", "NOT_ROUND", "MR_WOUNDED 62%") in found
    assert not [item for item in found if item[1] == "STILL_MISSING" and item[2] in ("MR_PRISON", "MR_WOUNDED 61%")]
    (line,) = (await law.what_if(by=["programme"]))["items"]
    assert (line["people"], line["arrears"], line["of_the_month"]) == (2, 7_698_000, 7_698_000)
    assert (line["missing_before"], line["missing_after"]) == (2 * 6, 0)
    await law.approve()
    assert await sums(world, ids, at(2026, 7)) == [5_891_000, 1_807_000, 0]
    assert await sums(world, ids, at(2026, 6)) == [5_450_000, 1_673_000, 2_337_000]


async def test_two_people_and_one_direction(world: Any, law: Law) -> None:
    await law.draft()
    early = await law.do("propose")
    assert early.status_code == 422, "no rows"
    await law.rows("benefit_standard", {"standard": "SA_STANDARD", "amount_vnd": 540000})
    assert (await law.do("propose")).status_code == 422, "no what-if of these rows"
    await law.what_if()
    stale = await law.an.post(f"{law.path}/propose", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await law.do("approve", law.binh, json={"business_date": str(DAY)})).status_code == 409, "not proposed"
    assert (await law.do("propose")).status_code == 200
    mine = (await law.binh.get("/v1/work", params={"business_date": str(DAY)})).json()["items"]
    assert [item["count"] for item in mine if item["kind"] == "law_changes"] == [1], "waits, though nobody has dated it yet"
    assert (await law.rows("benefit_standard", {"standard": "X", "amount_vnd": 1})).status_code == 409, "frozen"
    own = await law.do("approve", law.an, json={"business_date": str(DAY)})
    assert own.status_code == 409, own.text
    commune = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=(UNIT_PATH,), subject="part")
    assert (await law.do("approve", commune, json={"business_date": str(DAY)})).status_code == 403
    refused = await law.do("reject", law.binh, json={"reason": "chưa có toàn văn"})
    assert (refused.status_code, law.change["state"], law.change["reason"]) == (200, "REJECTED", "chưa có toàn văn")
    kept = (await law.an.get(f"{law.path}/rows", params={"table": "benefit_standard"})).json()["items"]
    assert [row["amount_vnd"] for row in kept] == [540_000], "what was refused stays on record"
    assert (await law.do("withdraw", json={"reason": "thôi"})).status_code == 409
    change = law.change["change_id"]
    for statement in (
        "UPDATE law_change SET state = 'DRAFT', closed_by = NULL, closed_at = NULL",
        "DELETE FROM law_change",
        f"INSERT INTO category_term (category, known_from, legal_basis, change_id) VALUES ('SA8', '2026-01-01', 'x', '{change}')",
        f"DELETE FROM benefit_standard WHERE change_id = '{change}'",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with world.db.transaction() as tx:
                await tx.execute(statement)


async def test_rows_at_fault_are_named_and_none_is_taken(law: Law) -> None:
    await law.draft()
    amount = {"category": "MR_HERO", "amount_vnd": 2_500_000}
    answer = await law.rows(
        "category_amount", amount, amount, {"category": "MR_NOBODY", "amount_vnd": 1}, {"category": "MR_HERO", "amount_vnd": "nhiều"},
        {"category": "MR_HERO", "amount_vnd": 5, "applies_from": "2026-09-01", "applies_to": "2026-08-01"}, {"amount_vnd": 5, "extra": 1},
    )  # fmt: skip
    assert answer.status_code == 422
    assert [(item["row"], item["code"], item["field"]) for item in answer.json()["errors"]] == [
        (2, "LAW_TWICE", "category"), (3, "LAW_UNKNOWN_CATEGORY", "category"), (4, "LAW_BAD_VALUE", "amount_vnd"),
        (5, "LAW_DATES_CROSS", "applies_to"), (6, "LAW_UNKNOWN_FIELD", "extra"), (6, "LAW_MISSING", "category"),
    ]  # fmt: skip
    assert (await law.an.get(law.path)).json()["rows"] == {}
    assert (await law.rows("category_amount", amount)).status_code == 200
    again = await law.rows("category_amount", amount)
    assert [item["code"] for item in again.json()["errors"]] == ["LAW_HERE"]
    top = {"code": "T", "mode": "BESIDE", "category": "SA8", "amount_vnd": 1000, "funding_source": "CENTRAL_BUDGET"}
    assert (await law.rows("provincial_top_up", top)).json()["errors"][0]["field"] == "funding_source"
    for table, row, code in (
        ("law_change_setting", {"code": "WORSHIP_MONTH", "value": "13"}, "LAW_ANSWER"),
        ("law_change_setting", {"code": "NOT_ASKED", "value": "1"}, "LAW_UNKNOWN_QUESTION"),
        ("provincial_top_up", top | {"funding_source": "PROVINCIAL_BUDGET", "unit_prefixes": ["99/1"]}, "LAW_UNKNOWN_UNIT"),
        ("category_coefficient", {"category": "SA8", "standard": "NONE", "coefficient_hundredths": "1,5"}, "LAW_UNKNOWN_STANDARD"),
        ("category_step", {"category": "SA8", "age_months": 240, "next_category": "SA99"}, "LAW_UNKNOWN_CATEGORY"),
    ):
        assert [item["code"] for item in (await law.rows(table, row)).json()["errors"]] == [code], row


async def test_a_category_that_has_ended_lacks_no_sum(law: Law) -> None:
    await law.draft(applies_from="2026-09-01")
    await law.rows("benefit_standard", {"standard": "SA_STANDARD", "amount_vnd": 600_000})
    found = await law.findings()
    assert not [item for item in found if item[2] in ("SA5B", "SA5C") and item[1] in ("GAP", "STILL_MISSING")]


async def test_checks_name_gaps_overlaps_and_clashes(law: Law) -> None:
    await law.draft(applies_from="2026-09-01")
    await law.rows(
        "category_amount", {"category": "MR_HERO", "amount_vnd": 2_000_000, "applies_to": "2026-12-31"},
        {"category": "MR_HERO", "amount_vnd": 9_000_000, "applies_from": "2026-12-01", "applies_to": "2027-01-31"},
        {"category": "MR_PRISON", "amount_vnd": 1_000_000, "applies_from": "2024-07-01", "known_from": "2024-07-01"},
        {"category": "MR_NURTURE", "amount_vnd": 1_000_000, "applies_from": "2026-01-01"},
    )  # fmt: skip
    await law.rows("category_exclusion", {"category": "SA7", "fact": "OTHER_BENEFIT"})
    found = await law.findings()
    assert {
        ("WARNING", "GAP", "MR_HERO"), ("WARNING", "OVERLAP", "MR_HERO"), ("ERROR", "SAME_DAY", "MR_PRISON"),
        ("WARNING", "LOWER", "MR_NURTURE"), ("WARNING", "ALL_MONTHS", "SA7"), ("WARNING", "STILL_MISSING", "MR_1945"),
    } <= found  # fmt: skip
    await law.what_if()
    refused = await law.do("propose")
    assert (refused.status_code, [item["field"] for item in refused.json()["errors"]]) == (422, ["MR_PRISON"])


async def test_new_categories_terms_top_ups_and_answers_in_one_change(world: Any, law: Law) -> None:
    ids = await store(world, Person(None, (Decision("SA8", START),)), Person(at(2010, 11), (Decision("SA1_GE4", START),)))
    assert await sums(world, ids, at(2026, 11)) == [750_000, 750_000]
    await law.draft(applies_from="2026-09-01")
    category = {
        "code": "SA9_NEW", "programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "benefit_line": "A01",
        "stack_group": "SA_MAIN", "name_vi": "Loại mới", "name_en": "New category", "applies_from": "2026-09-01",
    }  # fmt: skip
    for table, row in (
        ("benefit_category", category),
        ("category_amount", {"category": "SA9_NEW", "amount_vnd": 700_000}),
        ("category_term", {"category": "SA8", "applies_to": "2026-09-30"}),
        ("provincial_top_up", {"code": "T1", "mode": "BESIDE", "category": "SA1_GE4", "amount_vnd": 200_000,
                               "funding_source": "PROVINCIAL_BUDGET", "unit_prefixes": ["60/593"]}),
        ("law_change_setting", {"code": "STOP_MONTH_AT_AGE", "value": "SAME_MONTH"}),
    ):  # fmt: skip
        answer = await law.rows(table, row)
        assert answer.status_code == 200, answer.text
    async with world.db.read() as tx:
        assert "SA9_NEW" not in await catalogue.categories(tx), "nobody is entered in a category of a draft"
    found = await law.what_if(by=["line", "month"])
    differences = {tuple(item["keys"]): item["amount_after"] - item["amount_before"] for item in found["items"]}
    line, top = "SOCIAL_ASSISTANCE LOCAL_BUDGET A01", "SOCIAL_ASSISTANCE PROVINCIAL_BUDGET A01"
    assert differences == {
        (line, "2026-10"): -750_000, (line, "2026-11"): -1_500_000, (line, "2026-12"): -750_000,
        (top, "2026-09"): 200_000, (top, "2026-10"): 200_000,
    }, "SA8 ends with September; sixteen in November 2026, now stopping in that month"  # fmt: skip
    await law.approve()
    assert [await sums(world, ids, at(2026, month)) for month in (8, 9, 10, 11)] == [
        [750_000, 750_000], [750_000, 950_000], [0, 950_000], [0, 0]
    ]  # fmt: skip
    items = (await law.an.get("/v1/dues/policy-settings")).json()["items"]
    (answer,) = [item for item in items if item["code"] == "STOP_MONTH_AT_AGE"]
    assert (answer["value"], answer["decided_by"], answer["decided_on"]) == ("SAME_MONTH", "an, binh", str(DAY))
    async with world.db.read() as tx:
        assert "SA9_NEW" in await catalogue.categories(tx)


async def test_rows_known_later_count_on_that_day(world: Any, law: Law) -> None:
    ids = await store(world, Person(None, (Decision("SA6_S", START),)))
    await law.draft(known_from="2026-09-10")
    await law.rows("benefit_standard", {"standard": "SA_STANDARD", "amount_vnd": 540000})
    await law.what_if()
    await law.approve()
    assert (await law.an.get(law.path)).json()["counts_later"] == ["2026-09-10"]
    keeper = LawKeeper(world.db)
    for day, expected in ((date(2026, 9, 9), 750_000), (date(2026, 9, 10), 810_000)):
        await keeper.run_once(day)
        await world.work()
        assert await sums(world, ids, at(2026, 7)) == [expected]
    await keeper.run_once(date(2026, 9, 11))
    assert not await world.jobs.run_one(), "once"


async def test_a_release_beside_approved_changes_leaves_them_and_takes_over_a_category_it_ships(world: Any, law: Law) -> None:
    await law.draft()
    await law.rows("benefit_standard", {"standard": "SA_STANDARD", "amount_vnd": 540000})
    await law.what_if()
    await law.approve()
    async with world.db.transaction(SYSTEM("test")) as tx:
        await tx.execute("INSERT INTO law_change (change_id, title_vi, title_en, legal_basis, created_by)"
                         " VALUES ('00000000-0000-0000-0000-000000000001', 'a', 'b', 'c', 'x')")  # fmt: skip
    with psycopg.connect(world.settings.owner_database_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("UPDATE benefit_category SET change_id = '00000000-0000-0000-0000-000000000001' WHERE code = 'SA8'")
    for _ in range(2):
        await load_reference_data(world.settings)
    async with world.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM benefit_standard WHERE change_id IS NOT NULL") == 1
        assert "SA8" in await catalogue.categories(tx)
