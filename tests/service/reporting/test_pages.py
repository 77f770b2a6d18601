"""Every page of the menu: one shell, strict headers, light assets that the browser keeps; the picker knows the month's units."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
from reporting_builders import DAY, MERIT, Reporting, incoming, small_month

from common.actor import Role
from common.contracts.disbursement_v1 import CycleState, PaymentCycleOpened
from common.ids import stable_id
from reporting.api.pages import PAGES

ClientAs = Callable[..., httpx.AsyncClient]


async def test_every_page_is_the_shell_with_its_module_and_nothing_inline(reporting: Reporting, client_as: ClientAs) -> None:
    client = client_as(reporting.app)
    for page in PAGES:
        answer = await client.get(f"/pages/{page.name}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert page.vi in answer.text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|https?:", answer.text)
        assets = re.findall(r"(/console/v/[0-9a-f]+)/", answer.text)
        module = await client.get(f"{assets[0]}/page-{page.name}.js")
        assert module.status_code == 200, "the menu names a page that has no module"
        assert "immutable" in module.headers["cache-control"]
    assert (await client.get("/pages/nothing")).status_code == 404


async def test_assets_are_packed_kept_for_this_version_only_and_asked_again_otherwise(reporting: Reporting, client_as: ClientAs) -> None:
    client = client_as(reporting.app)
    version = re.search(r"/console/v/([0-9a-f]+)/", (await client.get("/pages/coverage")).text)
    assert version is not None
    here = await client.get(f"/console/v/{version[1]}/shell.js", headers={"Accept-Encoding": "gzip"})
    assert here.headers["content-encoding"] == "gzip"
    assert int(here.headers["content-length"]) < 6_000
    old = await client.get("/console/v/000000000000/shell.js", headers={"Accept-Encoding": "identity"})
    assert old.headers["cache-control"] == "no-cache"
    assert old.text == here.text
    again = await client.get("/console/v/000000000000/shell.js", headers={"If-None-Match": old.headers["etag"]})
    assert again.status_code == 304
    for name in ("shell.html", "sign-in.part.html", "..%2Fmain.py"):
        assert (await client.get(f"/console/v/{version[1]}/{name}")).status_code == 404


async def test_the_picker_follows_the_month_and_the_callers_units(reporting: Reporting, client_as: ClientAs) -> None:
    world = small_month()
    world.unit("68", "Tỉnh Lâm Đồng", "2025-07-01")
    world.unit("68/22924", "Phường Mũi Né", "2025-07-01")
    await reporting.hear(incoming([*world.events, cycle("2024-09", "60"), cycle("2025-08", "68")]))
    officer = client_as(reporting.app, Role.DEPARTMENT_OFFICER, units=("60", "68"))

    async def offered(client: httpx.AsyncClient, **params: str) -> dict[str, object]:
        answer = await client.get("/v1/reports/picker", params=params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    start = await offered(officer)
    assert (start["month"], start["unit_path"], start["trail"]) == ("2025-08", None, [])
    assert [unit["path"] for unit in start["roots"]] == ["60", "68"]  # type: ignore[attr-defined]
    before = await offered(officer, month="2024-09", unit_path="60")
    assert [unit["name"] for unit in before["children"]] == ["Thành phố Phan Thiết", "Thị xã La Gi"]  # type: ignore[attr-defined]
    assert (await offered(officer, month="2025-08", unit_path="60"))["children"] == []
    after = await offered(officer, month="2025-08", unit_path="68")
    assert [unit["name"] for unit in after["children"]] == ["Phường Mũi Né"]  # type: ignore[attr-defined]
    district = client_as(reporting.app, Role.DISTRICT_OFFICER, units=("60/593",))
    own = await offered(district)
    assert (own["month"], own["unit_path"], own["trail"]) == ("2024-09", "60/593", [{"path": "60/593", "name": "Thành phố Phan Thiết"}])
    assert (await district.get("/v1/reports/picker", params={"unit_path": "60"})).status_code == 404


def cycle(month: str, unit: str) -> PaymentCycleOpened:
    return PaymentCycleOpened(
        version=1, business_date=DAY, cycle_id=stable_id("cycle", month), state=CycleState.OPEN, month=month, programme=MERIT,
        funding_source="CENTRAL_BUDGET", unit_code=unit, unit_path=unit,
    )  # fmt: skip
