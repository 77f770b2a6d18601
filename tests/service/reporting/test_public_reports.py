"""Published figures: only what was published, without signing in, small cells hidden so that nobody computes them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from reporting_builders import ASSISTANCE, MERIT, Reporting, S, World, incoming

from common.actor import Role
from common.contracts.disbursement_v1 import Channel

ClientAs = Callable[..., httpx.AsyncClient]
FORM = {"month": "2024-09", "unit_path": "60", "business_date": "2024-10-08"}


def month() -> World:
    world = World()
    for path, name in (("60", "Tỉnh Bình Thuận"), ("60/593", "Phan Thiết"), ("60/594", "La Gi"), ("60/595", "Tuy Phong")):
        world.unit(path, name, valid_to="2025-06-30")
    for path, programme, by_account, cash in (
        ("60/593/1", MERIT, 12, 20), ("60/594/3", MERIT, 2, 15), ("60/595/5", MERIT, 9, 11),
        ("60/593/1", ASSISTANCE, 30, 25), ("60/594/3", ASSISTANCE, 8, 16), ("60/595/5", ASSISTANCE, 7, 0),
    ):  # fmt: skip
        for _ in range(by_account):
            world.paid(path, programme, Channel.BANK, [S.SETTLED])
        for _ in range(cash):
            world.paid(path, programme, Channel.CASH_POST, [S.COLLECTED])
    return world


async def test_figures_are_public_once_published_and_small_cells_stay_hidden(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))
    nobody, officer = client_as(reporting.app), client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    assert (await nobody.get("/v1/public/60/2024-09")).status_code == 404
    assert (await officer.post("/v1/public-reports", json=FORM)).status_code == 201
    view = (await nobody.get("/v1/public/60/2024-09")).json()
    rows = {(row["group"], row["unit_path"]): row for row in view["rows"]}
    total = rows["ALL", "60"]
    assert (total["due_people"], total["by_account_people"], total["by_account_rate"]) == (155, 68, "43.9")
    assert rows["MERIT", "60/594"]["by_account_people"] is None, "two people"
    assert rows["MERIT", "60/594"]["by_account_dong"] is None
    assert rows["SOCIAL_ASSISTANCE", "60/595"]["other_people"] == 0, "nobody is no small cell"
    hidden = [key for key, row in rows.items() if row["by_account_people"] is None]
    assert len(hidden) > 2, "others are hidden too: total less the rest would tell"
    assert "Nguyễn" not in str(view)
    months = (await nobody.get("/v1/public/months")).json()["items"]
    assert [(one["month"], one["unit_path"], one["edition"]) for one in months] == [("2024-09", "60", 1)]


async def test_what_is_published_stays_until_it_is_published_again(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))
    nobody, officer = client_as(reporting.app), client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    await officer.post("/v1/public-reports", json=FORM)
    first = await nobody.get("/v1/public/60/2024-09")
    later = World(people=500)
    for _ in range(10):
        later.paid("60/593/1", MERIT, Channel.BANK, [S.SETTLED])
    await reporting.hear(incoming(later.events))
    again = await nobody.get("/v1/public/60/2024-09", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert (await officer.post("/v1/public-reports", json=FORM)).json()["edition"] == 2
    second = (await nobody.get("/v1/public/60/2024-09")).json()
    assert [row["due_people"] for row in second["rows"] if row["is_total"] and row["group"] == "ALL"] == [165]


async def test_a_table_and_a_page(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))
    nobody = client_as(reporting.app)
    await client_as(reporting.app, Role.DEPARTMENT_OFFICER).post("/v1/public-reports", json=FORM)
    table = await nobody.get("/v1/public/60/2024-09", params={"form": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert ",*," in table.text
    page = await nobody.get("/pages/public/60/2024-09")
    assert page.status_code == 200
    for part in ("Công khai kết quả chi trả", "Phan Thiết", "<td>*</td>", "dưới 5 người"):
        assert part in page.text
    assert "<script" not in page.text


async def test_who_may_publish_what(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))

    async def asked(role: Role | None, units: tuple[str, ...] = ("60",), **changed: Any) -> tuple[int, str]:
        client = client_as(reporting.app, *([role] if role else []), units=units)
        answer = await client.post("/v1/public-reports", json=FORM | changed)
        return answer.status_code, answer.json().get("type", "")

    assert (await asked(None))[0] == 401
    assert (await asked(Role.AUDITOR))[0] == 403
    assert (await asked(Role.DEPARTMENT_OFFICER, ("38",)))[0] == 404
    assert await asked(Role.DEPARTMENT_OFFICER, unit_path="60/593") == (422, "/problems/unit-needed"), "no second cut of the same figures"
    assert await asked(Role.DEPARTMENT_OFFICER, business_date="2024-09-30") == (422, "/problems/period-not-begun")
