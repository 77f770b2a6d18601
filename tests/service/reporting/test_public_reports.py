"""Published figures: only what was published, without signing in, small cells hidden so that nobody computes them back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any
from uuid import uuid4

import httpx
from reporting_builders import ASSISTANCE, MERIT, Reporting, S, World, incoming

from common.actor import Role
from common.contracts.disbursement_v1 import Channel, HoldReason
from common.ids import stable_id
from reporting.api import public_reports as public_api
from reporting.domain.suppression import Line, determined

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


async def publish(officer: httpx.AsyncClient, key: str | None = None, **changed: Any) -> httpx.Response:
    return await officer.post("/v1/public-reports", json=FORM | changed, headers={"Idempotency-Key": key or str(uuid4())})


async def test_figures_are_public_once_published_and_small_cells_stay_hidden(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))
    nobody, officer = client_as(reporting.app), client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    assert (await nobody.get("/v1/public/60/2024-09")).status_code == 404
    assert (await publish(officer)).status_code == 201
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
    await publish(officer)
    first = await nobody.get("/v1/public/60/2024-09")
    later = World(people=500)
    for _ in range(10):
        later.paid("60/593/1", MERIT, Channel.BANK, [S.SETTLED])
    await reporting.hear(incoming(later.events))
    again = await nobody.get("/v1/public/60/2024-09", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert (await publish(officer)).json()["edition"] == 2
    second = (await nobody.get("/v1/public/60/2024-09")).json()
    assert [row["due_people"] for row in second["rows"] if row["is_total"] and row["group"] == "ALL"] == [165]


async def test_a_table_and_a_page(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))
    nobody = client_as(reporting.app)
    await publish(client_as(reporting.app, Role.DEPARTMENT_OFFICER))
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
        answer = await publish(client, **changed)
        return answer.status_code, answer.json().get("type", "")

    assert (await asked(None))[0] == 401
    assert (await asked(Role.AUDITOR))[0] == 403
    assert (await asked(Role.DEPARTMENT_OFFICER, ("38",)))[0] == 404
    assert await asked(Role.DEPARTMENT_OFFICER, unit_path="60/593") == (422, "/problems/unit-needed"), "no second cut of the same figures"
    assert await asked(Role.DEPARTMENT_OFFICER, business_date="2024-09-30") == (422, "/problems/period-not-begun")


def province() -> World:
    """Three districts where enough people are paid either way, so that nothing has to be hidden for them."""
    world = World()
    for path, name in (("60", "Tỉnh Bình Thuận"), ("60/593", "Phan Thiết"), ("60/594", "La Gi"), ("60/595", "Tuy Phong")):
        world.unit(path, name, valid_to="2025-06-30")
    for path in ("60/593/1", "60/594/3", "60/595/5"):
        for programme in (MERIT, ASSISTANCE):
            for _ in range(8):
                world.paid(path, programme, Channel.BANK, [S.SETTLED])
    return world


async def rows_of(reporting: Reporting, client_as: ClientAs, world: World) -> dict[tuple[str, str], Any]:
    await reporting.hear(incoming(world.events))
    answer = await publish(client_as(reporting.app, Role.DEPARTMENT_OFFICER))
    assert answer.status_code == 201, answer.text
    return {(row["group"], row["unit_path"]): row for row in answer.json()["rows"]}


def known(rows: dict[tuple[str, str], Any], figure: str) -> set[Hashable]:
    """Hidden cells of a column that a reader computes from its sums over units and over groups."""
    units = sorted({unit for _, unit in rows} - {"60"})
    groups = sorted({group for group, _ in rows} - {"ALL"})
    lines = [Line((group, "60"), tuple((group, unit) for unit in units)) for group in (*groups, "ALL")]
    lines += [Line(("ALL", unit), tuple((group, unit) for group in groups)) for unit in (*units, "60")]
    return determined({key for key, row in rows.items() if row[figure] is None}, lines)


async def test_the_cash_of_one_person_is_hidden_however_many_others_wait(reporting: Reporting, client_as: ClientAs) -> None:
    world = province()
    world.paid("60/594/3", MERIT, Channel.CASH_POST, [S.COLLECTED], 3_012_000)
    for _ in range(5):
        world.held("60/594/3", MERIT, HoldReason.NOT_VERIFIED)
    for path, programme in (
        ("60/593/1", MERIT),
        ("60/595/5", MERIT),
        *((f"60/{unit}", ASSISTANCE) for unit in ("593/1", "594/3", "595/5")),
    ):
        for _ in range(7):
            world.paid(path, programme, Channel.CASH_POST, [S.COLLECTED])
    rows = await rows_of(reporting, client_as, world)
    one = rows["MERIT", "60/594"]
    assert (one["due_people"], one["by_account_people"], one["other_people"]) == (14, 8, 6), "enough people, nothing of them hidden"
    assert one["in_cash_dong"] is None, "six others, one of them was paid"
    assert one["by_account_dong"] == 4_000_000
    assert known(rows, "in_cash_dong") == set(), "nor does it follow from the rest"
    assert rows["ALL", "60"]["in_cash_dong"] == 5 * 7 * 500_000 + 3_012_000, "the province's whole is shown"
    assert rows["SOCIAL_PENSION", "60"]["in_cash_dong"] == 0


async def test_the_only_cash_of_the_month_shows_nowhere(reporting: Reporting, client_as: ClientAs) -> None:
    world = province()
    world.paid("60/594/3", MERIT, Channel.CASH_HOME, [S.COLLECTED], 3_012_000)
    for _ in range(6):
        world.held("60/594/3", MERIT, HoldReason.NOT_VERIFIED)
    rows = await rows_of(reporting, client_as, world)
    assert 3_012_000 not in [row["in_cash_dong"] for row in rows.values()]
    assert rows["ALL", "60"]["by_account_dong"] == 24_000_000, "what was paid by account is no less public for it"
    assert rows["ALL", "60"]["other_people"] == 7


async def test_money_in_a_unit_where_nobody_is_counted_is_hidden_too(reporting: Reporting, client_as: ClientAs) -> None:
    """Somebody who moved counts once, in the last of their units; their money lies where each line of it lies."""
    world = province()
    for path in ("60/593/1", "60/594/3", "60/595/5"):
        for programme in (MERIT, ASSISTANCE):
            for _ in range(7):
                world.paid(path, programme, Channel.CASH_POST, [S.COLLECTED])
    world.unit("60/592", "Phú Quý", valid_to="2025-06-30")
    world.paid("60/592/1", MERIT, Channel.CASH_POST, [S.COLLECTED], 3_012_000)
    ids = {name: stable_id("second", name) for name in ("payment_id", "cycle_id")}
    world.events.append(world.events[-1].model_copy(update=ids | {"unit_path": "60/593/1", "amount": 500_000, "reference": "R-second"}))
    rows = await rows_of(reporting, client_as, world)
    assert (rows["MERIT", "60/592"]["other_people"], rows["MERIT", "60/593"]["other_people"]) == (0, 8)
    assert rows["MERIT", "60/592"]["in_cash_dong"] is None
    assert known(rows, "in_cash_dong") == set()


async def test_two_who_publish_at_once_make_two_editions(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))
    officer = client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    answers = await asyncio.gather(*(publish(officer) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [201] * 3, [answer.text[:200] for answer in answers]
    assert sorted(answer.json()["edition"] for answer in answers) == [1, 2, 3]


async def test_the_same_key_publishes_once(reporting: Reporting, client_as: ClientAs) -> None:
    await reporting.hear(incoming(month().events))
    officer = client_as(reporting.app, Role.DEPARTMENT_OFFICER)
    first, second = await publish(officer, "cong-bo-2024-09"), await publish(officer, "cong-bo-2024-09")
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert second.headers["Idempotent-Replayed"] == "true"
    other = await publish(officer, "cong-bo-2024-09", business_date="2024-10-09")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-mismatch")
    assert (await officer.post("/v1/public-reports", json=FORM)).status_code == 422, "a key is asked for"


def test_the_day_of_publishing_is_the_day_in_viet_nam() -> None:
    shown = public_api.PublicView.model_validate(
        public_api._VIEW | {"published_at": "2024-10-08T20:00:00Z"}
    )  # three in the morning of the 9th
    assert "Công bố lần 1, 09/10/2024." in str(public_api._page(shown))
