"""The same edge stands around all five services, and what compose runs is closed as far as it can be."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware

from ansinh.bootstrap import ROOT
from ansinh.stack.layout import SERVICES, Service
from ansinh.stack.secrets import make_keyrings
from common.clients import AccessLog
from common.edge import Edge

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
HEAVIEST = 64 * 1024 * 1024  # a province's list; what is heavier is refused before it is read, by the gateway too


def app_of(service: Service, folder: Path, **given: Any) -> FastAPI:
    keys = folder / service.name
    keys.write_text(json.dumps(make_keyrings()[service.name]), encoding="utf-8")
    kind = importlib.import_module(f"{service.package}.settings").Settings
    given |= {"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none", "keys_file": keys, "environment": "development"}
    needed = {name: "http://127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required() and name not in given}
    app: FastAPI = importlib.import_module(f"{service.package}.main").make_app(kind(**given, **needed))
    return app


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_service_stands_behind_the_same_limits(service: Service, tmp_path: Path) -> None:
    slow = {"person_calls_per_second": 0.05, "person_calls_at_once": 1}
    times = {"request_seconds": 7.0, "body_pause_seconds": 3.0, "requests_at_once": 11}
    app = app_of(service, tmp_path, **times, **slow, cors_origins=["https://console.vn"])
    around: dict[Any, Any] = {each.cls: each.kwargs for each in app.user_middleware}
    order: list[Any] = [each.cls for each in app.user_middleware]
    outside, inside = order[: order.index(Edge)], order[order.index(Edge) + 1 :]
    assert set(outside) - {GZipMiddleware} == {CORSMiddleware}
    assert inside == [AccessLog], "what is refused at the edge costs nothing further in"
    limits = around[Edge]["limits"]
    assert app.state.pace.wait("an") == 0
    assert app.state.pace.wait("an") == 20, "a person's pace, as the settings say"
    assert (limits.request_seconds, limits.chunk_seconds, limits.at_once) == (7.0, 3.0, 11), "as the settings say"
    routers = [getattr(route, "original_router", app) for route in app.routes]
    paths = [route.path for router in routers for route in router.routes if hasattr(route, "path")]
    for prefix, size in limits.bodies.items():
        assert size <= HEAVIEST, prefix
        shape = re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(prefix)))
        assert any(shape.match(path) for path in paths), f"{prefix} leads nowhere"


def of_the_gateway() -> str:
    return (ROOT / "deploy" / "gateway" / "nginx.conf").read_text(encoding="utf-8")


def test_the_gateway_takes_no_more_than_the_services_and_slows_a_flood() -> None:
    found = re.search(r"client_max_body_size (\d+)m;", of_the_gateway())
    assert found
    assert int(found[1]) * 1024 * 1024 == HEAVIEST
    servers = [line for line in of_the_gateway().splitlines() if line.strip().startswith("server {")]
    assert len(servers) == len(SERVICES) + 1, "Keycloak's is the last"
    assert all("limit_req zone=callers" in line for line in servers)
    assert "proxy_request_buffering off;" in of_the_gateway(), "who sends a body is asked before it is taken"
    assert "limit_conn held" in of_the_gateway()
    assert all("location /metrics { return 404; }" in line for line in servers[:-1])


def ours() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, service in COMPOSE["services"].items():
        if "build" in service:
            yield name, service


def test_our_containers_are_read_only_and_may_do_nothing_special() -> None:
    names = {name for name, _ in ours()}
    assert {f"{service.name}-{kind}" for service in SERVICES for kind in ("api", "worker", "migrate")} <= names
    for name, service in ours():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["mem_limit"], name
        assert all("size=" in place for place in service["tmpfs"]), name
        assert not {"privileged", "cap_add", "user", "pid", "network_mode"} & service.keys(), name
        assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ())), name
        if not service.get("profiles"):
            assert all(str(volume).endswith(":ro") for volume in service.get("volumes", ())), f"{name} writes a volume"


def test_the_gateway_is_nobody_special_and_writes_nothing_but_memory() -> None:
    gateway = COMPOSE["services"]["gateway"]
    assert (gateway["user"], gateway["read_only"], gateway["tmpfs"], gateway["cap_drop"]) == ("101:101", True, ["/tmp:size=64m"], ["ALL"])
    written = re.findall(r"^\s*(?:pid|\w+_temp_path) (\S+);", of_the_gateway(), flags=re.MULTILINE)
    assert len(written) == 6
    assert all(path.startswith("/tmp/") for path in written)
    assert min(map(int, re.findall(r"listen (\d+)", of_the_gateway()))) > 1023, "no right is needed to listen"


def test_no_container_gains_rights() -> None:
    for name, service in COMPOSE["services"].items():
        assert "no-new-privileges:true" in service.get("security_opt", ()), name


def test_our_images_end_as_a_user_without_a_name() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    user: dict[str, str] = {}
    stage = ""
    for line in text.splitlines():
        if found := re.match(r"FROM (\S+) AS (\S+)", line):
            stage = found[2]
            user[stage] = user.get(found[1], "root")
        elif found := re.match(r"USER (\S+)", line):
            user[stage] = found[1]
    for name, service in ours():
        assert user[service["build"]["target"]] == "10001", name
    assert user[stage] == "10001", "what is built without a target too"


def test_long_answers_are_ours_and_give_back_what_they_hold() -> None:
    """Starlette's own close what makes them when the garbage is collected."""
    folders = (ROOT / "libs" / "common" / "src", ROOT / "services")
    wrong = [
        file.name
        for folder in folders
        for file in folder.rglob("*.py")
        if re.search(r"from (?:fastapi|starlette)\.responses import .*StreamingResponse", file.read_text(encoding="utf-8"))
    ]
    assert wrong == []
