"""A person's statement: what, why, when, how paid; by unit, audited with its purpose, no numbers of people or accounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pypdfium2  # type: ignore[import-untyped]
from reporting_builders import MERIT, Reporting, S, World, incoming

from common.actor import Role
from common.contracts.accounts_v1 import AccountKind, AccountLinked, AccountStatus, PayoutMethod, PayoutMethodChosen
from common.contracts.disbursement_v1 import Channel, HoldReason, PaymentSettled
from common.contracts.registry_v1 import DueInterval, DuesChanged, DuesLine, DueStatus, EntitlementGranted
from common.ids import stable_id

ClientAs = Callable[..., httpx.AsyncClient]
UNIT = "60/593/22924"
ASKED = {"since": "2024-01", "until": "2024-12", "purpose": "Người hưởng đề nghị"}


async def told(reporting: Reporting) -> UUID:
    world = World()
    world.unit(UNIT, "Phường Mũi Né", valid_to="2025-06-30")
    who = world.paid(UNIT, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 2_789_000)
    place = {"unit_code": "22924", "unit_path": UNIT, "business_date": date(2024, 8, 1), "version": 1}
    interval = DueInterval(
        from_month="2024-07", to_month=None, amount=2_789_000, status=DueStatus.DUE, basis="Nghị định 77/2024/NĐ-CP",
        decision_number="12/QĐ-UBND", explicit_arrears=False,
    )  # fmt: skip
    world.events += [
        EntitlementGranted(
            beneficiary_id=who, entitlement_id=stable_id("e", who), programme=MERIT, funding_source="CENTRAL", benefit_line="M01",
            decision_number="12/QĐ-UBND", decision_date=date(2023, 6, 1), from_month="2023-06", to_month=None, status="GRANTED", **place,
        ),
        DuesChanged(
            beneficiary_id=who, **place,
            lines=[DuesLine(programme=MERIT, funding_source="CENTRAL", benefit_line="M01", intervals=[interval])],
        ),
        AccountLinked(
            payee_id=who, account_id=stable_id("a", who), kind=AccountKind.BANK, provider_code="AGRIBANK", partner="agribank",
            account_number={"disbursement": "k1.sealed"}, masked_number="…2222", holder_name="NGUYEN VAN A", status=AccountStatus.ACTIVE,
            reason=None, **place,
        ),
        PayoutMethodChosen(
            beneficiary_id=who, payee_id=who, payee_kind="SELF", method=PayoutMethod.ACCOUNT, account_id=stable_id("a", who), reason=None,
            **place,
        ),
    ]  # fmt: skip
    world.events = [
        event.model_copy(update={"account_masked": "…1234"}) if isinstance(event, PaymentSettled) else event for event in world.events
    ]
    world.held(UNIT, MERIT, HoldReason.NOT_VERIFIED, 100_000, who=who)
    await reporting.hear(incoming(world.events))
    return who


async def test_a_statement_says_what_why_when_and_how(reporting: Reporting, client_as: ClientAs) -> None:
    who = await told(reporting)
    officer = client_as(reporting.app, Role.COMMUNE_OFFICER, units=(UNIT,), subject="an.xa")
    view = (await officer.get(f"/v1/statements/{who}", params=ASKED)).json()
    assert (view["full_name"], view["unit_name"], view["paid"]) == ("Nguyễn Văn A", "Phường Mũi Né", 2_789_000)
    (granted,), (owed,), (paid,), (held,) = view["entitlements"], view["dues"], view["payments"], view["holds"]
    assert (granted["benefit_line"], granted["decision_number"]) == ("M01", "12/QĐ-UBND")
    assert (owed["amount"], owed["basis"], owed["from_month"]) == (2_789_000, "Nghị định 77/2024/NĐ-CP", "2024-07")
    assert (paid["month"], paid["status_text"]["vi"], paid["account"], paid["payee_text"]["vi"]) == (
        "2024-09", "Đã vào tài khoản", "…1234", "Chính người hưởng",
    )  # fmt: skip
    assert held["reason_text"]["en"] == "Not yet verified against the population database"
    before = (await officer.get(f"/v1/statements/{who}", params=ASKED | {"since": "2023-01", "until": "2023-12"})).json()
    assert (before["paid"], before["payments"], before["dues"]) == (0, [], [])


async def test_a_statement_is_printed_and_audited(reporting: Reporting, client_as: ClientAs) -> None:
    who = await told(reporting)
    officer = client_as(reporting.app, Role.COMMUNE_OFFICER, units=(UNIT,), subject="an.xa")
    asked: dict[str, Any] = ASKED | {"purpose": "Đề nghị của 038123451234"}
    page = await officer.get(f"/v1/statements/{who}", params=asked | {"form": "html"})
    assert "Bản kê trợ cấp của người hưởng" in page.text
    assert page.headers["cache-control"] == "no-store"
    made = await officer.get(f"/v1/statements/{who}", params=asked | {"form": "pdf"})
    document = pypdfium2.PdfDocument(made.content)
    text = " ".join(sheet.get_textpage().get_text_range().replace("\r\n", " ") for sheet in document)
    document.close()
    assert "2.789.000" in text
    assert "Hai triệu bảy trăm tám mươi chín nghìn đồng" in text
    assert "Nghị định 77/2024/NĐ-CP" in text
    async with reporting.db.read() as tx:
        rows = await tx.rows("SELECT subject, action, object_id, purpose FROM audit_log WHERE action = 'statement.made'")
    assert [(row["subject"], row["object_id"], row["purpose"]) for row in rows] == [("an.xa", str(who), "Đề nghị của ***")] * 2


async def test_a_statement_speaks_words_and_writes_months_as_people_do(reporting: Reporting, client_as: ClientAs) -> None:
    who = await told(reporting)
    world = World(people=50)
    world.paid(UNIT, MERIT, Channel.CASH_POST, [S.APPROVED, S.COLLECTED], 100_000, who=who, number=2)
    world.events = [one.model_copy(update={"cash_reason": "PREFERENCE"}) if hasattr(one, "cash_reason") else one for one in world.events]
    missing = DueInterval(
        from_month="2023-07", to_month="2024-06", amount=0, status=DueStatus.RATE_MISSING, basis="RATE_MISSING",
        decision_number="12/QĐ-UBND", explicit_arrears=False,
    )  # fmt: skip
    lines = [DuesLine(programme=MERIT, funding_source="CENTRAL_BUDGET", benefit_line="M01", intervals=[missing])]
    world.events.append(
        DuesChanged(beneficiary_id=who, unit_code="22924", unit_path=UNIT, business_date=date(2024, 9, 1), version=2, lines=lines)
    )
    await reporting.hear(incoming(world.events))
    officer = client_as(reporting.app, Role.COMMUNE_OFFICER, units=(UNIT,))
    page = (await officer.get(f"/v1/statements/{who}", params=ASKED | {"form": "html"})).text
    read = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page)
    assert re.findall(r"\b(?:[A-Z]+_[A-Z_]+|GRANTED|PREFERENCE)\b|\b20\d\d-\d\d\b", read) == []
    for part in (
        "Đang hưởng",
        "Người hưởng chọn tiền mặt",
        "từ 06/2023",
        "07/2023 – 06/2024",
        "Từ tháng 01/2024 đến tháng 12/2024",
        "Mũi Né, ngày",
    ):
        assert part in read


async def test_a_payment_keeps_the_account_it_went_to_and_the_day_it_was_in_viet_nam(reporting: Reporting, client_as: ClientAs) -> None:
    who = await told(reporting)
    world = World(people=50)
    world.paid(UNIT, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 100_000, who=who, number=2)
    world.paid(UNIT, MERIT, Channel.BANK, [S.APPROVED, S.SETTLED], 200_000, who=who, number=3)
    at = {"occurred_at": datetime(2024, 9, 5, 19, tzinfo=UTC)}
    first, second = [event.model_copy(update=at) for event in world.events if isinstance(event, PaymentSettled)]
    await reporting.hear(incoming([first.model_copy(update={"account_masked": "…1111"}), second]))
    officer = client_as(reporting.app, Role.COMMUNE_OFFICER, units=(UNIT,))
    paid = (await officer.get(f"/v1/statements/{who}", params=ASKED)).json()["payments"]
    told_now = {one["amount"]: one["account"] for one in paid}
    assert told_now == {2_789_000: "…1234", 100_000: "…1111", 200_000: None}, "not the account of today (…2222)"
    page = (await officer.get(f"/v1/statements/{who}", params=ASKED | {"form": "html"})).text
    assert "06/09/2024" in page, "19:00 UTC is two in the morning of the next day"
    assert "…1111" in page
    assert "…2222" not in page


async def test_only_officers_of_the_persons_unit(reporting: Reporting, client_as: ClientAs) -> None:
    who = await told(reporting)
    other = client_as(reporting.app, Role.COMMUNE_OFFICER, units=("60/593/1",))
    answer = await other.get(f"/v1/statements/{who}", params=ASKED)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-statement")
    officer = client_as(reporting.app, Role.COMMUNE_OFFICER, units=(UNIT,))
    assert (await officer.get(f"/v1/statements/{UUID(int=1)}", params=ASKED)).status_code == 404
    assert (await officer.get(f"/v1/statements/{who}", params={"since": "2024-01", "until": "2024-12"})).status_code == 422
    assert (await officer.get(f"/v1/statements/{who}", params=ASKED | {"until": "2030-01"})).status_code == 422
    short = (await officer.get(f"/v1/statements/{who}", params=ASKED | {"purpose": "x"})).json()
    assert short["detail_vi"] == "query.purpose: quá ngắn: ít nhất 5 ký tự", "the page shows it as it stands"
    assert (await client_as(reporting.app, Role.INTEGRATOR).get(f"/v1/statements/{who}", params=ASKED)).status_code == 403
    assert (await client_as(reporting.app).get(f"/v1/statements/{who}", params=ASKED)).status_code == 401
