"""My work today, targets and obstacles in a real browser: by deadline, leading to the operation; a service that is away is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from pages_site import DESKTOP, PHONE, SignedIn, Site
from playwright.async_api import Page, expect
from reporting_builders import MONTH, small_month

from common.testing import token

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DAY = "2024-09-20"


async def write_down(site: Site) -> None:
    """Two obstacles, a milestone, two targets, a sample, as officers send them."""
    headers = {"Authorization": f"Bearer {token(['DEPARTMENT_OFFICER'], subject='chi')}"}
    obstacle = {"unit_path": "60/593/22924", "category": "NO_IDENTITY", "detail": "Đề nghị công an đến nhà thu nhận hồ sơ", "people": 12}
    sent: list[tuple[str, dict[str, Any]]] = [
        ("obstacles", obstacle | {"title": "12 cụ nằm tại nhà chưa có CCCD", "level": "PROVINCE", "raised_on": "2024-09-01"}),
        ("obstacles", obstacle | {"title": "Xa điểm giao dịch", "category": "NETWORK", "level": "PROVINCE", "raised_on": "2024-09-15"}),
        ("milestones", {"unit_path": "60/594", "code": "GO_LIVE", "year": 2024, "planned_on": "2024-09-22"}),
        ("targets", {"unit_path": "60/593", "year": 2024, "indicator": "by_account_rate", "value": "60", "due_on": "2024-09-30",
                     "legal_ref": "33/KH-SLĐTBXH"}),
        ("targets", {"unit_path": "60/594", "year": 2024, "indicator": "unpaid_people", "value": "0", "due_on": "2024-12-31"}),
        ("inspection-samples", {"unit_path": "60", "month": MONTH, "size": 3, "seed": "KT-Q3", "subject": "Kiểm tra quý III",
                                "drawn_on": "2024-09-18"}),
    ]  # fmt: skip
    async with httpx.AsyncClient(base_url=site.base, headers=headers) as client:
        for number, (where, body) in enumerate(sent):
            answer = await client.post(f"/v1/{where}", json=body, headers={"Idempotency-Key": f"key-{number:08}"})
            assert answer.status_code == 201, answer.text


async def looked_at(page: Page, pictures: Path, name: str) -> None:
    await expect(page.locator("#page > div > *").first).to_be_visible()
    await page.screenshot(path=pictures / f"{name}.png", full_page=True)
    broken = (await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})).response
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in broken["violations"]] == [], name
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, name


async def test_my_work_today_and_the_pages_it_leads_to(site: Site, signed_in: SignedIn, pictures: Path) -> None:
    await site.hear(small_month().events)
    await write_down(site)
    services = {"reporting": site.base, "accounts": f"{site.base}/away"}  # accounts does not answer
    site.reporting.settings.console_services.clear()
    site.reporting.settings.console_services.update(services)
    for size, label in ((DESKTOP, "desktop"), (PHONE, "phone")):
        page = await signed_in(size=size)
        await page.goto(f"{site.base}/pages/my-work?day={DAY}")
        await looked_at(page, pictures, f"my-work-{label}")
        await expect(page.locator("[role=alert]")).to_contain_text("Tài khoản không trả lời")
        works = await page.locator("tbody th strong").all_inner_texts()
        assert works == ["Vướng mắc chờ trả lời – cấp tỉnh", "Mốc kế hoạch đến hạn trong 30 ngày hoặc đã chậm",
                         "Trường hợp kiểm tra chưa ghi kết quả"]  # fmt: skip
        await expect(page.locator("tbody tr").first).to_contain_text("1 quá hạn")
        for name in ("targets", "obstacles"):
            await page.goto(f"{site.base}/pages/{name}?month={MONTH}&unit=60&day={DAY}")
            await looked_at(page, pictures, f"{name}-{label}")
    await page.goto(f"{site.base}/pages/my-work?day={DAY}")
    link = page.get_by_role("link", name="Xử lý").first
    await expect(link).to_have_attribute("href", re.compile(r"service=reporting&operation=POST\+%2Fv1%2Fobstacles"))
    await link.click()
    await expect(page.locator(".opblock.is-open .opblock-summary-path")).to_contain_text("/answer", timeout=60_000)
    await page.screenshot(path=pictures / "my-work-opened.png")


async def test_who_has_nothing_to_do_is_told_so(site: Site, signed_in: SignedIn) -> None:
    site.reporting.settings.console_services.pop("registry")
    for role in ("COMMUNE_OFFICER", "COMMUNE_POLICE"):  # reporting has no work for the police
        page = await signed_in(role, units=("60/593/22924",), language="en-GB")
        await page.goto(f"{site.base}/pages/my-work")
        await expect(page.locator(".empty")).to_have_text("Nothing waits for you.")
        await expect(page.locator("[role=alert]")).to_have_count(0)
