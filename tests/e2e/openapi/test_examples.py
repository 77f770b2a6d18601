"""Every operation's worked example, sent by a fitting officer to a small demo stack; the documents' commands on the same stack.

An operation that cannot succeed on sample data says why in its own document (`x-example-cannot`), and the refusal its example must get
(`x-example-refused`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from example_runner import Runner

from ansinh.stack.layout import SERVICES, Layout
from ansinh.testing import own_stack

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(1_500), pytest.mark.xdist_group("embedded-stack")]
REFUSED_AT_MOST = 46  # operations of whose case the sample province has none: each names its refusal
SEED = os.environ.get("EXAMPLES_SEED", "")
"""Another seed makes other people: what an example finds must not hang on who they are."""


@pytest.fixture(scope="module")
def layout() -> Iterator[Layout]:
    with own_stack() as own:
        own.must("demo", "--people", "2000", "--keep", *(("--seed", SEED) if SEED else ()))
        yield own.demo


def users_of(layout: Layout) -> dict[str, dict[str, dict[str, object]]]:
    found: dict[str, dict[str, dict[str, object]]] = json.loads((layout.secrets / "issuer.json").read_text(encoding="utf-8"))
    return found


def test_the_training_stack_says_so(layout: Layout) -> None:
    settings = httpx.get(f"{layout.url('reporting')}/console/settings.json").json()
    assert settings["training"] is True


def test_every_group_of_operations_has_its_vietnamese_name(layout: Layout) -> None:
    words = (ROOT / "services/reporting/src/reporting/console/texts.js").read_text(encoding="utf-8")
    named = {one or other for one, other in re.findall(r'(?:"([\w -]+)"|\b(\w+)): "', words.split("GROUPS = {")[1].split("};")[0])}
    used = {
        tag
        for service in SERVICES
        for verbs in httpx.get(f"{layout.url(service.name)}/openapi.json", timeout=60).json()["paths"].values()
        for operation in verbs.values()
        for tag in operation.get("tags", ())
    }
    assert used == named


def test_every_example_succeeds(layout: Layout) -> None:
    services = {service.name: layout.url(service.name) for service in SERVICES}
    documents = {name: httpx.get(f"{url}/openapi.json", timeout=60).json() for name, url in services.items()}
    known = users_of(layout)
    runner = Runner(services, layout.url("issuer"), layout.url("partner"), known["users"], known["clients"], documents)
    failed, refused, sent = {}, [], 0
    for service in services:
        # Reads first: they find what the sample put there.
        for name, operation in sorted(runner.operations(service), key=lambda each: not each[0].startswith("GET")):
            ran = runner.run(service, name)
            sent += 1
            if wanted := operation.get("x-example-refused"):
                refused.append(f"{service} {name}")
                good = not ran.good and ran.told() == wanted
            else:
                good = ran.good
            if not good:
                failed[f"{service} {name}"] = f"{ran.status} as {ran.user}, wanted {wanted or 'success'}: {ran.said[:200]}"
    assert not failed, f"seed {runner.seed}, {sent} sent:\n" + "\n".join(f"{name}: {why}" for name, why in failed.items())
    assert len(refused) <= REFUSED_AT_MOST, refused


@pytest.mark.parametrize(
    "page", sorted([*(ROOT / "docs/integrate").glob("*.md"), *(ROOT / "docs/partner").glob("*.md")]), ids=lambda page: page.name
)
def test_commands_in_the_documents_run(layout: Layout, page: Path, tmp_path: Path) -> None:
    blocks = [part.split("```", 1)[0] for part in page.read_text(encoding="utf-8").split("```bash\n")[1:]]
    if not blocks:
        pytest.skip("no commands")
    known = users_of(layout)
    env = {
        **os.environ,
        "ISSUER": layout.url("issuer"),
        "PARTNER_SIMULATOR": layout.url("partner"),
        "CLIENT_SECRET": str(known["clients"]["integrator"]["secret"]),
        "OFFICER_PASSWORD": str(known["users"]["department.officer"]["password"]),
        "PARTNERS_FILE": str(layout.secrets / "partners.json"),
        **{service.prefix.rstrip("_"): layout.url(service.name) for service in SERVICES},
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
