"""The beneficiary is told of every payment: by SMS with a receipt, on the commune's signed list, above all when somebody else is paid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import ProgrammingError

from common.auth import Role
from common.ids import new_id
from disbursement.channels.sms import SmsGateway
from disbursement.settings import Settings
from disbursement.usecases.tell import Teller
from simulators.sms.app import DDL, sms_routes
from simulators.sqlite_lane import Lane

NOON = datetime(2024, 9, 6, 5, tzinfo=UTC)  # 12:00 in Viet Nam
NIGHT = datetime(2024, 9, 6, 16, tzinfo=UTC)  # 23:00
TOKEN = "a-token-of-tests"


class Desk:
    """A world with an SMS gateway, and officers."""

    def __init__(self, world: Any, client_as: Callable[..., httpx.AsyncClient], keyring: Callable[[str], Any], folder: Path) -> None:
        self.world = world
        self._registry = keyring("registry")
        self.lane = Lane(folder / "sms.sqlite", DDL, "OFF")
        gateway = FastAPI()
        gateway.include_router(sms_routes(self.lane, TOKEN))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=gateway), base_url="http://gateway")
        settings = Settings(
            database_url=world.test_database.app_url, keys_file=folder / "none", environment="development", sms_url="http://gateway/sms"
        )
        channel = SmsGateway("http://gateway/sms", TOKEN, self.http, world.keyring)
        self.hour = NOON
        self.teller = Teller(world.db, settings, channel, clock=lambda: self.hour)
        self.commune = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="commune")
        self.district = client_as(world.app, Role.DISTRICT_OFFICER, subject="district")
        self.stranger = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22927",), subject="stranger")

    async def phone(self, line: Any, number: str = "0912345678") -> None:
        """The register knows this person's telephone."""
        token = self._registry.seal("disbursement", new_id(), "phone", number)
        async with self.world.owner() as tx:
            await tx.execute("UPDATE beneficiary SET phone_token = :t WHERE beneficiary_id = :b", t=token, b=line.beneficiary_id)

    async def payee(self, line: Any, name: str = "Trần Thị B") -> None:
        """Somebody else collects for this person."""
        other = new_id()
        async with self.world.owner() as tx:
            for table in ("list_line", "payment"):
                await tx.execute(f"UPDATE {table} SET payee_id = :o, payee_kind = 'AUTHORISED' WHERE line_id = :l", o=other, l=line.line_id)
            await tx.execute("UPDATE list_line SET payee_name = :n WHERE line_id = :l", n=name, l=line.line_id)

    async def pays(self, *lines: Any) -> None:
        """The partner pays these."""
        await self.world.approve(list(lines))
        for partner in sorted({line.partner for line in lines}):
            await self.world.send(partner)
        for line in lines:
            word = "COLLECTED" if line.channel.startswith("CASH") else "SETTLED"
            await self.world.notice(await self.world.result(word, line), partner=line.partner)

    async def turn(self, *, find: bool = True) -> None:
        """The worker's loop once, whatever its pauses say."""
        async with self.world.owner() as tx:
            await tx.execute("UPDATE telling_round SET next_at = now()")
            await tx.execute("UPDATE telling SET next_at = now()")
        if find:
            await self.teller.find()
        await self.teller.send()
        async with self.world.owner() as tx:
            await tx.execute("UPDATE telling SET next_at = now()")
        await self.teller.ask()

    async def script(self, behaviour: str) -> None:
        """What the gateway does wrong next."""
        assert (await self.http.post("/sms/control/script", json={"behaviour": behaviour})).status_code == 200

    async def books(self) -> list[dict[str, Any]]:
        """What the gateway took."""
        found: list[dict[str, Any]] = (await self.http.get("/sms/control/books")).json()["messages"]
        return found

    async def states(self) -> list[tuple[str, str, str]]:
        """Tellings as they stand."""
        rows = await self.world.rows("SELECT occasion, route, state FROM telling ORDER BY telling_id")
        return [(row["occasion"], row["route"], row["state"]) for row in rows]


@pytest.fixture
async def desk(world: Any, client_as: Callable[..., httpx.AsyncClient], keyring: Callable[[str], Any], tmp_path: Path) -> Any:
    """An SMS gateway beside the partners."""
    made = Desk(world, client_as, keyring, tmp_path)
    yield made
    await made.http.aclose()
    made.lane.close()


async def test_a_payment_to_somebody_else_is_told_to_the_beneficiary_with_the_sum(desk: Desk) -> None:
    line = desk.world.line()
    await desk.pays(line)
    await desk.phone(line)
    await desk.payee(line)
    await desk.turn()
    (sent,) = await desk.books()
    assert sent["phone"] == "0912345678"
    assert sent["text"] == (
        "Dang Thi Hoa: tien an sinh thang 9/2024 (500.000 dong) da chuyen cho nguoi nhan thay la Tran Thi B."
        " Chua nhan duoc, xin bao UBND xa."
    )
    assert await desk.states() == [("PAID", "SMS", "DELIVERED")]
    items = (await desk.district.get("/v1/tellings?other_payee=true")).json()["items"]
    assert [(item["state"], item["told_at"] is not None, "0912345678" in str(item)) for item in items] == [("DELIVERED", True, False)]
    assert (await desk.stranger.get("/v1/tellings")).json()["items"] == []


async def test_told_by_sms_not_met_on_paper_and_i_did_not_get_it_is_a_case(desk: Desk) -> None:
    """From the payment to somebody else over the message in the gateway's books and the signed list to a case on the payment."""
    told, unreachable = desk.world.line(), desk.world.line()
    await desk.pays(told, unreachable)
    await desk.phone(told)
    for line in (told, unreachable):
        await desk.payee(line)
    await desk.turn()
    assert [message["phone"] for message in await desk.books()] == ["0912345678"]
    assert {state for _, _, state in await desk.states()} == {"DELIVERED", "TO_PRINT"}
    cycle = f"/v1/cycles/{desk.world.cycle_id}"
    made = await _sheet(desk)
    assert made.status_code == 201, made.text
    sheet = f"/v1/telling-sheets/{made.json()['sheet_id']}"
    filed = await desk.commune.post(
        f"{sheet}/proof", data={"handed_over_on": "2024-09-12"}, files={"file": ("ky nhan.pdf", b"%PDF-1.4 signed")}
    )
    assert filed.status_code == 200, filed.text
    far = (await desk.commune.get(f"{cycle}/tellings")).json()
    assert (far["people"], far["told"]) == (2, 2)
    payment = await desk.world.value("SELECT payment_id FROM payment WHERE line_id = :l", l=told.line_id)
    says = {"kind": "NOT_RECEIVED", "told_by": "SELF", "note": "Bà nói con trai nhận mà không đưa", "business_date": "2024-09-12"}
    path = f"/v1/payments/{payment}/complaints"
    assert (await desk.stranger.post(path, json=says, headers={"Idempotency-Key": "says-key-0"})).status_code == 404
    case = await desk.commune.post(path, json=says, headers={"Idempotency-Key": "says-key-1"})
    assert (case.status_code, case.json()["state"]) == (201, "OPEN")
    work = (await desk.commune.get("/v1/work?business_date=2024-09-12")).json()["items"]
    assert next(item["count"] for item in work if item["kind"] == "complaints") == 1
    story = (await desk.district.get(f"/v1/payments/{payment}/timeline")).json()["story"]
    kinds = [step["kind"] for step in story]
    assert {"TELLING_DELIVERED", "COMPLAINT_OPENED"} <= set(kinds)


async def test_no_telephone_rings_at_night_and_nobody_is_told_twice(desk: Desk) -> None:
    line = desk.world.line()
    await desk.pays(line)
    await desk.phone(line)
    desk.hour = NIGHT
    await desk.turn()
    assert (await desk.books(), await desk.states()) == ([], [("PAID", "SMS", "READY")])
    desk.hour = NOON
    await desk.turn()
    await desk.turn()
    assert [(row["taken"], "500.000" in row["text"]) for row in await desk.books()] == [
        (1, False)
    ]  # the sum only where somebody else is paid


@pytest.mark.parametrize("trouble", ["OUTAGE", "LOST_ANSWER", "NONSENSE"])
async def test_an_answer_that_does_not_come_is_asked_for_and_no_text_arrives_twice(desk: Desk, trouble: str) -> None:
    line = desk.world.line()
    await desk.pays(line)
    await desk.phone(line)
    await desk.script(trouble)
    await desk.turn()
    for _ in range(3):
        await desk.turn()
    assert await desk.states() == [("PAID", "SMS", "DELIVERED")]
    assert [row["taken"] for row in await desk.books()] == [1]


@pytest.mark.parametrize(("number", "trouble"), [("0912", None), ("0912345678", "UNDELIVERED")])
async def test_whoever_the_sms_does_not_reach_goes_on_the_list(desk: Desk, number: str, trouble: str | None) -> None:
    line = desk.world.line()
    await desk.pays(line)
    await desk.phone(line, number)
    if trouble:
        await desk.script(trouble)
    await desk.turn()
    assert await desk.states() == [("PAID", "LIST", "TO_PRINT")]


async def test_without_a_receipt_in_time_the_person_goes_on_the_list(desk: Desk) -> None:
    line = desk.world.line()
    await desk.pays(line)
    await desk.phone(line)
    await desk.script("NO_RECEIPT")
    await desk.turn()
    assert await desk.states() == [("PAID", "SMS", "SENT")]
    async with desk.world.owner() as tx:
        await tx.execute("UPDATE telling SET sent_at = sent_at - interval '73 hours'")
    await desk.turn()
    assert await desk.states() == [("PAID", "LIST", "TO_PRINT")]


async def _sheet(desk: Desk) -> Any:
    form = {"unit_code": "22924", "business_date": "2024-09-10"}
    async with desk.world.owner() as tx:
        await tx.execute(
            "INSERT INTO administrative_unit (unit_id, version, code, name, level, path, valid_from) VALUES"
            " (uuidv7(), 1, '22924', 'Xã Phước Hà', 'commune', '60/593/22924', '1975-01-01') ON CONFLICT DO NOTHING"
        )
    path = f"/v1/cycles/{desk.world.cycle_id}/telling-sheets"
    return await desk.commune.post(path, json=form, headers={"Idempotency-Key": f"sheet-{new_id()}"})


async def test_the_list_is_printed_signed_and_filed_and_who_was_not_met_waits_for_the_next(desk: Desk) -> None:
    one = desk.world.line(channel="CASH_POST", partner="vnpost")
    two = desk.world.line(channel="CASH_HOME", partner="vnpost")
    await desk.pays(one, two)
    await desk.payee(one)
    await desk.turn()
    assert await desk.states() == [("COLLECTED", "LIST", "TO_PRINT")] * 2
    made = await _sheet(desk)
    assert (made.status_code, made.json()["rows"]) == (201, 2)
    sheet = f"/v1/telling-sheets/{made.json()['sheet_id']}"
    page = (await desk.commune.get(f"{sheet}/paper")).text
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page
    assert "ỦY BAN NHÂN DÂN XÃ PHƯỚC HÀ" in page
    assert "(500.000 đồng) đã giao cho người nhận thay là Trần Thị B" in page
    assert not {"SOCIAL_ASSISTANCE", "Trợ giúp xã hội", "A01"} & set(page.split())
    assert (await desk.stranger.get(f"{sheet}/paper")).status_code == 404
    rows = await desk.world.rows("SELECT telling_id, beneficiary_id FROM telling")
    missed = next(str(row["telling_id"]) for row in rows if row["beneficiary_id"] == two.beneficiary_id)
    scan = b"%PDF-1.7 signed"
    text = await desk.commune.post(f"{sheet}/proof", data={"handed_over_on": "2024-09-12"}, files={"file": ("x.pdf", b"hello")})
    assert text.json()["type"] == "/problems/cash-evidence-refused"
    ahead = await desk.commune.post(f"{sheet}/proof", data={"handed_over_on": "2099-01-01"}, files={"file": ("x.pdf", scan)})
    assert (ahead.status_code, ahead.json()["errors"][0]["field"]) == (422, "handed_over_on")
    filed = await desk.commune.post(
        f"{sheet}/proof", data={"handed_over_on": "2024-09-12", "not_met": [missed]}, files={"file": ("ky nhan.pdf", scan)}
    )
    assert filed.json() == {"told": 1, "not_met": 1}
    assert sorted(await desk.states()) == [("COLLECTED", "LIST", "HANDED_OVER"), ("COLLECTED", "LIST", "TO_PRINT")]
    again = await desk.commune.post(f"{sheet}/proof", data={"handed_over_on": "2024-09-12"}, files={"file": ("x.pdf", scan)})
    assert again.json()["type"] == "/problems/sheet-handed-over"
    stored = await desk.world.value("SELECT proof FROM telling_sheet")
    assert scan not in bytes(stored)
    assert (await desk.commune.get(f"{sheet}/proof")).status_code == 422  # no purpose
    assert (await desk.commune.get(f"{sheet}/proof?purpose=thanh tra")).content == scan
    assert await desk.world.value("SELECT purpose FROM audit_log WHERE action = 'telling.read_proof'") == "thanh tra"
    summary = (await desk.district.get(f"/v1/cycles/{desk.world.cycle_id}/tellings")).json()
    assert (summary["people"], summary["told"]) == (2, 1)
    assert (await _sheet(desk)).json()["number"] == 2
    assert (await _sheet(desk)).json()["type"] == "/problems/nobody-to-print"


async def test_a_wrong_signed_copy_is_replaced_by_somebody_else_and_stays_readable(desk: Desk) -> None:
    one, two = (desk.world.line(channel="CASH_POST", partner="vnpost") for _ in range(2))
    await desk.pays(one, two)
    await desk.turn()
    sheet = f"/v1/telling-sheets/{(await _sheet(desk)).json()['sheet_id']}"
    wrong, right = b"%PDF-1.7 of another hamlet", b"%PDF-1.7 signed"
    put = {"data": {"handed_over_on": "2024-09-12", "reason": "Nộp nhầm bản của thôn khác"}, "files": {"file": ("dung.pdf", right)}}
    path = f"{sheet}/proof/corrections"
    assert (await desk.district.post(path, headers={"If-Match": '"1"'}, **put)).status_code == 404, "nothing is filed yet"
    await desk.commune.post(f"{sheet}/proof", data={"handed_over_on": "2024-09-12"}, files={"file": ("nham.pdf", wrong)})
    [view] = (await desk.district.get("/v1/telling-sheets")).json()["items"]
    stands = {"If-Match": f'"{view["version"]}"'}
    assert (view["version"], view["replaced"]) == (2, [])
    assert (await desk.district.post(path, **put)).status_code == 428
    assert (await desk.district.post(path, headers={"If-Match": '"1"'}, **put)).status_code == 412
    assert (await desk.commune.post(path, headers=stands, **put)).json()["type"] == "/problems/same-filer"
    assert (await desk.stranger.post(path, headers=stands, **put)).status_code == 404
    missed = await desk.world.value("SELECT telling_id FROM telling WHERE beneficiary_id = :id", id=two.beneficiary_id)
    named = {**put, "data": {**put["data"], "not_met": [str(missed)]}}
    done = await desk.district.post(path, headers=stands, **named)
    assert (done.status_code, done.json()) == (200, {"told": 1, "not_met": 1}), done.text
    assert (await desk.district.post(path, headers=stands, **put)).status_code == 412, "once"
    assert sorted(await desk.states()) == [("COLLECTED", "LIST", "HANDED_OVER"), ("COLLECTED", "LIST", "TO_PRINT")]
    [view] = (await desk.district.get("/v1/telling-sheets")).json()["items"]
    assert (view["version"], view["handed_over_by"], view["proof_name"]) == (3, "district", "dung.pdf")
    [before] = view["replaced"]
    told = {name: before[name] for name in ("version", "handed_over_by", "proof_name", "reason", "replaced_by")}
    assert told == {
        "version": 2, "handed_over_by": "commune", "proof_name": "nham.pdf", "reason": "Nộp nhầm bản của thôn khác",
        "replaced_by": "district",
    }  # fmt: skip
    assert (await desk.district.get(f"{sheet}/proof?purpose=thanh tra")).content == right
    assert (await desk.district.get(f"{sheet}/proof?purpose=thanh tra&version=2")).content == wrong
    assert await desk.world.rows("SELECT subject, detail ->> 'reason' AS reason FROM audit_log WHERE action = 'telling.replace_proof'")
    async with desk.world.owner() as tx:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await tx.execute("UPDATE telling_proof_replaced SET reason = 'khác'")


async def test_what_happens_to_the_money_later_is_told_too(desk: Desk) -> None:
    line, failed = desk.world.line(), desk.world.line()
    await desk.world.approve([line, failed])
    await desk.world.send()
    await desk.world.notice(await desk.world.result("SETTLED", line), await desk.world.result("FAILED", failed, code="ACCOUNT_CLOSED"))
    await desk.phone(line)
    await desk.turn()
    await desk.world.notice(await desk.world.result("RETURNED", line, code="ACCOUNT_CLOSED"))
    await desk.turn()
    assert sorted(await desk.states()) == [("FAILED", "LIST", "TO_PRINT"), ("PAID", "SMS", "DELIVERED"), ("RETURNED", "SMS", "DELIVERED")]


async def test_the_phone_of_a_dead_person_is_not_rung(desk: Desk) -> None:
    line = desk.world.line()
    await desk.pays(line)
    await desk.phone(line)
    async with desk.world.owner() as tx:
        await tx.execute("UPDATE beneficiary SET status = 'DECEASED'")
    await desk.turn()
    assert await desk.states() == [("PAID", "LIST", "TO_PRINT")]


async def test_the_timeline_tells_the_whole_story(desk: Desk) -> None:
    line = desk.world.line()
    await desk.pays(line)
    await desk.phone(line)
    await desk.turn()
    payment_id = await desk.world.value("SELECT payment_id FROM payment")
    story = (await desk.district.get(f"/v1/payments/{payment_id}/timeline")).json()["story"]
    kinds = [step["kind"] for step in story]
    assert [kind for kind in kinds if not kind.startswith(("LEDGER", "BATCHED"))] == [
        "LISTED", "STATUS_APPROVED", "STATUS_SUBMITTING", "STATUS_SUBMITTED", "STATUS_SETTLED", "TELLING_DELIVERED",
    ]  # fmt: skip
    assert kinds.count("LEDGER") == 3
    assert all(step["vi"] and step["en"] and not step["vi"].isupper() for step in story)
    assert orjson.dumps(story).decode().count("0912345678") == 0
    assert (await desk.stranger.get(f"/v1/payments/{payment_id}/timeline")).status_code == 404
