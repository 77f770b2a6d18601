"""Sign-in of people at the development issuer: authorization code with PKCE, and nothing less."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from simulators.issuer import sign_in
from simulators.issuer.app import create_app
from simulators.issuer.config import IssuerConfig
from simulators.issuer.keys import SigningKey

RETURN = "http://127.0.0.1:18005/console/signed-in"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ASKED = {
    "response_type": "code",
    "client_id": "console",
    "redirect_uri": RETURN,
    "scope": "openid",
    "state": "s" * 22,
    "nonce": "n" * 22,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
USERS = {
    "approver": {"password": "ready", "name": "Người duyệt", "roles": ["APPROVER"], "units": ["60"]},
    "changed": {"password": "her own", "name": "Người khác", "roles": ["AUDITOR"], "units": ["60"]},
}


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    config = IssuerConfig.model_validate(
        {"users": USERS, "ready_password": "ready", "public_clients": {"console": {"redirect_uris": [RETURN]}}}
    )
    app = create_app(config, SigningKey.load_or_create(tmp_path / "key.pem"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://issuer") as client:
        yield client


async def open_page(issuer: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await issuer.get("/authorize", params=ASKED | changes)


async def choose(issuer: httpx.AsyncClient, username: str = "approver", password: str = "", **changes: str) -> httpx.Response:
    page = await open_page(issuer, **changes)
    key = re.search(r'name="page" value="([^"]+)"', page.text)
    assert key, page.text
    return await issuer.post("/authorize", data={"page": key[1], "username": username, "password": password})


def told(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(RETURN + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def redeem(issuer: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "client_id": "console", "redirect_uri": RETURN, "code_verifier": VERIFIER, "code": code}
    return await issuer.post("/token", data=form | changes)


async def test_code_is_changed_for_a_token_with_state_nonce_and_issuer(issuer: httpx.AsyncClient) -> None:
    back = told(await choose(issuer))
    assert (back["state"], back["iss"]) == (ASKED["state"], "http://127.0.0.1:18013")
    answer = await redeem(issuer, back["code"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["azp"], claims["aud"], claims["roles"]) == ("approver", "console", "ansinh", ["APPROVER"])
    identity = jwt.decode(answer.json()["id_token"], options={"verify_signature": False})
    assert (identity["nonce"], identity["aud"]) == (ASKED["nonce"], "console")
    assert "roles" not in identity


async def test_a_code_works_once_and_a_wrong_try_spends_it(issuer: httpx.AsyncClient) -> None:
    code = told(await choose(issuer))["code"]
    assert (await redeem(issuer, code)).status_code == 200
    assert (await redeem(issuer, code)).json()["error"] == "invalid_grant"
    code = told(await choose(issuer))["code"]
    assert (await redeem(issuer, code, code_verifier="x" * 43)).json()["error"] == "invalid_grant"
    assert (await redeem(issuer, code)).json()["error"] == "invalid_grant"


async def refresh(issuer: httpx.AsyncClient, token: str, client_id: str = "console") -> httpx.Response:
    return await issuer.post("/token", data={"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token})


async def test_a_refresh_token_works_once_and_gives_the_next(issuer: httpx.AsyncClient) -> None:
    first = (await redeem(issuer, told(await choose(issuer))["code"])).json()
    assert (await refresh(issuer, first["refresh_token"], "other")).json()["error"] == "invalid_grant"
    second = (await refresh(issuer, first["refresh_token"])).json()
    claims = jwt.decode(second["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["azp"], claims["roles"]) == ("approver", "console", ["APPROVER"])
    assert second["refresh_token"] != first["refresh_token"]
    assert (await refresh(issuer, first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await refresh(issuer, second["refresh_token"])).status_code == 200


async def test_signing_out_and_time_end_the_refresh_token(issuer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    given = (await redeem(issuer, told(await choose(issuer))["code"])).json()["refresh_token"]
    assert (await issuer.post("/revoke", data={"token": given, "client_id": "console"})).status_code == 200
    assert (await refresh(issuer, given)).json()["error"] == "invalid_grant"
    given = (await redeem(issuer, told(await choose(issuer))["code"])).json()["refresh_token"]
    later = sign_in.time.monotonic() + 28_801
    monkeypatch.setattr(sign_in.time, "monotonic", lambda: later)
    assert (await refresh(issuer, given)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "change", [{"redirect_uri": RETURN + "/"}, {"client_id": "other"}, {"code_verifier": ""}, {"code_verifier": CHALLENGE}]
)
async def test_a_code_fits_only_its_client_address_and_verifier(issuer: httpx.AsyncClient, change: dict[str, str]) -> None:
    code = told(await choose(issuer))["code"]
    answer = await redeem(issuer, code, **change)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_codes_and_pages_grow_old(issuer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "_CODE_SECONDS", -1.0)
    code = told(await choose(issuer))["code"]
    assert (await redeem(issuer, code)).json()["error"] == "invalid_grant"
    monkeypatch.setattr(sign_in, "_PAGE_SECONDS", -1.0)
    assert (await open_page(issuer)).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": RETURN + "/x"},
        {"redirect_uri": RETURN + "?next=1"},
        {"redirect_uri": "http://evil/console/signed-in"},
        {"redirect_uri": ""},
        {"client_id": "nobody"},
    ],
)
async def test_the_browser_is_sent_to_listed_addresses_only(issuer: httpx.AsyncClient, change: dict[str, str]) -> None:
    answer = await open_page(issuer, **change)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"nonce": "short"}, "invalid_request"),
    ],
)
async def test_less_than_pkce_state_and_nonce_is_refused_at_the_client(
    issuer: httpx.AsyncClient, change: dict[str, str], error: str
) -> None:
    assert told(await open_page(issuer, **change))["error"] == error


async def test_a_changed_password_must_be_typed(issuer: httpx.AsyncClient) -> None:
    wrong = await choose(issuer, "changed")
    assert wrong.status_code == 401
    assert 'role="alert"' in wrong.text
    assert "location" not in wrong.headers
    assert "code" in told(await choose(issuer, "changed", "her own"))
    assert (await choose(issuer, "nobody", "ready")).status_code == 401


async def test_the_page_is_plain_and_cannot_be_framed(issuer: httpx.AsyncClient) -> None:
    page = await open_page(issuer)
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:18005" in policy
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert 'lang="vi"' in page.text
    assert 'lang="en"' in (await open_page(issuer, ui_locales="en vi")).text
    assert (await issuer.get("/sign-in.css")).status_code == 200


async def test_a_browser_client_may_not_send_passwords(issuer: httpx.AsyncClient) -> None:
    form = {"grant_type": "password", "client_id": "console", "username": "approver", "password": "ready"}
    assert (await issuer.post("/token", data=form)).json()["error"] == "unauthorized_client"


async def test_a_challenge_is_the_hash_of_its_verifier() -> None:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == CHALLENGE
