"""The development issuer: tokens others can check, and nothing in production."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jwt
import pytest

from simulators.issuer.app import create_app
from simulators.issuer.config import IssuerConfig
from simulators.issuer.keys import SigningKey

CONSOLE = "http://127.0.0.1:18005"
USERS = {"approver": {"password": "ansinh-dev", "name": "Người duyệt", "roles": ["APPROVER"], "units": ["60"]}}
CLIENTS = {"partner-agribank": {"secret": "s3cret:with colon", "roles": ["PARTNER"], "partner": "agribank"}}


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    config = IssuerConfig.model_validate({"users": USERS, "clients": CLIENTS, "cors_origins": [CONSOLE]})
    app = create_app(config, SigningKey.load_or_create(tmp_path / "key.pem"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://issuer") as client:
        yield client


async def test_password_token_is_signed_by_the_published_key(issuer: httpx.AsyncClient) -> None:
    answer = await issuer.post("/token", data={"grant_type": "password", "username": "approver", "password": "ansinh-dev"})
    assert (answer.status_code, answer.headers["cache-control"], answer.json()["expires_in"]) == (200, "no-store", 3600)
    token = answer.json()["access_token"]
    discovery = (await issuer.get("/.well-known/openid-configuration")).json()
    assert discovery["jwks_uri"].endswith("/jwks.json")
    keys = jwt.PyJWKSet.from_dict((await issuer.get("/jwks.json")).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="ansinh", issuer=discovery["issuer"])
    assert (claims["sub"], claims["name"], claims["roles"], claims["units"]) == ("approver", "Người duyệt", ["APPROVER"], ["60"])
    assert claims["exp"] - claims["iat"] == 3600
    assert "partner" not in claims


async def test_client_credentials_in_header_or_form(issuer: httpx.AsyncClient) -> None:
    secret = CLIENTS["partner-agribank"]["secret"]
    form = {"grant_type": "client_credentials"}
    by_header = await issuer.post("/token", data=form, auth=("partner-agribank", str(secret)))
    by_form = await issuer.post("/token", data={**form, "client_id": "partner-agribank", "client_secret": secret})
    for answer in (by_header, by_form):
        claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
        assert (claims["sub"], claims["partner"], claims["roles"]) == ("partner-agribank", "agribank", ["PARTNER"])


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password", "username": "approver", "password": "no"}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "nobody", "password": ""}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials", "client_id": "partner-agribank", "client_secret": "no"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
async def test_refused(issuer: httpx.AsyncClient, form: dict[str, str], status: int, error: str) -> None:
    answer = await issuer.post("/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_only_the_console_may_ask_from_a_browser(issuer: httpx.AsyncClient) -> None:
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    ours = await issuer.options("/token", headers={"origin": CONSOLE, **preflight})
    assert ours.headers["access-control-allow-origin"] == CONSOLE
    other = await issuer.options("/token", headers={"origin": "http://evil", **preflight})
    assert "access-control-allow-origin" not in other.headers


def test_the_key_is_kept_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "key.pem"
    first, second = SigningKey.load_or_create(path), SigningKey.load_or_create(path)
    assert first.kid == second.kid
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(first.jwk) == {"kty", "n", "e", "kid", "use", "alg"}


def test_it_refuses_production(tmp_path: Path) -> None:
    config = tmp_path / "issuer.json"
    config.write_text(json.dumps({"users": USERS, "clients": CLIENTS}))
    found = subprocess.run(
        [sys.executable, "-m", "simulators.issuer", "--config", str(config)],
        env={**os.environ, "ANSINH_ENVIRONMENT": "production"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode == 2
    assert "production" in found.stderr
    assert not (tmp_path / "issuer-key.pem").exists()
