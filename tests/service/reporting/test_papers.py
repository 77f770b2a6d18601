"""Statutory reports: frozen at a number of the log, made again to the same digest, told by other trees of units, due and late, as files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pypdfium2  # type: ignore[import-untyped]
import pytest
from reform_stories import reformed
from reporting_builders import MERIT, Reporting, S, World, incoming, small_month

from common.actor import Role
from common.contracts.disbursement_v1 import Channel, CycleState, PaymentCycleOpened
from common.contracts.registry_v1 import DueInterval, DuesChanged, DuesLine, DueStatus, Programme
from common.ids import stable_id
from common.jobs import Job
from reporting.storage import event_log
from reporting.usecases.snapshots import snapshot
from reporting.usecases.statutory_again import make_again

ClientAs = Callable[..., httpx.AsyncClient]
D21 = {"layout": "directive-21-monthly", "period": "2024-09", "unit_path": "60", "business_date": "2024-10-03"}


@pytest.fixture
def officer(reporting: Reporting, client_as: ClientAs) -> httpx.AsyncClient:
    return client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60", "68"), subject="an.so")


async def freeze(officer: httpx.AsyncClient, key: str | None = None, **changed: Any) -> httpx.Response:
    return await officer.post("/v1/papers", json=D21 | changed, headers={"Idempotency-Key": key or str(uuid4())})


async def frozen(officer: httpx.AsyncClient, **changed: Any) -> Any:
    answer = await freeze(officer, **changed)
    assert answer.status_code == 201, answer.text
    return answer.json()


def cells(report: Any, programme: str, unit_path: str | None = None) -> Any:
    (row,) = [
        row
        for row in report["rows"]
        if row["programme"] == programme
        and (row["is_total"] if unit_path is None else row["unit_path"] == unit_path and not row["is_total"])
    ]
    return row["cells"]


async def again(reporting: Reporting, report: Any) -> Any:
    job = Job(UUID(int=1), "report_again", {"report_id": report["report_id"]}, "an.so", date(2024, 10, 3), 1)
    return await make_again(reporting.db, job)


async def test_a_frozen_report_keeps_its_figures_whatever_comes_later(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    first = await frozen(officer)
    assert (first["edition"], first["period"]["vi"]) == (1, "Tháng 9 năm 2024")
    assert (cells(first, "MERIT")["9"], cells(first, "MERIT")["10"], cells(first, "MERIT")["11"]) == (3, 2, "66.7")
    assert cells(first, "ALL", "60/593")["14"] == 4_289_001
    later = World(people=100)
    later.paid("60/593/22924", MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 2_789_000)
    await reporting.hear(incoming(later.events))
    assert (await officer.get(f"/v1/papers/{first['report_id']}")).json()["rows"] == first["rows"]
    second = await frozen(officer)
    assert (second["edition"], cells(second, "MERIT")["10"]) == (2, 3)
    assert second["log_seq"] > first["log_seq"]
    assert second["digest"] != first["digest"]
    for report in (first, second):
        result = await again(reporting, report)
        assert (result["same"], result["digest"], result["differences"]) == (True, report["digest"], [])
    listed = (await officer.get("/v1/papers", params={"layout": "directive-21-monthly"})).json()["items"]
    assert [item["edition"] for item in listed] == [2, 1]


async def test_two_who_freeze_at_once_make_two_editions(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    answers = await asyncio.gather(*(freeze(officer) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [201] * 3, [answer.text[:200] for answer in answers]
    made = sorted((answer.json() for answer in answers), key=lambda report: report["edition"])
    assert [report["edition"] for report in made] == [1, 2, 3]
    assert len({report["digest"] for report in made}) == 1, "the same figures; each is a paper of its own"
    assert [report["report_id"] for report in made] == sorted(report["report_id"] for report in made), "the newest edition is listed first"


async def test_consumers_go_on_while_a_report_is_computed(reporting: Reporting) -> None:
    await reporting.hear(incoming(small_month().events))
    later = World(people=100)
    later.paid("60/593/22924", MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 2_789_000)
    async with reporting.db.transaction() as tx, snapshot(tx) as moment:
        await asyncio.wait_for(reporting.hear(incoming(later.events)), 40)
        assert (await event_log.bounds(moment.view)).high == moment.mark, "what comes later is not in it"
        assert (await event_log.bounds(tx)).high > moment.mark


async def test_the_same_key_freezes_once(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    first, second = await freeze(officer, "bao-cao-2024-09"), await freeze(officer, "bao-cao-2024-09")
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert second.headers["Idempotent-Replayed"] == "true"
    other = await freeze(officer, "bao-cao-2024-09", period="2024-08")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-mismatch")
    assert len((await officer.get("/v1/papers")).json()["items"]) == 1
    assert (await officer.post("/v1/papers", json=D21)).status_code == 422, "a key is asked for"


async def test_a_changed_cell_is_found_when_the_report_is_made_again(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    report = await frozen(officer)
    with psycopg.connect(reporting.home.owner_url.replace("+psycopg", "")) as conn:  # the service's own role may not
        conn.execute(
            "UPDATE frozen_report_row SET cells = cells || '{\"10\": 99}' WHERE is_total AND programme = 'MERIT' AND report_id = %s",
            (report["report_id"],),
        )
    result = await again(reporting, report)
    assert result["same"] is True, "the digest is of what was frozen; the altered row is told as a difference"
    (difference,) = result["differences"]
    assert (difference["programme"], difference["column"], difference["frozen"], difference["now"]) == ("MERIT", "10", 99, 2)


async def test_every_report_can_be_frozen_and_made_again(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    for layout, period in [
        ("payment-organisation-monthly", "2024-09"), ("assistance-half-yearly", "2024-07"), ("merit-settlement-yearly", "2024-01"),
        ("merit-estimate-yearly", "2025-01"), ("assistance-estimate-yearly", "2025-01"),
    ]:  # fmt: skip
        report = await frozen(officer, layout=layout, period=period)
        assert (await again(reporting, report))["same"], layout
    answer = await freeze(officer, layout="assistance-half-yearly", period="2024-09")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-period")
    answer = await freeze(officer, period="2024-11")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/period-not-begun")


async def test_the_settlement_prints_its_chapter_and_the_most_that_may_be_charged(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    report = await frozen(officer, layout="merit-settlement-yearly", period="2024-01")
    told = cells(report, "MERIT")
    assert (told["5"], told["12"], told["13"]) == (6_789_001, 50_918, 115_413)  # 0.75% and 1.7% of what was paid, half-up
    page = (await officer.get(f"/v1/papers/{report['report_id']}/file", params={"form": "html"})).text
    assert "Chương 024" in page
    assert "Chương ngân sách sau khi Bộ LĐTBXH kết thúc" in page


async def test_partners_report_what_they_paid_and_what_is_left(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    report = await frozen(officer, layout="payment-organisation-monthly")
    (post,) = [row for row in report["rows"] if row["label"].startswith("vnpost") and row["programme"] == "SOCIAL_ASSISTANCE"]
    assert (post["cells"]["1"], post["cells"]["3"], post["cells"]["4"], post["cells"]["9"], post["cells"]["10"]) == (
        2,
        1,
        500_000,
        1,
        500_000,
    )
    everything = cells(report, "ALL")
    assert everything["2"] == everything["4"] + everything["10"] + everything["12"], "listed = paid + left + on the way"
    assert everything["4"] == everything["6"] + everything["8"]


async def test_what_the_sums_do_not_hold_yet_is_no_report(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    asked = {"layout": "payment-organisation-monthly", "period": "2024-09", "unit_path": "60", "business_date": "2024-10-03"}
    assert (await officer.get("/v1/papers/preview", params=asked)).status_code == 200
    async with reporting.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO job (id, kind, requested_by, business_date) VALUES"
            " (gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE)"
        )
    for answer in (await officer.get("/v1/papers/preview", params=asked), await freeze(officer, layout=asked["layout"])):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


async def test_the_estimate_follows_decisions_in_force_and_guesses_no_rate(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = small_month()

    def dues(number: int, version: int, path: str, *intervals: tuple[str, str | None, int, DueStatus]) -> None:
        told = [
            DueInterval(
                from_month=since, to_month=until, amount=amount, status=status, basis="x", decision_number=None, explicit_arrears=False
            )
            for since, until, amount, status in intervals
        ]
        line = DuesLine(programme=MERIT, funding_source="CENTRAL", benefit_line="M01", intervals=told)
        world.events.append(
            DuesChanged(
                version=version, business_date=date(2024, 9, 1), beneficiary_id=stable_id("person", number), lines=[line],
                unit_code=path.rpartition("/")[2], unit_path=path,
            )
        )  # fmt: skip

    due, missing = DueStatus.DUE, DueStatus.RATE_MISSING
    dues(1, 2, "60/593/22924", ("2024-01", "2025-03", 1_000_000, due), ("2025-04", None, 1_100_000, due))
    dues(1, 1, "60/593/22924", ("2024-01", None, 9_999_999, due))  # an older word: not counted
    dues(2, 1, "60/594/23235", ("2025-12", None, 2_000_000, due))
    dues(3, 1, "60/594/23235", ("2024-01", None, 0, missing))
    dues(4, 1, "60/594/23235", ("2020-01", "2024-12", 500_000, due))  # ended before the year
    await reporting.hear(incoming(world.events))
    report = await frozen(officer, layout="merit-estimate-yearly", period="2025-01")
    assert cells(report, "MERIT") == {"1": 3, "2": 3, "3": 1_000_000, "4": 14_900_000, "5": 1, "6": 253_300}
    assert cells(report, "MERIT", "60/594") == {"1": 2, "2": 2, "3": 0, "4": 2_000_000, "5": 1, "6": 34_000}
    assert (await again(reporting, report))["same"]


async def test_the_unpaid_list_goes_with_it(reporting: Reporting, officer: httpx.AsyncClient, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    asked = {"month": "2024-09", "unit_path": "60", "form": "csv"}
    lines = (await officer.get("/v1/papers/unpaid-list", params=asked)).content.decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[2:]] == ["agribank", "agribank", "vnpost"]
    assert "Chưa đến nhận" in lines[-1]
    assert "09/2024" in lines[0]
    assert not re.search("[A-Z]+_BUDGET|2024-09", "".join(lines)), "words and months as people write them"
    only = await officer.get("/v1/papers/unpaid-list", params=asked | {"partner": "vnpost"})
    assert len(only.content.splitlines()) == 3
    assert (await officer.get("/v1/papers/unpaid-list", params=asked | {"form": "xlsx"})).content[:2] == b"PK"
    other = client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("38",))
    assert (await other.get("/v1/papers/unpaid-list", params=asked)).status_code == 404
    async with reporting.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM audit_log WHERE action = 'unpaid_list.taken'") == 3


async def test_from_1_march_2025_merit_and_assistance_go_to_two_ministries(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    before, after = await frozen(officer, business_date="2025-02-28"), await frozen(officer, business_date="2025-03-01")
    assert [(one["ministry"]["vi"], one["programmes"]) for one in before["addressees"]] == [
        ("Bộ Lao động - Thương binh và Xã hội", ["MERIT", "SOCIAL_ASSISTANCE"])
    ]
    assert [(one["ministry"]["vi"], one["programmes"]) for one in after["addressees"]] == [
        ("Bộ Nội vụ", ["MERIT"]), ("Bộ Y tế", ["SOCIAL_ASSISTANCE"]),
    ]  # fmt: skip
    first = await text_of(officer, after, addressee=0)
    assert "Bộ Nội vụ" in first
    assert "SỞ NỘI VỤ" in first
    assert "bảo trợ xã hội" not in first
    assert "Bộ Y tế" in await text_of(officer, after, addressee=1)
    assert (await officer.get(f"/v1/papers/{after['report_id']}/file", params={"addressee": 2})).status_code == 404
    names = [
        (await officer.get(f"/v1/papers/{after['report_id']}/file", params={"addressee": place})).headers["content-disposition"]
        for place in (0, 1)
    ]
    assert names[0] != names[1], "the second is not saved over the first"


async def test_a_paper_goes_from_each_level_to_the_one_that_asks_for_it(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    world = small_month()
    world.events += reformed().events[9:]
    await reporting.hear(incoming(world.events))

    async def heading(report: Any) -> tuple[list[str], str]:
        page = (await officer.get(f"/v1/papers/{report['report_id']}/file", params={"form": "html"})).text
        to = re.search(r"<dt>Kính gửi</dt><dd>(.*?)</dd>", page)
        assert to is not None, page
        return [part for part in ("UBND TỈNH BÌNH THUẬN", "UBND THÀNH PHỐ PHAN THIẾT", "SỞ LAO ĐỘNG", "SỞ NỘI VỤ") if part in page], to[1]

    who, to = await heading(await frozen(officer))
    assert who == ["UBND TỈNH BÌNH THUẬN", "SỞ LAO ĐỘNG"]
    assert to == "UBND tỉnh Bình Thuận; Bộ Lao động - Thương binh và Xã hội"
    who, to = await heading(await frozen(officer, unit_path="60/593"))
    assert who == ["UBND THÀNH PHỐ PHAN THIẾT"], "a district has no department of the province in its heading"
    assert to == "Sở Lao động - Thương binh và Xã hội tỉnh Bình Thuận"
    _, to = await heading(await frozen(officer, unit_path="60/593/22924"))
    assert to == "UBND thành phố Phan Thiết", "a commune reported to its district until 30 June 2025"
    listed = {one["unit_path"]: [paper["to"] for paper in one["addressees"]] for one in (await officer.get("/v1/papers")).json()["items"]}
    assert listed["60"] == [["UBND tỉnh Bình Thuận", "Bộ Lao động - Thương binh và Xã hội"]]
    assert listed["60/593"] == [["Sở Lao động - Thương binh và Xã hội tỉnh Bình Thuận"]], "pages name the office, not the ministry"
    assert listed["60/593/22924"] == [["UBND thành phố Phan Thiết"]]
    _, to = await heading(await frozen(officer, layout="merit-settlement-yearly", period="2024-01"))
    assert to == "Bộ Lao động - Thương binh và Xã hội", "only the monthly report goes to the People's Committee too"
    new = {"unit_path": "68/1", "period": "2025-09", "business_date": "2025-10-03"}
    _, to = await heading(await frozen(officer, **new))
    assert to == "Sở Nội vụ tỉnh Lâm Đồng"


async def text_of(officer: httpx.AsyncClient, report: Any, **params: Any) -> str:
    answer = await officer.get(f"/v1/papers/{report['report_id']}/file", params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    document = pypdfium2.PdfDocument(answer.content)
    text = "\n".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", " ")
    document.close()
    return str(text)


async def test_a_report_is_a_paper_and_a_table(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    report = await frozen(officer)
    text = await text_of(officer, report)
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "UBND TỈNH BÌNH THUẬN", "Bình Thuận, ngày 03 tháng 10 năm 2024", "NGƯỜI LẬP BIỂU", "66,7",
        report["digest"],
        "Bằng chữ: Bốn triệu hai trăm tám mươi chín nghìn không trăm linh một đồng", "chưa xác định",
    ):  # fmt: skip
        assert part in text, part
    path = f"/v1/papers/{report['report_id']}/file"
    page = await officer.get(path, params={"form": "html"})
    assert "Người có công với cách mạng" in page.text
    table = await officer.get(path, params={"form": "csv"})
    lines = table.content.decode("utf-8-sig").splitlines()
    assert report["digest"] in lines[2]
    assert len(lines) == 4 + report["row_count"]
    assert (await officer.get(path, params={"form": "xlsx"})).content[:2] == b"PK"


def first_cycle(month: str) -> PaymentCycleOpened:
    return PaymentCycleOpened(
        version=1, business_date=date.fromisoformat(f"{month}-01"), cycle_id=stable_id("cycle", month), state=CycleState.OPEN, month=month,
        programme=Programme.MERIT, funding_source="CENTRAL_BUDGET", unit_code="60", unit_path="60",
    )  # fmt: skip


async def test_the_calendar_is_the_units_own_and_begins_with_its_first_month(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming([*small_month().events, first_cycle("2024-09")]))

    async def asked(unit: str) -> list[tuple[str, str, str]]:
        rows = (await officer.get("/v1/papers/calendar", params={"on": "2024-10-20", "unit_path": unit})).json()["rows"]
        return [(row["layout"], row["period_first"], row["who"]) for row in rows]

    province, commune = await asked("60"), await asked("60/593/22924")
    assert {who for _, _, who in province} == {"DEPARTMENT", "PAYMENT_ORGANISATION"}
    assert {who for _, _, who in commune} == {"COMMUNE"}
    monthly = [first for layout, first, _ in province if layout == "directive-21-monthly"]
    assert sorted(monthly) == ["2024-09", "2024-10"], "August was before the first cycle"
    assert ("assistance-half-yearly", "2024-01", "DEPARTMENT") not in province


async def test_what_is_due_and_late(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming([*small_month().events, first_cycle("2024-09")]))

    async def state(on: str, who: str = "DEPARTMENT") -> Any:
        rows = (await officer.get("/v1/papers/calendar", params={"on": on, "unit_path": "60"})).json()["rows"]
        (row,) = [r for r in rows if (r["layout"], r["period_first"], r["who"]) == ("directive-21-monthly", "2024-09", who)]
        return row["state"], row["days_late"], row["due_on"]

    assert await state("2024-10-04") == ("OPEN", 0, "2024-10-05")
    assert await state("2024-10-05") == ("LATE", 1, "2024-10-05"), "before the 5th means the 4th at the latest"
    report = await frozen(officer)
    assert (await state("2024-10-04"))[0] == "FROZEN"
    path = f"/v1/papers/{report['report_id']}/handed-over"
    done = await officer.post(path, json={"who": "DEPARTMENT", "handed_on": "2024-10-07", "reference": "1204/BC-SLĐTBXH"})
    assert done.json()["handed_over"] == [{"who": "DEPARTMENT", "handed_on": "2024-10-07", "reference": "1204/BC-SLĐTBXH"}]
    assert await state("2024-10-20") == ("HANDED_OVER_LATE", 3, "2024-10-05")
    assert (await officer.post(path, json={"who": "DEPARTMENT", "handed_on": "2024-10-07", "reference": "1204"})).status_code == 409
    assert (await officer.post(path, json={"who": "NOBODY", "handed_on": "2024-10-07", "reference": "1204"})).status_code == 422


async def test_nothing_is_handed_over_before_it_was_made(reporting: Reporting, officer: httpx.AsyncClient) -> None:
    await reporting.hear(incoming(small_month().events))
    report = await frozen(officer, business_date="2024-10-25")
    path = f"/v1/papers/{report['report_id']}/handed-over"
    early = await officer.post(path, json={"who": "DEPARTMENT", "handed_on": "2024-10-04", "reference": "1204"})
    assert (early.status_code, early.json()["type"]) == (422, "/problems/day-too-early")
    assert early.json()["errors"][0]["detail"].startswith("2024-10-25 or later")
    done = await officer.post(path, json={"who": "DEPARTMENT", "handed_on": "2024-10-25", "reference": "1204"})
    assert done.status_code == 200


async def test_only_ones_own_units(reporting: Reporting, officer: httpx.AsyncClient, client_as: ClientAs) -> None:
    await reporting.hear(incoming(small_month().events))
    report = await frozen(officer)
    other = client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("38",))
    for answer in (
        await freeze(other), await other.get(f"/v1/papers/{report['report_id']}"),
        await other.get(f"/v1/papers/{report['report_id']}/file"),
        await other.post(f"/v1/papers/{report['report_id']}/again", params={"business_date": "2024-10-03"}),
        await other.get("/v1/papers/preview", params=D21),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert (await other.get("/v1/papers")).json()["items"] == []
    commune = client_as(reporting.app, Role.COMMUNE_OFFICER, units=("60/593/22924",))
    assert (await commune.get(f"/v1/papers/{report['report_id']}")).status_code == 404
    assert (await freeze(client_as(reporting.app, Role.AUDITOR))).status_code == 403
