"""The demo's month as an officer sees it: sign-in at the issuer, the figures of the demo's own result on the pages, one person's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from ansinh.stack.layout import Layout

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("embedded-stack")]


async def test_an_officer_signs_in_and_sees_the_demo_s_own_figures(
    demo: tuple[Layout, dict[str, Any]], browser: Browser, pictures: Path
) -> None:
    layout, result = demo
    page = await browser.new_page(locale="vi-VN")
    page.set_default_timeout(30_000)
    await page.goto(f"{layout.url('reporting')}/pages/coverage")
    await page.click("#sign-in-button")
    await page.check('input[value="department.officer"]')
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/pages/coverage*")
    by_account = sum(result["paid_by_account"].values())
    figures = page.locator("dl.figures dd")
    await expect(figures.nth(1)).to_have_text(f"{by_account:,}".replace(",", "."))
    await page.screenshot(path=pictures / "demo-coverage.png", full_page=True)
    stopped = sum(result["held"].values()) + sum(result["failed"].values())
    await page.locator("#menu a", has_text="Không bỏ sót ai").click()
    await expect(page.locator("h1")).to_have_text("Không bỏ sót ai")
    await expect(page.locator("tbody tr").first).to_be_visible()
    rows = await page.locator("tbody tr").count()
    assert rows >= min(50, stopped)
    await page.screenshot(path=pictures / "demo-people.png", full_page=True)
    for file, name in (
        ("progress", "Tiến độ"),
        ("reasons", "Vướng ở đâu"),
        ("funnel", "Từ danh sách đến tay"),
        ("channels", "Kênh chi trả"),
    ):
        await page.locator("#menu a", has_text=name).click()
        await expect(page.locator("h1")).to_have_text(name)
        await expect(page.locator("#page figure").first).to_be_visible()
        await page.screenshot(path=pictures / f"demo-{file}.png", full_page=True)
    await page.click("#sign-out")
    await page.context.close()
