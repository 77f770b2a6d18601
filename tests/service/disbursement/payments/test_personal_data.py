"""What is paid is kept for its legal time and then loses its names; what no law keeps goes on request."""

from __future__ import annotations

from typing import Any

from common.auth import Role
from common.retention import apply_terms
from disbursement.storage.personal_data import HOLDING

PURPOSE = {"purpose": "Người hưởng yêu cầu cung cấp dữ liệu"}
ASKED = {"asked_by": "REPRESENTATIVE", "ground": "Đơn ngày 20/11/2026"}


async def test_a_payee_gets_the_payments_and_cannot_have_vouchers_erased(world: Any, client_as: Any) -> None:
    line = world.line()
    await world.approve([line])
    await world.send()
    async with world.owner() as tx:
        token = world.keyring.seal("disbursement", line.line_id, "phone", "0912345678")
        await tx.execute("UPDATE beneficiary SET phone_token = :token", token=token)
    officer = client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22924",), subject="an")
    second = client_as(world.app, Role.APPROVER, units=("60",), subject="binh")
    path = f"/v1/people/{line.beneficiary_id}"
    answer = await officer.get(f"{path}/personal-data", params=PURPOSE)
    assert answer.status_code == 200, answer.text
    parts = {part["table"]: part["rows"] for part in answer.json()["parts"]}
    assert parts["beneficiary"][0]["phone_token"] == "0912345678"
    assert parts["list_line"][0]["account_number_token"] == "190000000000"
    assert {"payment", "payment_history", "allocation", "payout_account", "verification"} <= set(parts)
    (kept,) = answer.json()["kept"]
    assert "Luật Kế toán" in kept["law"]
    assert kept["until"].endswith("-12-31")
    asked = (await officer.post(f"{path}/erasures", json=ASKED)).json()
    done = (await second.post(f"/v1/erasures/{asked['erasure_id']}/decision", json={"approve": True, "note": "Đã đối chiếu"})).json()
    assert [item["what_en"] for item in done["erased"]] == ["Telephone number"]
    assert await world.value("SELECT phone_token FROM beneficiary") is None
    assert await world.value("SELECT payee_name FROM list_line") == "Đặng Thị Hoà", "a voucher keeps its names for its legal time"


async def test_vouchers_lose_their_names_when_the_legal_time_is_over_and_not_before(world: Any) -> None:
    await world.approve([world.line(), world.line()])
    async with world.owner() as tx:
        await tx.execute("UPDATE payment_cycle SET state = 'CLOSED', closed_by = 'x', closed_at = now() - interval '9 years'")
    assert await apply_terms(world.db, HOLDING.retention) is False
    assert await world.value("SELECT count(*) FROM list_line WHERE payee_name = 'Đặng Thị Hoà'") == 2
    async with world.owner() as tx:
        await tx.execute("UPDATE payment_cycle SET closed_at = now() - interval '12 years'")
    assert await apply_terms(world.db, HOLDING.retention) is False
    assert await world.rows("SELECT DISTINCT payee_name, account_number_token, file_code FROM list_line") == [
        {"payee_name": "[đã xoá]", "account_number_token": None, "file_code": None}
    ]
    assert await world.value("SELECT sum(amount) FROM payment") == 1_000_000, "the money stays, under the payment's own number"
    assert await world.value("SELECT detail ->> 'law' FROM audit_log WHERE action = 'retention.erase'") is not None
