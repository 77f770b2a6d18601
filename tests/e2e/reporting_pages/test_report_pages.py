"""Statutory reports and a person's statement in a real browser: made, taken as a file, looked at on a desktop and a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages_site import DESKTOP, PHONE, SignedIn, Site
from pages_world import cycle
from playwright.async_api import expect
from reporting_builders import MONTH, small_month
from test_work_pages import looked_at

from common.contracts.disbursement_v1 import CycleState
from common.contracts.registry_v1 import Programme

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_a_report_is_made_and_taken(site: Site, signed_in: SignedIn, pictures: Path) -> None:
    world = small_month()
    await site.hear([*world.events, cycle(MONTH, "60", Programme.MERIT, CycleState.OPEN)])
    page = await signed_in()
    await page.goto(f"{site.base}/pages/reports?unit=60&day=2024-10-03")
    row = page.locator("tbody tr", has_text="Sở báo cáo UBND tỉnh và Bộ").filter(has_text="Tháng 9 năm 2024")
    await expect(row.locator(".chip")).to_have_text("chưa lập")
    await row.get_by_role("button", name="Lập báo cáo").click()
    await expect(row.locator(".chip")).to_have_text("đã lập, chưa nộp")
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="PDF").click()
    assert (await downloading.value).suggested_filename == f"directive-21-monthly-{MONTH}-60.pdf"
    await looked_at(page, pictures, "reports-desktop")
    await expect(page.locator("#who")).to_have_text("Nguyễn Thị An · Cán bộ Sở · đơn vị 60")


async def test_a_district_s_papers_are_named_by_the_departments_they_go_to(site: Site, signed_in: SignedIn) -> None:
    world = small_month()
    await site.hear([*world.events, cycle(MONTH, "60", Programme.MERIT, CycleState.OPEN)])
    page = await signed_in()
    await page.goto(f"{site.base}/pages/reports?unit=60/593&day=2025-03-03")
    row = page.locator("tbody tr", has_text="không dùng tiền mặt").filter(has_text="Tháng 2 năm 2025")
    await row.get_by_role("button", name="Lập báo cáo").click()
    await expect(row.locator(".chip")).to_have_text("đã lập, chưa nộp")
    papers = page.get_by_role("button", name="PDF")
    await expect(papers).to_have_count(2)
    assert [(await one.inner_text()).partition(" tỉnh")[0] for one in await papers.all()] == ["PDF – Sở Nội vụ", "PDF – Sở Y tế"]


async def test_reports_and_statement_on_a_phone(site: Site, signed_in: SignedIn, pictures: Path) -> None:
    await site.hear([*small_month().events, cycle(MONTH, "60", Programme.MERIT, CycleState.OPEN)])
    page = await signed_in(size=PHONE)
    await page.goto(f"{site.base}/pages/reports?unit=60&day=2024-10-03")
    await looked_at(page, pictures, "reports-phone")
    page = await signed_in(size=DESKTOP)
    await page.goto(f"{site.base}/pages/people?unit=60&month={MONTH}&state=ALL")
    await page.get_by_role("link", name="Bản kê").nth(1).click()
    await expect(page.locator("h1")).to_have_text("Bản kê trợ cấp")
    await looked_at(page, pictures, "statement-desktop")
    await page.fill("#statement-purpose", "người hưởng yêu cầu")
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Lập bản kê").click()
    assert (await downloading.value).suggested_filename.startswith("ban-ke-")
