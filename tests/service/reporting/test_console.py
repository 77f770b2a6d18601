"""The console is self-hosted, strict about scripts, and offers the five services."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from reporting_builders import Reporting

ClientAs = Callable[..., httpx.AsyncClient]
PAGES = ("/console/", "/console/signed-in", "/pages/coverage?month=2024-09&unit=60", "/pages/survey")


@pytest.mark.parametrize("path", PAGES)
async def test_pages_carry_no_inline_script_and_nothing_from_elsewhere(reporting: Reporting, client_as: ClientAs, path: str) -> None:
    client = client_as(reporting.app)
    page = await client.get(path)
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "://" not in re.sub(r"xmlns=\"[^\"]+\"", "", page.text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page.text)
    assert 'name="viewport"' in page.text
    for asset in re.findall(r'(?:src|href)="([^"#]+\.(?:js|css|svg))"', page.text):
        answer = await client.get(httpx.URL("http://test" + path).join(asset))
        assert answer.status_code == 200, asset


@pytest.mark.parametrize("path", PAGES)
async def test_every_vietnamese_text_has_its_english(reporting: Reporting, client_as: ClientAs, path: str) -> None:
    text = (await client_as(reporting.app).get(path)).text
    assert len(re.findall(r"data-vi=", text)) == len(re.findall(r"data-en=", text)) >= 2


async def test_settings_name_five_services_and_the_policy_lets_the_browser_reach_them(reporting: Reporting, client_as: ClientAs) -> None:
    client = client_as(reporting.app)
    settings = (await client.get("/console/settings.json")).json()
    assert list(settings["services"]) == ["registry", "identity-verify", "accounts", "disbursement", "reporting"]
    policy = (await client.get("/console/")).headers["content-security-policy"]
    for address in (*settings["services"].values(), settings["token_url"].removesuffix("/token")):
        assert address in policy


async def test_swagger_ui_reads_openapi_3_1(reporting: Reporting, client_as: ClientAs) -> None:
    client = client_as(reporting.app)
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    bundle = await client.get("/console/swagger-ui-bundle.js")
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', bundle.text)
    assert version is not None
    assert int(version[1]) >= 5
    again = await client.get("/console/swagger-ui-bundle.js", headers={"If-None-Match": bundle.headers["etag"]})
    assert again.status_code == 304
    for path, verbs in document["paths"].items():
        for operation in verbs.values():
            assert operation.get("summary"), path
            assert operation.get("description"), path


async def test_only_listed_files_are_served_and_input_is_escaped(reporting: Reporting, client_as: ClientAs) -> None:
    client = client_as(reporting.app)
    for name in ("index.html", "..%2Fmain.py", "coverage.html", "redoc.standalone.js", "__init__.py"):
        assert (await client.get(f"/console/{name}")).status_code == 404
    page = await client.get("/pages/coverage", params={"unit_path": '"><script>x</script>'})
    assert "<script>x" not in page.text
    assert (await client.get("/console")).headers["location"] == "/console/"
