"""The report pages in a real browser: accessible, light, readable on a phone, usable by keyboard, in two languages, live on a bad line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from pages_site import DESKTOP, PHONE, SignedIn, Site, until
from pages_world import AFTER, BEFORE, paid_now, province
from playwright.async_api import Page, Request, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PAGES = ("coverage", "progress", "people", "reasons", "funnel", "channels")
BOTH = ("60", "68")
"""An officer of today's Lâm Đồng who also answers for what was Bình Thuận."""


async def drawn(page: Page) -> None:
    """The figures are there, or the page has said why not."""
    await expect(page.locator("#state")).not_to_have_text(re.compile("Đang tải|Loading"))
    await expect(page.locator("#page > div > *").first).to_be_visible()


async def opened(page: Page, site: Site, name: str, **query: str) -> None:
    """A page with its figures."""
    await page.goto(f"{site.base}/pages/{name}?" + "&".join(f"{key}={value}" for key, value in query.items()))
    await drawn(page)


CUT = """() => [...document.querySelectorAll("main select")].filter((one) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = getComputedStyle(one).font;
  const room = one.clientWidth - 2 * parseFloat(getComputedStyle(one).paddingLeft) - 16;
  return Math.max(...[...one.options].map((option) => pen.measureText(option.text).width)) > Math.max(room, 0);
}).map((one) => one.id)"""
"""The choices of a page of which some word would not be seen whole."""


async def test_every_page_is_accessible_fits_a_phone_and_speaks_two_languages(site: Site, signed_in: SignedIn, pictures: Path) -> None:
    await site.hear(province().events)
    for size, label in ((DESKTOP, "desktop"), (PHONE, "phone")):
        page = await signed_in(units=BOTH, size=size)
        for name in PAGES:
            await opened(page, site, name, month=BEFORE, unit="60")
            await page.screenshot(path=pictures / f"{name}-{label}.png", full_page=True)
            broken = (await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})).response
            assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in broken["violations"]] == [], name
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide == 0, f"{name} must be scrolled sideways on a {label}"
            assert await page.evaluate(CUT) == [], f"{name}: what is chosen cannot be read on a {label}"
            vietnamese = await page.inner_text("main")
            assert not re.search(r"(?<![\d/])\d{1,2}/\d{1,2}/\d{2}(?!\d)", vietnamese), "days are written dd/mm/yyyy"
            await page.click("#language")
            await drawn(page)
            assert await page.get_attribute("html", "lang") == "en"
            english = await page.inner_text("main")
            for text in (
                (await page.locator("h1, caption, thead th, dt, label > span, .button").all_inner_texts()) if label == "desktop" else []
            ):
                assert not re.search("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", text.lower()) or "(đ)" in text, (name, text)
            assert english != vietnamese
            await page.click("#language")
            await drawn(page)


async def test_down_from_the_province_to_the_commune_and_back_by_keyboard(site: Site, signed_in: SignedIn) -> None:
    await site.hear(province().events)
    page = await signed_in()
    await opened(page, site, "coverage", month=BEFORE)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "content"
    for step, name in enumerate(("Thành phố Phan Thiết", "Phường Mũi Né"), start=2):
        await page.get_by_role("link", name=name).first.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#trail [aria-current]")).to_have_text(name)
        await drawn(page)
        assert await page.locator("#trail li").count() == step
    assert "unit=60/593/22924" in page.url.replace("%2F", "/")
    await page.get_by_role("link", name="Không bỏ sót ai").focus()
    await page.keyboard.press("Enter")  # another page keeps month and unit
    await expect(page.locator("h1")).to_have_text("Không bỏ sót ai")
    await expect(page.locator("#trail [aria-current]")).to_have_text("Phường Mũi Né")
    await page.go_back()
    await expect(page.locator("h1")).to_have_text("Tỷ lệ qua tài khoản")
    await drawn(page)
    await page.locator("#trail a").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#trail [aria-current]")).to_have_text("Tỉnh Bình Thuận")


async def test_the_keyboard_stays_where_it_was_when_the_page_is_drawn_anew(site: Site, signed_in: SignedIn) -> None:
    """Skipping to the content asks for nothing again; a redraw puts the keyboard back on the same link, or at the content's start."""
    await site.hear(province().events)
    page = await signed_in()
    await opened(page, site, "coverage", month=BEFORE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.evaluate("[document.activeElement.id, location.hash]") == ["content", "#content"]
    await page.evaluate("new Promise((done) => setTimeout(done))")  # after what the jump itself set going
    assert asked == []
    name = "Thành phố Phan Thiết"
    await page.get_by_role("link", name=name).first.focus()
    await page.evaluate("document.getElementById('language').click()")
    await expect(page.locator("h1")).to_have_text("Paid by account")
    await drawn(page)
    await expect(page.get_by_role("link", name=name).first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#trail [aria-current]")).to_have_text(name)
    await drawn(page)
    assert await page.evaluate("document.activeElement.id") == "content", "the link is gone: not back to the top of the document"


async def test_the_menu_of_a_phone_opens_and_closes_by_keyboard(site: Site, signed_in: SignedIn) -> None:
    await site.hear(province().events)
    page = await signed_in(size=PHONE)
    await opened(page, site, "channels", month=BEFORE)
    button = page.locator("#menu-button")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(button).to_have_attribute("aria-expanded", "false")
    await expect(button).to_be_focused()
    await page.keyboard.press("Enter")
    await page.locator("#menu a", has_text="Vướng ở đâu").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Vướng ở đâu")
    small = await page.evaluate(
        "[...document.querySelectorAll('button, select, #menu a')].filter(e => e.offsetParent && e.offsetHeight < 44).length"
    )
    assert small == 0, "everything to press is a thumb high"


async def test_units_are_those_of_the_month_before_and_after_the_reform(site: Site, signed_in: SignedIn) -> None:
    await site.hear(province().events)
    page = await signed_in(units=BOTH)
    await page.goto(f"{site.base}/pages/coverage")
    await expect(page.locator("#page a")).to_have_text(["Tỉnh Bình Thuận", "Tỉnh Lâm Đồng"])
    await page.locator("#page a", has_text="Lâm Đồng").click()
    await drawn(page)
    assert await page.locator("#pick-month").input_value() == AFTER
    below = [text for text in await page.locator("#pick-unit option").all_inner_texts() if text.startswith("Phường")]
    assert below == ["Phường La Gi", "Phường Mũi Né"]
    await page.get_by_role("link", name="Phường Mũi Né").first.click()
    await expect(page.locator("#trail li")).to_have_count(3)  # my units, province, commune: no district any more
    await opened(page, site, "coverage", month=BEFORE, unit="60")
    below = [text for text in await page.locator("#pick-unit option").all_inner_texts() if text != "Tất cả"]
    assert below == ["Thành phố Phan Thiết", "Thị xã La Gi"]
    total = page.locator("tr.total").first
    await expect(total).to_contain_text("9")


async def test_nobody_left_behind_is_filtered_and_paged(site: Site, signed_in: SignedIn) -> None:
    await site.hear(province().events)
    page = await signed_in()
    await opened(page, site, "reasons", month=BEFORE)
    await page.get_by_role("link", name="Xem 1 người").first.click()
    await expect(page.locator("h1")).to_have_text("Không bỏ sót ai")
    await drawn(page)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_role("link", name="Bỏ lọc lý do").click()
    await page.locator("#filter-state").select_option("ALL")
    await expect(page.locator("tbody tr")).to_have_count(10)
    await page.locator("#filter-turn").select_option("COMMUNE_POLICE")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await expect(page.locator("tbody tr").first).to_contain_text("Công an xã, phường")
    text = await page.inner_text("main")
    assert not re.search(r"\d{9,}", text), "no identity or account number"


async def test_progress_renews_itself_and_comes_back_after_a_broken_line(site: Site, signed_in: SignedIn) -> None:
    await site.hear(province().events)
    page = await signed_in(units=BOTH)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.url.split("?")[0].endswith("/progress/events") else None)
    await opened(page, site, "progress", month=AFTER, unit="68")
    paid = page.locator("dl.figures dd").first
    await expect(page.locator("#line")).to_have_text("Đang cập nhật trực tiếp")
    await expect(paid).to_have_text("1")
    await site.hear(paid_now(1))
    await expect(paid).to_have_text("2")
    seen = await page.evaluate("document.querySelector('[data-event]').dataset.event")
    assert len(asked) == 1
    await site.down()
    await expect(page.locator("#line")).to_have_text("Mất kết nối, đang nối lại…")
    await site.hear(paid_now(2))  # missed while the line is down
    await site.up()
    await expect(page.locator("#line")).to_have_text("Đang cập nhật trực tiếp", timeout=40_000)
    await expect(paid).to_have_text("3")
    headers = await asked[-1].all_headers()
    assert headers["last-event-id"] == seen, "resumed where it stopped"
    assert "authorization" in headers
    feed_readers = len(asked)
    await page.locator("#menu a", has_text="Kênh chi trả").click()  # leaving the page ends the stream
    await drawn(page)
    await until(lambda: not site.streams(), "the stream is closed")
    assert len(asked) == feed_readers


async def test_a_page_is_light_on_a_weak_line(site: Site, signed_in: SignedIn) -> None:
    await site.hear(province().events)
    page = await signed_in()
    line = await page.context.new_cdp_session(page)
    await line.send("Network.enable")
    received = 0

    def count(event: dict[str, float]) -> None:
        nonlocal received
        received += int(event["encodedDataLength"])

    line.on("Network.loadingFinished", count)
    weight: dict[str, int] = {}
    for name in PAGES:
        before = received
        await opened(page, site, name, month=BEFORE)
        weight[name] = received - before
    print(f"bytes on the line: {weight}")
    assert weight["coverage"] < 30_000, "the first page, with everything the others share"
    assert all(size < 12_000 for name, size in weight.items() if name != "coverage"), weight
    elsewhere = [
        entry for entry in await page.evaluate("performance.getEntriesByType('resource').map(e => e.name)") if site.base not in entry
    ]
    assert elsewhere == []
