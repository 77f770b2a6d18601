"""Erasing reaches the log of events, so that rebuilding does not bring a name back; and only there where somebody asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from reporting_builders import Reporting, incoming

from common.actor import Role
from common.contracts.catalogue import example_of
from common.contracts.registry_v1 import BeneficiaryRegistered

PURPOSE = {"purpose": "Người hưởng yêu cầu cung cấp dữ liệu"}


async def test_a_name_never_paid_is_erased_from_the_log_of_events_too(reporting: Reporting, client_as: Callable[..., Any]) -> None:
    event = example_of(BeneficiaryRegistered)
    assert isinstance(event, BeneficiaryRegistered)
    event = event.model_copy(update={"full_name": "Lò Thị Xoáhẳn", "phone": {"disbursement": "v1:sealed"}})
    await reporting.hear(incoming([event]))
    officer = client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=(event.unit_path,), subject="an")
    second = client_as(reporting.app, Role.APPROVER, units=(event.unit_path,), subject="binh")
    path = f"/v1/people/{event.beneficiary_id}"
    given = (await officer.get(f"{path}/personal-data", params=PURPOSE)).json()
    (logged,) = next(part["rows"] for part in given["parts"] if part["table"] == "event_log")
    assert logged["body"]["full_name"] == "Lò Thị Xoáhẳn"
    assert "national_number" not in logged["body"], "sealed for other services, which give it"
    asked = (await officer.post(f"{path}/erasures", json={"asked_by": "OFFICE", "ground": "Biên bản 12/BB-UBND"})).json()
    assert {item["table"] for item in asked["erased"]} == {"event_log", "beneficiary"}
    done = await second.post(f"/v1/erasures/{asked['erasure_id']}/decision", json={"approve": True, "note": "Đã đối chiếu"})
    assert done.json()["erased"] == asked["erased"], "what was told is what went"
    with psycopg.connect(reporting.home.owner_url.replace("+psycopg", "")) as owner:
        left = owner.execute("SELECT concat((SELECT string_agg(CAST(t AS text), '') FROM event_log t),"
                             " (SELECT string_agg(CAST(t AS text), '') FROM beneficiary t))").fetchone()  # fmt: skip
    assert left is not None
    assert "Xoáhẳn" not in left[0]
    assert "v1:sealed" not in left[0]
    assert "[đã xoá]" in left[0]
    with psycopg.connect(reporting.home.app_url.replace("+psycopg", "")) as application:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("UPDATE event_log SET body = '{}'")
        application.rollback()
        with pytest.raises(psycopg.errors.RaiseException, match="nobody asked"):
            application.execute("SELECT erase_in_events(%s)", (event.beneficiary_id,))
