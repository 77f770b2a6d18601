"""The Keycloak of the production shape, started for real: its tokens are what our services accept, with roles, units and partner.

Command, settings, realm and health check are those of `docker-compose.yml`; only addresses, ports and passwords are the test's. The
distribution comes by Maven (once, about 160 MB, into the user's cache) and runs on Java 17; where one is missing it is skipped.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
import yaml

from ansinh.bootstrap import ROOT
from common import testing
from common.actor import Role
from common.apache_kafka import by_maven
from common.auth import Authenticator
from common.ids import new_id
from common.problems import Unauthenticated
from common.testing import free_port, wait_for

VERSION: Final = "26.4.0"
READY_SECONDS: Final = 900.0  # it builds itself at the first start
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["keycloak"]
PASSWORD, SECRET = secrets.token_urlsafe(18), secrets.token_urlsafe(24)
missing = [name for name in ("mvn", "java") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1_500),
    pytest.mark.skipif(bool(missing), reason=f"a real Keycloak needs Maven and Java 17: {' and '.join(missing)} not found"),
    pytest.mark.xdist_group("keycloak"),
]


def distribution() -> Path:
    """The zip, from the user's cache or by Maven."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ansinh"
    path = cache / f"keycloak-quarkus-dist-{VERSION}.zip"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            command = [
                "mvn",
                "-q",
                "-B",
                goal,
                f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip",
                f"-DoutputDirectory={folder}",
            ]
            try:
                by_maven(command, "Keycloak")
            except RuntimeError as error:
                pytest.skip(str(error))
            (Path(folder) / path.name).rename(path)
    return path


def realm() -> dict[str, Any]:
    """The committed file, with what an administrator sets afterwards: secrets of systems, and a person."""
    found: dict[str, Any] = json.loads((ROOT / "deploy/keycloak/ansinh-realm.json").read_text(encoding="utf-8"))
    for client in found["clients"]:
        if client.get("serviceAccountsEnabled"):
            client["secret"] = SECRET
    found["users"].append(
        {
            "username": "an.tran", "enabled": True, "email": "an.tran@so.example", "emailVerified": True,
            "firstName": "An", "lastName": "Trần",
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
            "realmRoles": ["DEPARTMENT_OFFICER"], "attributes": {"units": ["60/593"]},
        }
    )  # fmt: skip
    return found


@dataclass(frozen=True)
class Started:
    """A running Keycloak: where its users find it, and its port of health."""

    url: str
    management_port: int


def environment(url: str, management_port: int, database: str, password: str) -> dict[str, str]:
    """As compose gives it, with this test's addresses and passwords."""
    given = {name: str(value) for name, value in COMPOSE["environment"].items()}
    where = urlsplit(database)
    given |= {
        "KC_BOOTSTRAP_ADMIN_PASSWORD": secrets.token_urlsafe(18),
        "KC_DB_URL": f"jdbc:postgresql://{where.hostname}:{where.port}{where.path}",
        "KC_DB_PASSWORD": password,
        "KC_HOSTNAME": url,
        "KC_HTTP_HOST": "127.0.0.1",
        "KC_HTTP_PORT": str(urlsplit(url).port),
        "KC_HTTP_MANAGEMENT_PORT": str(management_port),
        "JAVA_OPTS_APPEND": "-Xmx512m -XX:TieredStopAtLevel=1",
    }
    assert not [name for name, value in given.items() if "${" in value], "a variable of compose that this test does not know"
    return given


@pytest.fixture(scope="module")
def database_of_its_own(pg_url: str) -> Iterator[tuple[str, str]]:
    """Address and password: made as `deploy/postgres/10-databases.sh` does."""
    name, role, password = f"keycloak_{new_id().hex}", COMPOSE["environment"]["KC_DB_USERNAME"], secrets.token_urlsafe(18)
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        connection.execute(f"CREATE DATABASE {name} OWNER {role}")
        connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        yield pg_url.rsplit("/", 1)[0] + f"/{name}", password
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def keycloak(database_of_its_own: tuple[str, str]) -> Iterator[Started]:
    with tempfile.TemporaryDirectory(prefix="ansinh-keycloak-", ignore_cleanup_errors=True) as folder:
        with zipfile.ZipFile(distribution()) as packed:
            packed.extractall(folder)
        home = Path(folder) / f"keycloak-{VERSION}"
        (home / "data/import").mkdir(parents=True)
        (home / "data/import/ansinh-realm.json").write_text(json.dumps(realm()), encoding="utf-8")
        found = Started(f"http://127.0.0.1:{free_port()}", free_port())
        command = ["bash", str(home / "bin/kc.sh"), *COMPOSE["command"]]
        env = {**os.environ, **environment(found.url, found.management_port, *database_of_its_own)}
        log = home / "out.log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        try:
            wait_for(lambda: process.poll() is not None or healthy(found), READY_SECONDS, "Keycloak")
            assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
            yield found
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 15)
                process.wait(60)


@pytest.fixture
def issuer(keycloak: Started) -> str:
    return f"{keycloak.url}/realms/ansinh"


def healthy(keycloak: Started) -> bool:
    """The health check of compose itself, at this Keycloak's port."""
    command = [part.replace("$$", "$").replace("/9000", f"/{keycloak.management_port}") for part in COMPOSE["healthcheck"]["test"]]
    assert command.pop(0) == "CMD"
    return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=30).returncode == 0


def authenticator(url: str, audience: str = "ansinh", issuer: str = "") -> Authenticator:
    return Authenticator(issuer=issuer or url, audience=audience, jwks_url=f"{url}/protocol/openid-connect/certs")


def by_secret(issuer: str, client_id: str, secret: str = SECRET) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return httpx.post(f"{issuer}/protocol/openid-connect/token", data=form, timeout=60, trust_env=False)


def by_page(issuer: str, password: str) -> httpx.Response:
    """Authorization code with PKCE, as the console does it; the answer of the token address, or the page that refused."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = "http://localhost:18005/console/signed-in"
    with httpx.Client(timeout=60, trust_env=False) as http:
        asked = {
            "client_id": "console", "response_type": "code", "scope": "openid", "redirect_uri": back, "state": "s",
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        page = http.get(f"{issuer}/protocol/openid-connect/auth", params=asked)
        action = re.search(r'action="([^"]+)"', page.text)
        assert action, page.text[:500]
        # They are marked Secure, which a browser waives for its own machine and this client does not.
        cookies = "; ".join(cookie.split(";", 1)[0] for cookie in page.headers.get_list("set-cookie"))
        form = {"username": "an.tran", "password": password}
        sent = http.post(html.unescape(action[1]), data=form, headers={"Cookie": cookies})
        if sent.status_code != 302:
            return sent
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "client_id": "console", "code": code, "redirect_uri": back, "code_verifier": verifier}
        return http.post(f"{issuer}/protocol/openid-connect/token", data=form)


async def test_systems_and_partners_sign_in_with_their_secret(issuer: str) -> None:
    told = httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).json()
    assert (told["issuer"], told["jwks_uri"]) == (issuer, f"{issuer}/protocol/openid-connect/certs")
    ours = authenticator(issuer)
    system = await ours.actor(by_secret(issuer, "integrator").json()["access_token"], None)
    assert (set(system.roles), list(system.unit_paths), system.client_id) == ({Role.INTEGRATOR}, ["60"], "integrator")
    partner = await ours.actor(by_secret(issuer, "partner-agribank").json()["access_token"], None)
    assert (set(partner.roles), list(partner.unit_paths), partner.partner) == ({Role.PARTNER}, [], "agribank")
    assert by_secret(issuer, "partner-agribank", "wrong").status_code == 401


async def test_who_issues_is_settled_and_nobody_who_asks_changes_it(issuer: str, keycloak: Started) -> None:
    """Browsers are sent to the one address it was given; a service inside is sent to the address it asked at."""
    where = "/realms/ansinh/.well-known/openid-configuration"
    said = {"Host": "keycloak:8080", "X-Forwarded-Host": "keycloak:8080"}
    told = httpx.get(f"{keycloak.url}{where}", headers=said, trust_env=False).json()
    assert (told["issuer"], told["authorization_endpoint"]) == (issuer, f"{issuer}/protocol/openid-connect/auth")
    assert told["jwks_uri"] == "http://keycloak:8080/realms/ansinh/protocol/openid-connect/certs"


async def test_what_it_knows_lies_in_its_own_database(keycloak: Started, database_of_its_own: tuple[str, str]) -> None:
    address, _ = database_of_its_own
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT count(*) FROM realm WHERE name = 'ansinh'").fetchone() == (1,)


async def test_a_person_signs_in_by_the_page_with_pkce(issuer: str) -> None:
    assert by_page(issuer, "not the password").status_code == 200, "the page again, no code"
    actor = await authenticator(issuer).actor(by_page(issuer, PASSWORD).json()["access_token"], None)
    assert (set(actor.roles), list(actor.unit_paths), actor.client_id) == ({Role.DEPARTMENT_OFFICER}, ["60/593"], "console")


async def test_tokens_for_others_are_refused(issuer: str) -> None:
    token = by_secret(issuer, "integrator").json()["access_token"]
    for wrong in (authenticator(issuer, audience="another"), authenticator(issuer, issuer=issuer + "-2")):
        with pytest.raises(Unauthenticated):
            await wrong.actor(token, None)
    person = by_page(issuer, PASSWORD).json()
    for other in (person["id_token"], person["refresh_token"]):
        with pytest.raises(Unauthenticated):
            await authenticator(issuer).actor(other, None)


async def test_a_service_takes_its_tokens(
    issuer: str, database: Callable[[str], testing.TestDatabase], keys_file: Callable[[str], Path]
) -> None:
    from disbursement.main import make_app
    from disbursement.settings import Settings

    made = database("disbursement")
    app = make_app(
        Settings(
            database_url=made.app_url,
            keys_file=keys_file("disbursement"),
            environment="development",
            oidc_issuer=issuer,
            oidc_jwks_url=f"{issuer}/protocol/openid-connect/certs",
        ),
        made.db,
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:

        async def status(path: str, client_id: str) -> int:
            token = by_secret(issuer, client_id).json()["access_token"]
            return (await http.get(path, headers={"Authorization": f"Bearer {token}"})).status_code

        assert await status("/v1/partners/agribank/totals", "partner-agribank") == 200
        assert await status("/v1/partners/lpbank/totals", "partner-agribank") == 404
        assert await status("/v1/quiet", "integrator") == 200
        assert await status("/v1/quiet", "partner-agribank") == 403
