"""A browser that is signed in to a reporting service of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

# Tests are imported by path; their helper modules lie beside them, and the events that make a month with the service tests.
sys.path.insert(0, str(Path(__file__).parents[2] / "service" / "reporting"))
sys.path.insert(0, str(Path(__file__).parent))

from pages_site import DESKTOP, SignedIn, Site, browser_path
from reporting_builders import Reporting

from ansinh.stack.layout import Layout
from ansinh.testing import own_stack
from common.testing import TestDatabase, free_port, jwks, token
from reporting.settings import Settings

expect.set_options(timeout=20_000)  # a page is waited for as long as a slow machine may take; what is there is seen at once


@pytest.fixture
async def site(database: Callable[[str], TestDatabase], keys_file: Callable[[str], Path]) -> AsyncIterator[Site]:
    home = database("reporting")
    port = free_port()
    settings = Settings(
        database_url=home.app_url,
        keys_file=keys_file("reporting"),
        environment="development",
        console_services={"reporting": f"http://127.0.0.1:{port}", "registry": f"http://127.0.0.1:{port}"},
    )
    reporting = Reporting(home, settings)
    reporting.app.state.authenticator.issuer = "http://issuer.test"
    reporting.app.state.authenticator.use_keys(jwks())
    made = Site(reporting, port)
    await made.up()
    yield made
    await made.down()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = await playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        yield started
        await started.close()


@pytest.fixture
async def signed_in(browser: Browser, site: Site) -> AsyncIterator[SignedIn]:
    """`await signed_in("DEPARTMENT_OFFICER", units=("60",), size=PHONE, language="en-GB")`: a page with a session, watched for errors."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    async def make(
        role: str = "DEPARTMENT_OFFICER", *, units: tuple[str, ...] = ("60",), size: tuple[int, int] = DESKTOP, language: str = "vi-VN"
    ) -> Page:
        context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=language, timezone_id="Asia/Ho_Chi_Minh")
        contexts.append(context)
        session = {
            "token": token([role], units),
            "identity": None,
            "expires": int(1000 * (time.time() + 3_000)),
            "user": {"sub": "an", "name": "Nguyễn Thị An", "roles": [role], "units": list(units)},
        }
        await context.add_init_script(f"sessionStorage.setItem('ansinh.session', JSON.stringify({json.dumps(session)}))")
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield make
    for context in contexts:
        await context.close()
    assert not faults, faults


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this run's screenshots lie: ANSINH_SCREENSHOTS, or the run's own temporary folder (printed)."""
    asked = os.environ.get("ANSINH_SCREENSHOTS")
    folder = Path(asked) if asked else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"screenshots: {folder}")
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Layout, dict[str, Any]]]:
    """The stack of a small demo that has just paid its month, and what it said of itself."""
    browser_path()
    result = tmp_path_factory.mktemp("demo") / "demo.json"
    with own_stack() as own:
        own.must("demo", "--people", "1500", "--keep", "--json", str(result))
        yield own.demo, json.loads(result.read_text(encoding="utf-8"))
