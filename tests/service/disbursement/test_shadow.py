"""A shadow month: every difference between the office's list and ours is found and explained, and nothing of the trial stays."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from uuid import UUID

import httpx
import pytest

from common.actor import Role
from common.ids import new_id
from common.names import folded

HEAD = "DANH SÁCH CHI TRẢ THÁNG 9/2024\nSTT,Mã hồ sơ,Họ và tên,Năm sinh,Số tiền,Hình thức nhận,Số tài khoản\n"
_TRIAL = "SELECT (SELECT count(*) FROM list_line) + (SELECT count(*) FROM hold) + (SELECT count(*) FROM payment_cycle) AS n"


def _code(who: UUID) -> str:
    return f"BT-{who.hex[-6:]}"


class Office:
    """People of a commune that is not live yet, and the office's rows about them."""

    def __init__(self, province: Any, due: Any) -> None:
        self.province = province
        self.due = due
        self.rows: list[str] = []

    async def person(self, *intervals: Any, name: str = "Nguyễn Văn A", cash: bool = False, verified: bool = True, **more: Any) -> UUID:
        """Somebody in our register."""
        who = new_id()
        events = self.province.by_account(who, *intervals)
        if cash:
            events = [*events[:3], self.province.method(who, "CASH_POST")]
        if not verified:
            events = [event for event in events if "Verified" not in type(event).__name__]
        events[0] = events[0].model_copy(update={"full_name": name, **more})
        await self.province.hear(*events)
        return who

    def row(
        self,
        code: str,
        amount: object,
        *,
        name: str = "Nguyễn Văn A",
        born: str = "1950",
        method: str = "Tài khoản",
        account: str = "0123456789",
    ) -> None:
        """A row of theirs."""
        self.rows.append(f"{len(self.rows) + 1},{code},{name},{born},{amount},{method},{account}")

    async def compare(self, **more: Any) -> httpx.Response:
        """Send the file."""
        form = {"unit_code": "22924", "programme": "SOCIAL_PENSION", "funding_source": "LOCAL_BUDGET", "month": "2024-09",
                "business_date": "2024-08-20"} | more  # fmt: skip
        content = (HEAD + "\n".join(self.rows)).encode()
        answer: httpx.Response = await self.province.maker.post("/v1/shadow-months", data=form, files={"file": ("chi tra.csv", content)})
        return answer

    async def differences(self, **more: Any) -> dict[str, str]:
        """File code or name, and kind → why."""
        made = await self.compare(**more)
        assert made.status_code == 201, made.text
        self.shadow = made.json()
        items = (await self.province.maker.get(f"/v1/shadow-months/{self.shadow['shadow_id']}/differences")).json()["items"]
        self.items = items
        return {f"{item['file_code'] or item['full_name']} {item['kind']}": item["why"] for item in items}


@pytest.fixture
def office(province: Any, due: Any, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The fixture province has taken over social assistance; what is compared here is another programme, not live."""
    assistance = province.dues

    def dues(who: UUID, *intervals: Any) -> Any:
        event = assistance(who, *intervals)
        return event.model_copy(update={"lines": [line.model_copy(update={"programme": "SOCIAL_PENSION"}) for line in event.lines]})

    monkeypatch.setattr(province, "dues", dues)
    return Office(province, due)


async def test_every_kind_of_difference_is_found_and_explained(office: Office, due: Any) -> None:
    same = await office.person(due(500_000))
    office.row(_code(same), "500.000")
    more = await office.person(due(700_000))
    office.row(_code(more), "500.000")
    late = await office.person(due(500_000, "2024-07", arrears=True))
    office.row(_code(late), "500.000")
    cash = await office.person(due(500_000), cash=True)
    office.row(_code(cash), 500000)
    account = await office.person(due(500_000))
    office.row(_code(account), 500000, account="9999999999")
    renamed = await office.person(due(500_000))
    office.row(_code(renamed), 500000, name="Lê Thị C")
    held = await office.person(due(500_000), verified=False)
    office.row(_code(held), 500000)
    new = await office.person(due(500_000, "2024-09"))
    forgotten = await office.person(due(500_000))
    ended = await office.person(due(500_000, "2024-01", "2024-06"))
    office.row(_code(ended), 500000)
    moved = await office.person(due(500_000), unit_code="22927", unit_path="60/593/22927")
    office.row(_code(moved), 500000)
    twice = await office.person(due(500_000))
    office.row(_code(twice), 200000)
    office.row(_code(twice), 300000)
    await office.person(due(500_000), name="Phạm Thị Hoà")
    office.row("", 500000, name="PHAM THI HOA")
    office.row("BT-NOBODY", 500000, name="Không Ai Biết")
    office.row("", 500000)
    odd = await office.person(due(500_000))
    office.row(_code(odd), "năm trăm")
    assert await office.differences() == {
        f"{_code(more)} AMOUNT": "OTHER_AMOUNT",
        f"{_code(late)} AMOUNT": "ARREARS",
        f"{_code(cash)} METHOD": "PREFERENCE",
        f"{_code(account)} ACCOUNT": "OTHER_ACCOUNT",
        f"{_code(renamed)} NAME": "OTHER_NAME",
        f"{_code(held)} HELD": "NOT_VERIFIED",
        f"{_code(new)} ONLY_OURS": "FIRST_MONTH",
        f"{_code(forgotten)} ONLY_OURS": "NOT_IN_FILE",
        f"{_code(ended)} ONLY_THEIRS": "ENDED",
        f"{_code(moved)} ONLY_THEIRS": "OTHER_UNIT",
        f"{_code(twice)} TWICE": "SUMMED",
        "BT-NOBODY ONLY_THEIRS": "UNKNOWN_PERSON",
        "Nguyễn Văn A ONLY_THEIRS": "AMBIGUOUS_NAME",
        f"{_code(odd)} UNREADABLE": "AMOUNT_UNREADABLE",
    }
    figures = office.shadow["figures"]
    assert (figures["rows"], figures["same"], figures["held"], figures["differences"]) == (15, 2, 1, 14)
    arrears = next(item for item in office.items if item["why"] == "ARREARS")
    assert (arrears["ours_amount"], arrears["theirs_amount"], arrears["months"]) == (1_500_000, 500_000, ["2024-07", "2024-08", "2024-09"])
    assert "A01 07/2024 500000 (ND 20/2021)" in arrears["vi"]
    assert all(item["vi"] and item["en"] for item in office.items)
    assert sum(row["people"] for row in office.shadow["summary"]) == 14
    assert (await office.province.rows(_TRIAL)) == [{"n": 0}]  # nothing of the trial list is left
    first = office.shadow["list_hash"]
    assert (await office.compare()).json()["list_hash"] == first, "the same people, dues and accounts are the same list"
    await office.person(due(300_000))
    assert (await office.compare()).json()["list_hash"] != first


async def test_the_differences_can_be_taken_along(office: Office, due: Any) -> None:
    who = await office.person(due(700_000), name="=cmd|'/c'!A1")
    office.row(_code(who), "500.000", name="=cmd|'/c'!A1")
    await office.differences()
    path = f"/v1/shadow-months/{office.shadow['shadow_id']}/download"
    text = (await office.province.maker.get(f"{path}?form=csv")).text
    assert "'=cmd" in text
    assert "ND 20/2021" in text
    book = (await office.province.maker.get(path)).content
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>700000</v>" in sheet
    assert "<f>" not in sheet  # a name that looks like a formula stays a name


async def test_two_people_sign_the_go_live_and_the_take_over_stands(office: Office, due: Any) -> None:
    who = await office.person(due(500_000))
    office.row(_code(who), 500000)
    await office.differences()
    province, path = office.province, f"/v1/shadow-months/{office.shadow['shadow_id']}/go-live"
    wish = {"first_month": "2024-10", "note": "Không còn chênh lệch", "business_date": "2024-09-20"}
    proposed = await province.post(province.maker, path, wish)
    assert (proposed.json()["state"], proposed.json()["take_over_state"]) == ("PROPOSED", "PROPOSED")
    word = {"approve": True, "list_hash": office.shadow["list_hash"], "note": "Đã đối chiếu từng dòng"}
    alone = province.client_as(province.app, Role.APPROVER, Role.DEPARTMENT_OFFICER, subject="maker")
    assert (await province.post(alone, f"{path}/decision", word)).json()["type"] == "/problems/four-eyes"
    assert (await province.post(province.checker, f"{path}/decision", {**word, "list_hash": "0" * 64})).status_code == 422
    signed = await province.post(province.checker, f"{path}/decision", word)
    assert (signed.json()["state"], signed.json()["take_over_state"], signed.json()["decided_by"]) == ("SIGNED", "APPROVED", "checker")
    assert (await province.post(province.checker, f"{path}/decision", word)).json()["type"] == "/problems/shadow-decided"
    again = await office.compare(month="2024-10", business_date="2024-09-20")
    assert again.json()["type"] == "/problems/already-live"


async def test_a_file_that_is_no_list_says_what_is_missing(office: Office) -> None:
    form = {"unit_code": "22924", "programme": "SOCIAL_PENSION", "funding_source": "LOCAL_BUDGET", "month": "2024-09",
            "business_date": "2024-08-20"}  # fmt: skip
    broken = await office.province.maker.post("/v1/shadow-months", data=form, files={"file": ("x.csv", b"Ho ten\nA\n")})
    assert (broken.status_code, broken.json()["type"]) == (422, "/problems/shadow-file-broken")


async def test_names_fold_alike_in_the_database_and_here(office: Office, due: Any) -> None:
    names = ["Đặng Thị Hoà", "NGUYỄN Ưng Ỷ Lệ", "Bùi Phượng Quỳnh Ẩn", "Võ Tịnh Đệ Ẵm", "Hồ Ký Vĩ"]
    for name in names:
        await office.person(due(1), name=name)
    kept = {row["name_folded"] for row in await office.province.rows("SELECT name_folded FROM beneficiary")}
    assert kept == {folded(name) for name in names}
