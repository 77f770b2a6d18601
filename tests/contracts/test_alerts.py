"""Alert rules, runbooks and dashboards against the code: every metric, label, invariant, route and log line they name exists."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from ansinh.bootstrap import ROOT
from ansinh.stack.layout import SERVICES
from common.invariants import MECHANISMS, Invariant
from disbursement.usecases.payment_loops import payment_loops

RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
SCRAPED: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
BOOKS = ROOT / "docs" / "operate" / "runbooks"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
GIVEN_BY_SCRAPING = {"job", "process", "instance", "le"}


def invariants() -> dict[str, Invariant]:
    """Of all services, by name."""
    own = (importlib.import_module(f"{service.package}.storage.invariants").INVARIANTS for service in SERVICES)
    return {invariant.name: invariant for found in (MECHANISMS, *own) for invariant in found}


def metrics() -> dict[str, set[str]]:
    """Name as Prometheus sees it → labels."""
    for service in SERVICES:
        importlib.import_module(f"{service.package}.main")
    importlib.import_module("common.worker")
    found = {}
    for collector in set(REGISTRY._collector_to_names):
        if isinstance(collector, MetricWrapperBase):
            for name in REGISTRY._collector_to_names[collector]:
                found[name] = set(collector._labelnames)
    return found


def problems_of(expression: str, known: dict[str, set[str]]) -> Iterator[str]:
    """What is wrong with a PromQL expression, as far as can be seen without Prometheus."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    for opening, closing in ("()", "{}", "[]"):
        if bare.count(opening) != bare.count(closing):
            yield f"{opening}{closing} do not match"
    named = set(re.findall(r"\bansinh_\w+", bare))
    if not named and not re.search(r"\bup\b", bare):
        yield "names no metric"
    labels: set[str] = set(GIVEN_BY_SCRAPING)
    for name in named:
        if name not in known:
            yield f"{name} is no metric of ours"
        labels |= known.get(name, set())
    used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", bare))
    used |= {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", bare) for label in group.split(",")}
    yield from (f"label {label} is on none of its metrics" for label in used - labels)


def test_every_alert_is_whole_and_names_what_exists() -> None:
    known = metrics()
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert re.fullmatch(r"\d+[smh]", rule["for"]), rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert not list(problems_of(rule["expr"], known)), (rule["alert"], list(problems_of(rule["expr"], known)))
        assert (ROOT / rule["annotations"]["runbook"]).is_file(), rule["alert"]
        assert rule["annotations"]["summary"]


def test_no_alert_misses_the_first_time() -> None:
    """A series that is born with its first occurrence never grew: `increase()` is for what is there from the start."""
    known = metrics()
    payment_loops(Namespace(lanes=["a-partner"], idle_seconds=1.0, db=None))  # type: ignore[arg-type]
    born = {metric.name for metric in REGISTRY.collect() if metric.samples}
    for rule in ALERTS:
        for name in re.findall(r"(?:increase|delta)\((ansinh_\w+)", rule["expr"]):
            assert not known[name] or name.removesuffix("_total") in born, rule["alert"]


def test_what_a_wrong_expression_would_be_told() -> None:
    known = metrics()
    assert list(problems_of("sum(rate(ansinh_no_such_total[5m])", known)) == [
        "() do not match",
        "ansinh_no_such_total is no metric of ours",
    ]
    assert list(problems_of("sum by (colour) (ansinh_waiting) > 1", known)) == ["label colour is on none of its metrics"]


def test_every_invariant_has_its_alert_and_every_runbook_an_alert() -> None:
    alerted = {found[1]: rule for rule in ALERTS if (found := re.search(r'ansinh_invariant_offenders\{name="(\w+)"\}', rule["expr"]))}
    assert alerted.keys() == invariants().keys()
    assert {rule["annotations"]["runbook"].rpartition("/")[2] for rule in ALERTS} == {page.name for page in BOOKS.glob("*.md")} - {
        "README.md"
    }
    index = (BOOKS / "README.md").read_text(encoding="utf-8")
    assert all(f"[{rule['alert']}](" in index for rule in ALERTS)
    for name, rule in alerted.items():
        page = (ROOT / rule["annotations"]["runbook"]).read_text(encoding="utf-8")
        assert invariants()[name].says in page, name
        assert f"Checked every {invariants()[name].minutes} minutes" in page, name


@pytest.mark.parametrize("page", sorted(BOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_runbooks_name_routes_log_lines_and_pages_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    code = _code()
    for line in re.findall(r"`((?:relay|consumer|http|batch|notices?|outside|invariant|outbox)\.\w+)`", text):
        assert f'"{line}"' in code, line
    for address in re.findall(r"(/v1/[a-z-]+)", text):
        assert address in code or f'"{address.removeprefix("/v1")}' in code, address
    for other in re.findall(r"`(docs/[a-z/-]+\.md)`", text):
        assert (ROOT / other).is_file(), other
    for other in re.findall(r"\]\(([a-z-]+\.md)\)", text):
        assert (BOOKS / other).is_file(), other


def _code() -> str:
    if not _CODE:
        folders = (ROOT / "libs" / "common" / "src", ROOT / "services")
        _CODE.append("\n".join(file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.py")))
    return _CODE[0]


_CODE: list[str] = []


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_dashboards_show_metrics_that_exist(file: Path) -> None:
    board = json.loads(file.read_text(encoding="utf-8"))
    known = metrics()
    assert board["uid"].startswith("ansinh-")
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert panel["datasource"]["uid"] == "prometheus"
        for target in panel["targets"]:
            assert not list(problems_of(target["expr"], known)), (panel["title"], list(problems_of(target["expr"], known)))


def test_compose_scrapes_every_process_and_shows_the_files() -> None:
    scraped = {target for job in SCRAPED["scrape_configs"] for part in job["static_configs"] for target in part["targets"]}
    assert scraped == {f"{service.name}-{kind}:{port}" for service in SERVICES for kind, port in (("api", 8000), ("worker", 8001))}
    for name in ("prometheus", "grafana"):
        service = COMPOSE["services"][name]
        assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
        mounted = [volume.split(":")[0] for volume in service["volumes"] if volume.startswith("./")]
        assert mounted
        assert all((ROOT / path).exists() for path in mounted)
    where = yaml.safe_load((ROOT / "deploy" / "grafana" / "provisioning.yml").read_text(encoding="utf-8"))["providers"][0]["options"][
        "path"
    ]
    assert any(volume.split(":")[1] == where for volume in COMPOSE["services"]["grafana"]["volumes"])
    source = yaml.safe_load((ROOT / "deploy" / "grafana" / "datasource.yml").read_text(encoding="utf-8"))["datasources"][0]
    assert (source["uid"], source["url"]) == ("prometheus", "http://prometheus:9090")
