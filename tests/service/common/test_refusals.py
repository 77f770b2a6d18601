"""What a production process does not start with, service by service, and where no client of it calls."""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from ansinh.stack.layout import SERVICES
from ansinh.stack.secrets import make_keyrings, webhook_secret
from common import http
from common.refusals import forbidden_address, refusals

STRONG = "postgresql+psycopg://app:Zk3vJ8qLw2TnX5rB@db:5432/x"


def settings_of(package: str, folder: Path, service: str, **given: Any) -> Any:
    keys = folder / "keys.json"
    if not keys.exists():
        keys.write_text(json.dumps(make_keyrings()[service]), encoding="utf-8")
    kind = importlib.import_module(f"{package}.settings").Settings
    population = {"population_url": "http://population:18011", "population_token": "Wq8dK2xVb5LrT1Zs"}
    outside = population if "population_url" in kind.model_fields else {}
    issuer = {"oidc_issuer": "https://issuer.vn/realms/ansinh", "oidc_jwks_url": "http://keycloak:8080/certs"}
    return kind(**{"environment": "production", "database_url": STRONG, "keys_file": keys, **issuer, **outside, **given})


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_service_refuses_weak_secrets_in_production_and_takes_strong_ones(service: Any, tmp_path: Path) -> None:
    assert refusals(settings_of(service.package, tmp_path, service.name)) == []
    for password in ("", "postgres", "test", "a" * 30, "passwordpassword"):
        weak = f"postgresql+psycopg://app:{password}@db:5432/x"
        (told,) = refusals(settings_of(service.package, tmp_path, service.name, database_url=weak))
        assert told.startswith("database_url: the password ")
        assert not password or password not in told.removeprefix("database_url: the password ")
        assert refusals(settings_of(service.package, tmp_path, service.name, database_url=weak, environment="development")) == []
    keys = make_keyrings()[service.name]
    keys["blind"] = base64.b64encode(b"\0" * 32).decode()
    (tmp_path / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    assert refusals(settings_of(service.package, tmp_path, service.name)) == ["keys_file.blind is no random key"]


def test_tokens_and_partners_are_looked_at_too(tmp_path: Path) -> None:
    token = {"population_token": "short"}
    assert refusals(settings_of("identity_verify", tmp_path, "identity-verify", **token)) == [
        "population_token is shorter than 16 characters"
    ]
    partners = tmp_path / "partners.json"
    weak = "whsec_" + base64.b64encode(b"x" * 32).decode()
    good = webhook_secret()
    partners.write_text(json.dumps({"partners": {
        "a": {"url": "http://169.254.169.254/a", "outbound_secret": good, "inbound_secrets": [webhook_secret()]},
        "b": {"url": "https://b.vn", "outbound_secret": weak, "inbound_secrets": [good]},
        "c": {"url": "https://c.vn", "outbound_secret": good, "inbound_secrets": [good]},
        "d": {"url": "https://d.vn", "outbound_secret": good, "inbound_secrets": [webhook_secret()]},
    }}), encoding="utf-8")  # fmt: skip
    (tmp_path / "keys.json").unlink()
    found = refusals(
        settings_of("disbursement", tmp_path, "disbursement", partners_file=partners, sms_url="http://localhost/sms", sms_token=good)
    )
    assert [line.split(":")[1].strip() if line.startswith("partners") else line for line in found] == [
        "sms_url is this machine or its metadata service", "a", "b", "c",
    ]  # fmt: skip
    assert good not in "".join(found)


def test_the_process_itself_ends_with_the_reason_and_without_the_value(tmp_path: Path) -> None:
    settings_of("registry", tmp_path, "registry")
    environment = {"REGISTRY_ENVIRONMENT": "production", "REGISTRY_DATABASE_URL": "postgresql+psycopg://app:hunter2@db/x",
                   "REGISTRY_KEYS_FILE": str(tmp_path / "keys.json")}  # fmt: skip
    ended = subprocess.run([sys.executable, "-m", "registry.main", "api"], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "refused in production: database_url: the password is shorter than 16 characters" in ended.stderr
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize("url", [
    "http://169.254.169.254/latest", "http://[fe80::1]/", "http://127.0.0.1:8000", "http://[::1]/", "http://[::ffff:169.254.169.254]/",
    "http://0.0.0.0/", "http://localhost/", "http://LOCALHOST./", "http://metadata.google.internal/", "file:///etc/passwd",
    "ftp://bank.vn/", "http://user:password@bank.vn/", "http://224.0.0.1/",
    "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0251.0376.0251.0376/",
])  # fmt: skip
def test_addresses_nobody_means(url: str) -> None:
    assert forbidden_address(url)


async def test_at_the_call_too_and_a_client_for_one_host_calls_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://169.254.169.254/"})

    monkeypatch.setitem(http._policy, "production", True)
    listed = ("https://bank.vn/x", "http://169.254.169.254/", "")
    async with http.client(to=listed, transport=httpx.MockTransport(answer)) as several:
        with pytest.raises(http.AddressRefused, match="link-local"):
            await several.get("http://169.254.169.254/latest/meta-data")
        assert (await several.get("https://bank.vn/a")).status_code == 302, "an answer like any other, not followed"
    async with http.client(base_url="https://bank.vn/api", transport=httpx.MockTransport(answer)) as bank:
        await bank.get("/b")
        for other in ("https://other.vn/c", "http://bank.vn/c", "https://bank.vn:8443/c", "https://bank.vn.other.vn/c"):
            with pytest.raises(http.AddressRefused, match="not an address"):
                await bank.get(other)
    async with http.client(transport=httpx.MockTransport(answer)) as nowhere:
        with pytest.raises(http.AddressRefused):
            await nowhere.get("https://bank.vn/a")
    assert asked == ["https://bank.vn/a", "https://bank.vn/api/b"]


async def test_a_name_that_leads_to_this_machine_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up when it is called: what it leads to then is what counts, and nothing was sent there."""
    came: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    real = socket.getaddrinfo

    def looked_up(host: Any, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host in ("bank.example", b"bank.example") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    async with server, http.client(to=(f"http://bank.example:{port}",), timeout=20) as bank:
        assert (await bank.get(f"http://bank.example:{port}/a")).text == "ok"
        monkeypatch.setitem(http._policy, "production", True)
        with pytest.raises(http.AddressRefused, match="this machine"):
            await bank.get(f"http://bank.example:{port}/b")
    assert len(came) == 1
    assert b"host: bank.example" in came[0].lower()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_production_says_whose_tokens_it_believes(service: Any, tmp_path: Path) -> None:
    good = settings_of(service.package, tmp_path, service.name)
    left_out = type(good)(**good.model_dump(include=good.model_fields_set - {"oidc_issuer", "oidc_jwks_url"}))
    assert [line.split()[0] for line in refusals(left_out)] == ["oidc_issuer", "oidc_jwks_url"]
    here = settings_of(service.package, tmp_path, service.name, oidc_jwks_url="http://127.0.0.1:18013/jwks.json")
    assert refusals(here) == ["oidc_jwks_url is this machine, link-local or no host's address"]


def test_no_outside_system_is_called_without_a_token(tmp_path: Path) -> None:
    found = refusals(settings_of("identity_verify", tmp_path, "identity-verify", population_token=""))
    (tmp_path / "keys.json").unlink()
    found += refusals(settings_of("disbursement", tmp_path, "disbursement", sms_url="https://sms.vn"))
    assert found == ["population_token is missing", "sms_token is missing"]
