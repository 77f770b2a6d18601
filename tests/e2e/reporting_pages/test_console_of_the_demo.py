"""The console in a browser on a running stack: sign in, an operation by its address, try it out, a session that ends, sign out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pages_site import PHONE
from playwright.async_api import Browser, Page, Request, expect

from ansinh.stack.layout import Layout

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("embedded-stack")]
OPERATION = "POST /v1/rulings/calendar-days"
TYPED = '{"business_date": "2024-08-20", "valid_from": "2026-03-16", "day_kind": "HOLIDAY", "name_vi": "Gõ dở"}'


async def choose(page: Page, user: str = "department.officer") -> None:
    """At the issuer's page."""
    await page.check(f'input[value="{user}"]')
    await page.keyboard.press("Enter")


async def session_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await page.evaluate("sessionStorage.getItem('ansinh.session')"))
    return found


async def executed(page: Page) -> str:
    """Sends the open operation; the status it was answered with."""
    block = page.locator(".opblock.is-open")
    async with page.expect_response(lambda answer: "/v1/" in answer.url) as answer:
        await block.get_by_role("button", name="Thực hiện", exact=True).click()
    assert (await answer.value).request.headers["authorization"].startswith("Bearer ")
    return str((await answer.value).status)


async def test_an_officer_works_in_the_console_and_loses_nothing_when_the_session_ends(
    demo: tuple[Layout, dict[str, Any]], browser: Browser, pictures: Path
) -> None:
    layout, _ = demo
    context = await browser.new_context(locale="vi-VN", viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(30_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    renewals: list[Request] = []
    page.on("request", lambda sent: renewals.append(sent) if "refresh_token" in (sent.post_data or "") else None)
    await page.clock.install()
    address = f"{layout.url('reporting')}/console/?service=disbursement&operation={OPERATION.replace(' ', '%20')}"
    await page.goto(address)
    await expect(page.locator("#training")).to_contain_text("TẬP HUẤN")
    await page.click("#sign-in-button")
    await choose(page)
    await page.wait_for_url(re.compile(r"/console/\?service=disbursement"))
    await expect(page.locator("#who")).to_contain_text("Cán bộ Sở")
    block = page.locator(".opblock.is-open")
    await expect(block.locator(".opblock-summary-path")).to_contain_text("calendar-days", timeout=60_000)
    await block.get_by_role("button", name="Điền ví dụ từ dữ liệu mẫu").click()
    await expect(block.locator(".example [role=status]")).to_contain_text("Đã điền ví dụ", timeout=30_000)
    assert await executed(page) == "201"
    await page.screenshot(path=pictures / "console-tried.png", full_page=False)

    text = block.locator("textarea").first
    await text.fill(TYPED)
    first = await session_of(page)
    await page.clock.fast_forward(1000 * 3_570)
    await page.wait_for_function("before => JSON.parse(sessionStorage.getItem('ansinh.session')).token !== before", arg=first["token"])
    assert len(renewals) == 1
    await expect(text).to_have_value(TYPED)
    assert (await httpx.AsyncClient().post(f"{layout.url('issuer')}/token", data=_renewal(first))).status_code == 400, "works once"

    # The issuer knows the session no more: the form stays, and a window of its own signs the officer in again.
    last = await session_of(page)
    await httpx.AsyncClient().post(f"{layout.url('issuer')}/revoke", data={"client_id": "console", "token": last["refresh"]})
    await page.clock.fast_forward(1000 * 3_700)
    await expect(page.locator("#who")).to_contain_text("Nội dung đang nhập vẫn còn")
    async with context.expect_page() as opened:
        await page.click("#sign-in-button")
    window = await opened.value
    await window.wait_for_load_state()
    await choose(window)
    await expect(page.locator("#who")).to_contain_text("Cán bộ Sở")
    await expect(text).to_have_value(TYPED)
    assert await executed(page) not in ("401", "403"), "sent with the new token, and judged"

    given = await session_of(page)
    await page.click("#sign-out")
    await expect(page.locator("#who")).to_have_text("Bạn chưa đăng nhập")
    assert await page.evaluate("sessionStorage.getItem('ansinh.session')") is None
    assert (await httpx.AsyncClient().post(f"{layout.url('issuer')}/token", data=_renewal(given))).status_code == 400
    assert not faults
    await context.close()


def _renewal(session: dict[str, Any]) -> dict[str, str]:
    return {"grant_type": "refresh_token", "client_id": "console", "refresh_token": session["refresh"]}


async def test_the_console_s_menu_on_a_phone(demo: tuple[Layout, dict[str, Any]], browser: Browser, pictures: Path) -> None:
    layout, _ = demo
    context = await browser.new_context(locale="vi-VN", viewport={"width": PHONE[0], "height": PHONE[1]})
    page = await context.new_page()
    page.set_default_timeout(30_000)
    await page.goto(f"{layout.url('reporting')}/console/")
    await expect(page.locator(".opblock-tag").first).to_be_visible(timeout=60_000)  # a document is made when it is first asked for
    await expect(page.locator("#menu")).to_be_hidden()
    await page.screenshot(path=pictures / "console-phone.png")
    first = page.locator(".opblock-tag").first
    words = [await first.locator(part).bounding_box() for part in ("small", "a.nostyle")]
    assert words[0] is not None
    assert words[1] is not None
    assert words[0]["x"] < words[1]["x"], "Vietnamese first"
    await page.click("#menu-button")
    await expect(page.get_by_role("link", name="Tiến độ")).to_be_visible()
    assert await page.get_attribute("#menu-button", "aria-expanded") == "true"
    await page.screenshot(path=pictures / "console-phone-menu.png")
    await page.keyboard.press("Escape")
    await expect(page.locator("#menu")).to_be_hidden()
    assert await page.evaluate("document.activeElement.id") == "menu-button"
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    await context.close()


async def test_a_form_says_in_vietnamese_what_each_field_is(demo: tuple[Layout, dict[str, Any]], browser: Browser) -> None:
    layout, _ = demo
    page = await (await browser.new_context(locale="vi-VN")).new_page()
    page.set_default_timeout(60_000)
    await page.goto(f"{layout.url('reporting')}/console/?service=registry&operation=POST%20/v1/imports")
    await page.locator(".opblock.is-open").get_by_role("button", name="Nhập để thực hiện").click()
    await expect(page.locator(".opblock.is-open [data-property-name=programme]")).to_contain_text("Chương trình")
    await page.context.close()
