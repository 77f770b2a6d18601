"""On a small demo stack: one trace over all services, hostile files for every route that takes a file, and the objects of another unit.

Routes come from the documents and from the committed authorisation matrix, ids from the documents' worked examples: a new route is tried
as well.
"""

from __future__ import annotations

import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
import pytest
from example_runner import Runner, Unresolved
from hostile_files import FILES
from trace_collector import Collector, Kept

from ansinh.stack.layout import SERVICES, Layout, Service
from ansinh.testing import own_stack
from common.testing import wait_for
from common.tracing import ATTRIBUTES, LINKS_AT_MOST

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(1_500), pytest.mark.xdist_group("embedded-stack")]
ANOTHER_DISTRICT, ANOTHER_PROVINCE = "60/999", "79/777"
SECONDS = 5.0
GROWTH_MIB = 200
#: What a refused request may leave behind: that it was made.
MECHANISMS = (
    "audit_log", "audit_unsealed", "audit_chain", "audit_anchor", "api_client_calls", "api_client_access", "idempotency_key", "inbox",
    "consumer_position", "invariant_", "relay_position", "database_life",
)  # fmt: skip


@dataclass
class World:
    """The stack, and what was sent to the collector of traces."""

    layout: Layout
    runner: Runner
    collector: Collector
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    def stranger(self, roles: list[str], unit: str) -> str:
        """A token of somebody with these roles in a unit where nothing is."""
        known = json.loads((self.layout.secrets / "issuer.json").read_text(encoding="utf-8"))
        key = (self.layout.secrets / "issuer-key.pem").read_bytes()
        now = int(time.time())
        kid = httpx.get(f"{self.runner.issuer}/jwks.json").json()["keys"][0]["kid"]
        said = {"sub": "stranger", "name": "stranger", "roles": roles, "units": [unit], "iat": now, "exp": now + 3_600}
        return jwt.encode(said | {"iss": known["issuer"], "aud": known["audience"]}, key, algorithm="RS256", headers={"kid": kid})

    def rows(self, service: Service) -> dict[str, int]:
        """Rows of every table that is not a mechanism's."""
        told = json.loads((self.layout.secrets / "postgres.json").read_text(encoding="utf-8"))
        where = f"host=127.0.0.1 port={self.layout.postgres_port} dbname={service.package} user=postgres"
        with psycopg.connect(where, password=told["superuser"]) as conn:
            tables = conn.execute("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
            named = [name for (name,) in tables if not name.startswith(MECHANISMS)]
            return {name: conn.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in named}

    def memory(self, service: Service) -> int:
        """MiB of the service's two processes."""
        total = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
                mine = (
                    f"{service.package}.main" in command
                    and f"{service.prefix}HTTP_PORT={self.layout.api_port(service)}\0".encode() in (folder / "environ").read_bytes()
                )
                if mine:
                    line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("VmRSS"))
                    total += int(line.split()[1]) // 1024
            except (OSError, StopIteration):
                continue
        return total


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    collector = Collector()
    traces = {f"{service.prefix}TRACES_URL": collector.url for service in SERVICES}
    with closing(collector), own_stack(**traces) as own:
        own.must("demo", "--people", "600", "--keep")
        layout = own.demo
        services = {service.name: layout.url(service.name) for service in SERVICES}
        documents = {name: httpx.get(f"{url}/openapi.json", timeout=60).json() for name, url in services.items()}
        known = json.loads((layout.secrets / "issuer.json").read_text(encoding="utf-8"))
        runner = Runner(services, layout.url("issuer"), layout.url("partner"), known["users"], known["clients"], documents)
        yield World(layout, runner, collector)
        for log in sorted(layout.logs.glob("*.log")):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
                if '"http.defect"' in line or '"job.failed"' in line or '"worker.loop_failed"' in line:
                    print(log.name, line[-900:])


def by_trace(spans: list[Kept]) -> dict[str, list[Kept]]:
    found: dict[str, list[Kept]] = defaultdict(list)
    for span in spans:
        found[span.trace].append(span)
    return found


PAID = {
    ("disbursement api", "POST /v1/cycles/{cycle_id}/approve"),
    ("disbursement api", "payments move"),
    ("disbursement worker", "batch send"),
    ("disbursement worker", "POST 127.0.0.1"),
    ("disbursement worker", "payments move"),
    ("reporting worker", "apply reporting"),
}


@pytest.mark.promise("running.one-trace")
def test_one_payment_is_one_trace_over_the_processes(world: World) -> None:
    def whole() -> bool:
        return any({(span.process, span.name) for span in spans} >= PAID for spans in by_trace(list(world.collector.spans)).values())

    try:
        wait_for(whole, 30, "the trace")
    except TimeoutError:
        best = max(by_trace(world.collector.spans).values(), key=lambda spans: len(PAID & {(span.process, span.name) for span in spans}))
        pytest.fail(f"only {sorted({(span.process, span.name) for span in best})}")
    traces = by_trace(list(world.collector.spans))
    paid = next(spans for spans in traces.values() if {(span.process, span.name) for span in spans} >= PAID)
    known = {span.span for span in paid}
    roots = [span for span in paid if span.parent not in known]
    assert [span.name for span in roots] == ["POST /v1/cycles/{cycle_id}/approve"], "everything is led to by the approval"
    assert "SETTLED" in {span.said.get("ansinh.status") for span in paid}, "what the bank's notice led to is in it"
    assert {name for span in world.collector.spans for name in span.said} <= ATTRIBUTES


@pytest.mark.promise("running.one-trace")
def test_from_one_payments_trace_every_service_is_reached(world: World) -> None:
    """The trace and its links, and nothing else: registry, verification and accounts say how the payment came to be."""
    wanted = {service.name for service in SERVICES}

    def reached(payment: str) -> set[str]:
        traces = by_trace(list(world.collector.spans))
        near = {payment} | {trace for span in traces[payment] for trace in span.links}
        return {span.process.split()[0] for trace in near for span in traces.get(trace, [])}

    def sent() -> list[Kept]:
        return [span for span in list(world.collector.spans) if span.name == "batch send"]

    wait_for(lambda: bool(sent()) and all(reached(span.trace) == wanted for span in sent()), 30, "the services of every batch's trace")
    wait_for(lambda: any(span.links for span in world.collector.spans if span.name == "job compute-list"), 30, "the list's links")
    assert max(len(span.links) for span in world.collector.spans) <= LINKS_AT_MOST
    disbursement, auditor = world.layout.url("disbursement"), {"Authorization": f"Bearer {world.runner.token('auditor')}"}
    traces = by_trace(list(world.collector.spans))
    for payment in httpx.get(f"{disbursement}/v1/payments?limit=20", headers=auditor).json()["items"]:
        told = httpx.get(f"{disbursement}/v1/payments/{payment['payment_id']}/timeline", headers=auditor).json()["traces"]
        assert told[0] in {span.trace for span in sent()}, "its own trace comes first"
        assert {span.process.split()[0] for trace in told for span in traces.get(trace, [])} == wanted


def matrix(service: str) -> Iterator[dict[str, str]]:
    with (ROOT / "tests/security/matrix" / f"{service}.csv").open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def request_of(world: World, service: str, name: str) -> tuple[str, dict[str, Any]] | str:
    """Address and parts of an operation's example, with ids of objects that are there; or why there is none."""
    runner, operation = world.runner, world.runner.operation(service, name)
    why = "nobody fits"
    for user in runner.fitting(operation)[:5]:
        try:
            found = runner._values(service, operation, user, 0, {})
        except Unresolved as error:
            why = str(error)
            continue
        path = name.split(" ", 1)[1]
        query: dict[str, Any] = {}
        headers: dict[str, str] = {}
        for parameter in operation.get("parameters", []):
            value = found.get(parameter["name"], parameter.get("example"))
            value = next(iter(parameter.get("schema", {}).get("examples", [])), None) if value is None else value
            if value is None or value == "…":
                continue
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", str(value))
            else:
                (query if parameter["in"] == "query" else headers)[parameter["name"]] = value if parameter["in"] == "query" else str(value)
        if "{" in path:
            return "no id"
        body = runner._body(operation, found)
        headers |= body.pop("headers", {})
        return path, {"params": query, "headers": headers, "user": user, **body}
    return why


#: End of the path → why somebody of another unit may come there: it is no unit's, or everybody's below the unit that made it.
OTHERWISE: dict[str, str] = {
    "/v1/groups/requests/": "the catalogue of groups is the province's",
    "/v1/change-requests/": "accounts: the directory of banks and wallets is the province's",
}
#: What a unit above has made is there for those below, but for nobody of another province.
FROM_ABOVE = ("/v1/surveys/", "/v1/campaigns/", "/v1/targets/", "/v1/obstacles/")
#: Those who look after the whole platform.
EVERYWHERE = {"/v1/jobs/": {"OPERATOR", "AUDITOR"}, "/v1/clients/": {"OPERATOR"}}


@pytest.mark.promise("running.rights")
@pytest.mark.parametrize("service", ["registry", "identity-verify", "accounts", "reporting"])
def test_the_object_of_another_unit_is_not_there(world: World, service: str) -> None:
    wrong, seen, none = {}, 0, {}
    rows = sorted((row for row in matrix(service) if row["other"] == "404"), key=lambda row: row["method"] != "GET")
    documented = dict(world.runner.operations(service))
    for row in rows:
        name = f"{row['method']} {row['path']}"
        if name not in documented:
            continue
        asked = request_of(world, service, name)
        if isinstance(asked, str):
            none[name] = asked
            continue
        path, parts = asked
        user = parts.pop("user")
        hidden = {"PARTNER"}.union(*(these for start, these in EVERYWHERE.items() if row["path"].startswith(start)))
        roles = [role for role in documented[name]["x-required-roles"] if role not in hidden]
        unit = ANOTHER_PROVINCE if row["path"].startswith(FROM_ABOVE) else ANOTHER_DISTRICT
        if row["path"].startswith(tuple(OTHERWISE)):
            continue
        if row["method"] == "GET":  # else its 404 would show nothing
            own = world.runner.http.get(
                world.runner.services[service] + path, params=parts["params"],
                headers=parts["headers"] | {"Authorization": f"Bearer {world.runner.token(user)}"},
            )  # fmt: skip
            if own.status_code == 404:
                none[name] = "not there for its own unit either"
                continue
        parts["headers"] = parts["headers"] | {"Authorization": f"Bearer {world.stranger(roles, unit)}"}
        got = world.runner.http.request(row["method"], world.runner.services[service] + path, **parts)
        seen += 1
        if got.status_code != 404:
            wrong[name] = f"{got.status_code} {got.text[:200]}"
    print(f"{service}: {seen} tried, no object for {len(none)}: {json.dumps(none, ensure_ascii=False)[:3000]}")
    assert not wrong, "\n".join(f"{name}: {why}" for name, why in wrong.items())
    assert len(none) <= seen / 2 + 3, none


@pytest.mark.promise("running.hostile-input")
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_hostile_files_are_refused_soon_and_leave_nothing(world: World, service: Service) -> None:
    runner = world.runner
    if service.name == "reporting":
        assert not any("multipart/form-data" in op.get("requestBody", {}).get("content", {}) for _, op in runner.operations("reporting"))
        return
    wrong: list[str] = []
    before = world.memory(service)
    made = {name: kind[2](b"a,b\n1,2\n") for name, kind in FILES.items()}
    routes = [
        (name, op) for name, op in runner.operations(service.name) if "multipart/form-data" in op.get("requestBody", {}).get("content", {})
    ]
    assert routes
    taken = 0
    for name, _ in routes:
        asked = request_of(world, service.name, name)
        if isinstance(asked, str):
            wrong.append(f"{name}: no example to spoil: {asked[:200]}")
            continue
        path, parts = asked
        user, example = parts["user"], parts["files"]["file"][1]
        for kind, (file_name, media, make) in FILES.items():
            content = make(example) if media == "text/csv" else made[kind]
            headers = parts["headers"] | {"Authorization": f"Bearer {runner.token(user)}"}
            if "Idempotency-Key" in headers:
                headers["Idempotency-Key"] = f"{runner.seed}-{len(wrong)}-{taken}-{kind}"[:80].replace(" ", "-")
            wait_for(lambda: no_jobs(world, service), 60, "the jobs of what was taken")
            rows, started = world.rows(service), time.monotonic()
            answer = runner.http.post(
                runner.services[service.name] + path, params=parts["params"], data=parts["data"], headers=headers,
                files={"file": (file_name, content, media)},
            )  # fmt: skip
            took, told = time.monotonic() - started, f"{name} ← {kind}: {answer.status_code} {answer.text[:160]}"
            taken += 1
            if took > SECONDS:
                wrong.append(f"{told}: {took:.1f} s")
            if answer.status_code >= 500:
                wrong.append(told)
            elif answer.status_code >= 400:
                if answer.headers["content-type"] != "application/problem+json" or "title_vi" not in answer.json():
                    wrong.append(f"{told}: no problem")
                grown = {table: count for table, count in world.rows(service).items() if count > rows.get(table, 0)}
                if grown:
                    wrong.append(f"{told}: left {sorted(grown)}")
    wait_for(lambda: no_jobs(world, service), 60, "the jobs of what was taken")
    for port in (world.layout.api_port(service), world.layout.worker_port(service)):
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
    more = world.memory(service) - before
    print(f"{service.name}: {len(routes)} routes, {taken} files, {more} MiB more")
    assert not wrong, "\n".join(wrong)
    assert more < GROWTH_MIB


def no_jobs(world: World, service: Service) -> bool:
    """Whether every job has ended."""
    url = f"{world.runner.services[service.name]}/v1/quiet"
    waiting = httpx.get(url, headers={"Authorization": f"Bearer {world.runner.token('operator')}"}).json()["waiting"]
    return bool(waiting["jobs_active"] == 0)
