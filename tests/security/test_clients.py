"""Systems of other agencies: registered by two people, held to their quota, and what they read is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from common import testing
from common.actor import Actor, Role
from common.clients import narrowed
from common.clock import today
from common.db import Database
from reporting.main import make_app
from reporting.settings import Settings

ClientAs = Callable[..., httpx.AsyncClient]
ASKED = "/v1/quiet"


@pytest.fixture
async def made(database: Callable[[str], testing.TestDatabase]) -> testing.TestDatabase:
    return database("reporting")


@pytest.fixture
async def app(made: testing.TestDatabase, keys_file: Callable[[str], Path]) -> FastAPI:
    settings = Settings(
        database_url=made.app_url, keys_file=keys_file("reporting"), environment="development", client_registration="required"
    )
    return make_app(settings, made.db)


def registration(**changed: Any) -> dict[str, Any]:
    return {
        "client_id": "bhxh", "agency": "Bảo hiểm xã hội tỉnh", "contact": "cntt@bhxh.example", "roles": ["INTEGRATOR"], "units": ["60"],
        "per_minute": 100, "per_day": 1000, "valid_from": str(today()), "valid_to": None, "basis": "Quy chế 12/QC",
    } | changed  # fmt: skip


async def register(app: FastAPI, client_as: ClientAs, **changed: Any) -> dict[str, Any]:
    first, second = client_as(app, Role.OPERATOR, subject="an"), client_as(app, Role.APPROVER, subject="binh")
    proposed = await first.post("/v1/clients", json=registration(**changed))
    assert proposed.status_code == 201, proposed.text
    decided = await second.post(f"/v1/clients/{proposed.json()['id']}/decision", json={"approve": True})
    assert decided.status_code == 200, decided.text
    found: dict[str, Any] = decided.json()
    return found


def system(app: FastAPI, client_as: ClientAs, client_id: str = "bhxh", **claims: Any) -> httpx.AsyncClient:
    return client_as(app, Role.INTEGRATOR, subject=f"service-account-{client_id}", azp=client_id, **claims)


@pytest.mark.promise("running.rights")
async def test_who_decides_answers_for_all_the_units_that_are_opened(app: FastAPI, client_as: ClientAs) -> None:
    proposed = (await client_as(app, Role.OPERATOR, subject="an").post("/v1/clients", json=registration(units=["60", "68"]))).json()
    address = f"/v1/clients/{proposed['id']}"
    for units in (("60/593/22924",), ("60",)):
        approver = client_as(app, Role.APPROVER, units=units, subject="binh")
        assert (await approver.post(f"{address}/decision", json={"approve": True})).status_code == 404, units
    whole = client_as(app, Role.APPROVER, units=("60", "68"), subject="chi")
    assert (await whole.post(f"{address}/decision", json={"approve": True})).json()["state"] == "ACTIVE"
    assert (await client_as(app, Role.DEPARTMENT_OFFICER, units=("68",), subject="dung").post(f"{address}/end")).status_code == 404
    assert (await client_as(app, Role.OPERATOR, units=("68",), subject="dung").post(f"{address}/end")).json()["state"] == "ENDED"


async def test_a_registration_that_is_sent_again_stays_one(app: FastAPI, client_as: ClientAs) -> None:
    """Approved twice, the second copy would stand beside the first until somebody ends both."""
    proposer = client_as(app, Role.OPERATOR, subject="an")
    first, second = [(await proposer.post("/v1/clients", json=registration())).json() for _ in range(2)]
    assert first == second
    assert (await proposer.post("/v1/clients", json=registration(per_minute=50))).json()["id"] != first["id"]
    assert len((await proposer.get("/v1/clients")).json()["items"]) == 2


async def test_two_people_let_a_system_in_and_one_shuts_it_out(app: FastAPI, client_as: ClientAs) -> None:
    caller = system(app, client_as)
    assert (await caller.get(ASKED)).status_code == 403, "not registered"
    operator = client_as(app, Role.OPERATOR, subject="an")
    proposed = (await operator.post("/v1/clients", json=registration())).json()
    assert (await caller.get(ASKED)).status_code == 403, "only proposed"
    own = await operator.post(f"/v1/clients/{proposed['id']}/decision", json={"approve": True})
    assert own.status_code == 403, "the proposer does not decide"
    other = client_as(app, Role.OPERATOR, subject="binh")
    assert (await other.post(f"/v1/clients/{proposed['id']}/decision", json={"approve": True})).json()["state"] == "ACTIVE"
    assert (await caller.get(ASKED)).status_code == 200
    assert (await system(app, client_as, "another").get(ASKED)).status_code == 403
    assert (await operator.post(f"/v1/clients/{proposed['id']}/end")).json()["state"] == "ENDED"
    assert (await caller.get(ASKED)).status_code == 403, "at once"


async def test_the_database_refuses_one_person_twice(made: testing.TestDatabase, app: FastAPI, client_as: ClientAs) -> None:
    await register(app, client_as)
    with psycopg.connect(made.app_url.replace("+psycopg", ""), autocommit=True) as conn, pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("UPDATE api_client SET decided_by = proposed_by")


@pytest.mark.parametrize("changed", [{"valid_from": str(today() + timedelta(days=1))},
                                     {"valid_from": str(today() - timedelta(days=9)), "valid_to": str(today() - timedelta(days=1))}],
                         ids=["not yet", "no longer"])  # fmt: skip
async def test_a_registration_holds_on_its_days(changed: dict[str, Any], app: FastAPI, client_as: ClientAs) -> None:
    await register(app, client_as, **changed)
    assert (await system(app, client_as).get(ASKED)).status_code == 403


@pytest.mark.parametrize(
    ("asked", "granted", "kept"),
    [
        (("60",), ["60/593"], {"60/593"}), (("60/593/22924",), ["60"], {"60/593/22924"}), (("60",), ["91"], set()),
        (("60", "91"), ["91/899", "60"], {"60", "91/899"}), (("60/59",), ["60/593"], set()), (("*",), ["60"], {"60"}),
    ],
)  # fmt: skip
def test_units_are_what_token_and_registration_both_allow(asked: tuple[str, ...], granted: list[str], kept: set[str]) -> None:
    actor = Actor("s", "s", frozenset({Role.INTEGRATOR, Role.AUDITOR}), asked, everywhere="*" in asked)
    found = narrowed(actor, ["INTEGRATOR"], granted)
    assert (set(found.unit_paths), found.everywhere) == (kept, False)
    assert found.roles == {Role.INTEGRATOR}, "a role the issuer gave by mistake opens nothing"


async def test_the_quota_holds_over_several_processes(made: testing.TestDatabase, app: FastAPI, client_as: ClientAs) -> None:
    """Two applications with pools of their own stand for two processes: they share nothing but the database."""
    await register(app, client_as, per_minute=10)
    second = Database(made.app_url, keyring=made.db.keyring)
    other = make_app(app.state.settings, second)
    callers = [system(app, client_as), system(other, client_as)]
    answers = [answer for _ in range(4) for answer in await asyncio.gather(*(caller.get(ASKED) for caller in callers * 3))]
    await second.close()
    served = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    # A minute may begin in between: then its ten are served too.
    assert len(served) in range(10, 21)
    assert len(served) + len(refused) == 24
    assert refused
    assert refused[0].json()["type"] == "/problems/too-many-requests"
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60


async def test_what_is_refused_counts_and_is_written_down(made: testing.TestDatabase, app: FastAPI, client_as: ClientAs) -> None:
    """Whoever tries what is not theirs is seen doing it, and cannot go on for long: a refusal for the role counts like any call."""
    await register(app, client_as, per_day=3)
    caller = system(app, client_as)
    assert [(await caller.get("/v1/clients")).status_code for _ in range(3)] == [403] * 3
    assert (await caller.get(ASKED)).status_code == 429
    page = (await client_as(app, Role.AUDITOR, subject="chi").get("/v1/clients/access", params={"client_id": "bhxh"})).json()
    assert [(row["path"], row["status"]) for row in page["items"]] == [(ASKED, 429), *[("/v1/clients", 403)] * 3]


async def test_the_day_s_quota(app: FastAPI, client_as: ClientAs) -> None:
    await register(app, client_as, per_day=2)
    caller = system(app, client_as)
    assert [(await caller.get(ASKED)).status_code for _ in range(3)] == [200, 200, 429]
    assert int((await caller.get(ASKED)).headers["Retry-After"]) <= 86_400


async def test_people_are_not_counted(made: testing.TestDatabase, app: FastAPI, client_as: ClientAs) -> None:
    assert (await client_as(app, Role.AUDITOR).get(ASKED)).status_code == 200
    async with made.db.read() as tx:
        assert await tx.value("SELECT count(*) FROM api_client_calls") == 0


async def test_what_a_system_reads_is_written_down(made: testing.TestDatabase, app: FastAPI, client_as: ClientAs) -> None:
    await register(app, client_as)
    caller = system(app, client_as)
    assert (await caller.get(ASKED, headers={"X-Request-ID": "r-77"})).status_code == 200
    assert (await system(app, client_as, "stranger").get(ASKED)).status_code == 403
    auditor = client_as(app, Role.AUDITOR, subject="chi")
    page = (await auditor.get("/v1/clients/access")).json()
    assert [(row["client_id"], row["agency"], row["path"], row["status"], row["records"]) for row in page["items"]] == [
        ("stranger", None, ASKED, 403, None),
        ("bhxh", "Bảo hiểm xã hội tỉnh", ASKED, 200, 1),
    ]
    assert page["items"][1]["request_id"] == "r-77"
    one = (await auditor.get("/v1/clients/access", params={"client_id": "bhxh", "limit": 1})).json()
    assert len(one["items"]) == 1
    (first, second) = (await auditor.get("/v1/clients/access/sums", params={"from_day": "2024-01-01", "to_day": "2999-01-01"})).json()[
        "items"
    ]
    assert (first["client_id"], first["calls"], first["records"]) == ("bhxh", 1, 1)
    assert (second["client_id"], second["refused"]) == ("stranger", 1)
    assert (await caller.get("/v1/clients/access")).status_code == 403
    with psycopg.connect(made.app_url.replace("+psycopg", ""), autocommit=True) as conn:
        for change in ("UPDATE api_client_access SET records = 0", "DELETE FROM api_client_access"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(change)


async def test_what_cannot_be_written_down_is_not_answered(made: testing.TestDatabase, app: FastAPI, client_as: ClientAs) -> None:
    await register(app, client_as)
    with psycopg.connect(made.owner_url.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute("ALTER TABLE api_client_access ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    answer = await system(app, client_as).get(ASKED)
    assert answer.status_code == 500
    assert "waiting" not in answer.text


async def test_a_partner_speaks_for_itself_only(
    database: Callable[[str], testing.TestDatabase], keys_file: Any, client_as: ClientAs
) -> None:
    from disbursement.main import make_app as disbursement_app
    from disbursement.settings import Settings as DisbursementSettings

    made = database("disbursement")
    settings = DisbursementSettings(database_url=made.app_url, keys_file=keys_file("disbursement"), environment="development")
    app = disbursement_app(settings, made.db)
    for claims in ({"partner": "agribank"}, {}, {"partner": ""}):
        caller = client_as(app, Role.PARTNER, units=(), subject="partner-agribank", azp="partner-agribank", **claims)
        for path in ("/v1/partners/lpbank/totals", "/v1/partners/lpbank/lane", "/v1/partners/nobody/totals"):
            answer = await caller.get(path)
            assert (answer.status_code, answer.json()["detail"]) == (404, "No such partner"), (claims, path)
    own = client_as(app, Role.PARTNER, units=(), subject="partner-agribank", azp="partner-agribank", partner="agribank")
    assert (await own.get("/v1/partners/agribank/totals")).status_code == 200
    async with made.db.read() as tx:
        seen = await tx.rows("SELECT path, status, count(*) AS calls FROM api_client_access GROUP BY path, status ORDER BY path, status")
        counted = await tx.value("SELECT sum(calls) FROM api_client_calls WHERE client_id = 'partner-agribank' AND period = 'DAY'")
    assert [tuple(row.values()) for row in seen] == [
        ("/v1/partners/agribank/totals", 200, 1), ("/v1/partners/lpbank/lane", 404, 3), ("/v1/partners/lpbank/totals", 404, 3),
        ("/v1/partners/nobody/totals", 404, 3),
    ]  # fmt: skip
    assert counted == 10, "who asks after other partners is seen doing it"


def test_production_takes_no_unregistered_system(tmp_path: Path) -> None:
    needed: dict[str, Any] = {"database_url": "postgresql+psycopg://x/y", "keys_file": tmp_path, "environment": "production"}
    for given in ("open", None, "required"):
        assert Settings(**needed, client_registration=given).clients_registered
