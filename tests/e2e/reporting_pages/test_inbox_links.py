"""From the inbox to the console: the link of each kind of work of all services opens its operation, filled in with what it is about."""

from __future__ import annotations

import importlib
import json
import re
import time
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from pages_site import PHONE, SignedIn, Site
from playwright.async_api import Page, Route, expect

from ansinh.stack.layout import SERVICES
from ansinh.stack.secrets import make_keyrings
from common.ids import stable_id
from common.work_list import Kind, WorkItem, WorkList, operations

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
DAY = date(2024, 9, 20)


def value_of(kind: Kind, name: str) -> str:
    return str(stable_id("object", kind.code, name))


def work_of(package: str, app: Any) -> tuple[list[Kind], str]:
    """A service's kinds, and the answer of its inbox where one of each waits."""
    kinds: list[Kind] = list(importlib.import_module(f"{package}.storage.work").WORK)
    links = operations(app)
    items = [
        WorkItem(
            kind=kind.code, title_vi=kind.vi, title_en=kind.en, count=2, oldest=DAY, deadline=DAY, deadline_from="RECORD", overdue=0,
            resolve=links[kind.resolve], see=links[kind.see] if kind.see else None, page=kind.page,
            about={name: value_of(kind, name) for name in kind.objects},
        )
        for kind in kinds
    ]  # fmt: skip
    return kinds, WorkList(business_date=DAY, kinds_asked=len(items), items=items).model_dump_json()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Kind], str, str]]:
    """Of each service: its kinds of work, its inbox, its document."""
    folder = tmp_path_factory.mktemp("keys")
    for name, keys in make_keyrings().items():
        (folder / name).write_text(json.dumps(keys), encoding="utf-8")
    found = {}
    for service in SERVICES:
        kind = importlib.import_module(f"{service.package}.settings").Settings
        given = {
            "database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none", "keys_file": folder / service.name,
            "environment": "development",
        }  # fmt: skip
        needed = {name: "http://127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required() and name not in given}
        app = importlib.import_module(f"{service.package}.main").make_app(kind(**given, **needed))
        found[service.name] = (*work_of(service.package, app), json.dumps(app.openapi()))
    return found


async def answered_by(page: Page, services: dict[str, tuple[list[Kind], str, str]]) -> None:
    """The page's services answer with their documents and inboxes."""

    async def answer(route: Route) -> None:
        _, service, rest = urlsplit(route.request.url).path.split("/", 2)
        _, work, document = services[service]
        await route.fulfill(body=document if rest == "openapi.json" else work, content_type="application/json")

    for service in services:
        await page.route(f"**/{service}/openapi.json", answer)
        await page.route(f"**/{service}/v1/work*", answer)


async def test_every_link_of_the_inbox_opens_its_operation_filled_in(
    site: Site, signed_in: SignedIn, services: dict[str, tuple[list[Kind], str, str]]
) -> None:
    site.reporting.settings.console_services.clear()
    site.reporting.settings.console_services.update({service: f"{site.base}/{service}" for service in services})
    page = await signed_in()
    await answered_by(page, services)
    await page.goto(f"{site.base}/pages/my-work?day={DAY}")
    links = page.get_by_role("link", name="Xử lý việc gấp nhất")
    await expect(links).to_have_count(sum(len(kinds) for kinds, _, _ in services.values()))
    hrefs = [str(await link.get_attribute("href")) for link in await links.all()]
    kinds = {(service, kind.code): kind for service, (kinds, _, _) in services.items() for kind in kinds}
    seen: set[str] = set()
    keys: list[str] = []
    start = time.monotonic()
    for service, (each, _, _) in services.items():
        for kind in each:
            query = next(
                href for href in hrefs
                if f"service={service}&" in href and all(value_of(kind, name) in href for name in kind.objects)
                and parse_qs(urlsplit(href).query)["operation"] == [" ".join(kind.resolve)]
            )  # fmt: skip
            if (method_path := f"{service} {kind.resolve} {sorted(kind.objects)}") in seen:
                continue
            seen.add(method_path)
            await page.goto(site.base + query)
            keys += await filled_in(page, kind)
    assert len(keys) > 5
    assert len({*keys, "vi-du-20240820-01"}) == len(keys) + 1, "each form has a key of its own"
    print(f"{len(seen)} links of {len(kinds)} kinds in {time.monotonic() - start:.0f} s")


async def filled_in(page: Page, kind: Kind) -> list[str]:
    """Asserts that the objects are in the form; the key it would be sent with."""
    block = page.locator(".opblock.is-open")
    await expect(block.locator(".opblock-summary-path")).to_have_attribute("data-path", kind.resolve[1], timeout=60_000)
    for name in kind.objects:
        value = value_of(kind, name)
        assert UUID(value)
        if name.startswith("/"):
            await expect(block.locator("textarea.body-param__text")).to_have_value(re.compile(re.escape(value)))
        else:
            await expect(block.locator(f'tr[data-param-name="{name}"][data-param-in="path"] input')).to_have_value(value)
    if kind.objects:
        await expect(block.get_by_role("button", name="Thực hiện", exact=True)).to_be_visible()
    return [await one.input_value() for one in await block.locator('tr[data-param-name="Idempotency-Key"] input').all()]


async def test_a_link_on_a_phone(site: Site, signed_in: SignedIn, services: dict[str, tuple[list[Kind], str, str]], pictures: Path) -> None:
    site.reporting.settings.console_services.clear()
    site.reporting.settings.console_services.update({service: f"{site.base}/{service}" for service in services})
    page = await signed_in(size=PHONE)
    await answered_by(page, services)
    await page.goto(f"{site.base}/pages/my-work?day={DAY}")
    await page.get_by_role("link", name="Xử lý việc gấp nhất").first.click()
    await expect(page.locator(".opblock.is-open").get_by_role("button", name="Thực hiện", exact=True)).to_be_visible(timeout=60_000)
    await page.locator(".opblock.is-open").screenshot(path=pictures / "inbox-link-phone.png")
    words = await page.locator(".opblock.is-open .opblock-body").inner_text()
    assert not [word for word in ("Try it out", "Cancel", "Execute", "Parameters", "Request body", "Responses") if word in words], words
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
