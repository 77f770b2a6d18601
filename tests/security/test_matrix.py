"""Every route with every role against the committed table: who may passes the guard, everybody else is refused, no route is missing."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from common import testing
from common.actor import Role
from common.db import Database
from common.problems import ServiceUnavailable

TABLE: dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("matrix_table.py")))
ROLES: tuple[str, ...] = TABLE["ROLES"]
SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")


@pytest.fixture(scope="module")
def apps() -> Iterator[dict[str, FastAPI]]:

    def away(*_args: object, **_more: object) -> None:
        raise ServiceUnavailable  # whoever comes here has passed the guard

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "read", away)
        patch.setattr(Database, "transaction", away)
        patch.setattr("common.auth.is_client", lambda _actor: False)  # counting and writing down need a database: test_clients.py
        yield dict(TABLE["apps"]())


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e", path)


@pytest.mark.parametrize("service", SERVICES)
def test_the_table_has_every_route_and_no_other(service: str, apps: dict[str, FastAPI]) -> None:
    listed, made = TABLE["read"](service), TABLE["rows_of"](apps[service])
    names = [(row["method"], row["path"], row["other"]) for row in listed]
    known = [(row["method"], row["path"], row["other"]) for row in made]
    assert max(Counter(names).values(), default=0) == 1
    missing, gone = set(known) - set(names), set(names) - set(known)
    assert not missing, f"no such line in matrix/{service}.csv: python tests/security/matrix_table.py, then read what it wrote"
    assert not gone


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_with_every_role(service: str, apps: dict[str, FastAPI]) -> None:
    """Each role that may, alone; all that may not, together in one token: were one of them enough, it would pass."""
    app = apps[service]
    app.state.authenticator.issuer = "http://issuer.test"
    app.state.authenticator.use_keys(testing.jwks())
    tokens: dict[tuple[str, ...], str] = {}

    def token(*roles: str, unit: str = "60") -> str:
        claims: dict[str, Any] = {"partner": "agribank"} if Role.PARTNER in roles else {}
        return tokens.setdefault((unit, *roles), testing.token(roles, units=[unit], **claims))

    wrong = []
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        for row in TABLE["read"](service):
            allowed = [role for role in ROLES if row[role]]
            if row["other"] in ("signed", "public"):
                assert not allowed, row
                continue
            assert allowed, row
            refused = tuple(role for role in ROLES if not row[role])
            calls = [(403, token(*refused)), (401, None), *((200, token(role)) for role in allowed)]
            if row["other"] == "province":
                calls += [(403, token(role, unit="60/593")) for role in allowed if role != Role.OPERATOR]
            for wanted, bearer in calls:
                headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
                got = (await http.request(row["method"], filled(row["path"]), headers=headers)).status_code
                if (got if got in (401, 403) else 200) != wanted:
                    wrong.append(f"{row['method']} {row['path']}: {got} where {wanted} is right")
    assert not wrong


#: Second words on an object of everybody's that look at the area themselves.
_LOOKS_ITSELF = {
    "/v1/rulings/{ruling_id}/approve": "some hold in one unit",
    "/v1/rulings/{ruling_id}/reject": "some hold in one unit",
    "/v1/units/remaps/{remap_id}/approve": "a re-mapping has an area of its own",
}


def test_what_holds_for_everybody_is_settled_by_people_of_a_whole_province() -> None:
    settles = re.compile(r"/(approve|reject|refuse|decision)$")
    loose = [row["path"] for service in SERVICES for row in TABLE["read"](service) if row["other"] == "all" and settles.search(row["path"])]
    assert sorted(loose) == sorted(_LOOKS_ITSELF)
