"""`./ansinh audit verify|anchors`: the audit logs read against their chains, and the heads of the chains to keep elsewhere."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from ansinh.stack.commands import running_layout
from ansinh.stack.control import holder
from ansinh.stack.embedded import Embedded
from ansinh.stack.layout import SERVICES
from common.audit_chain import Anchor, read_anchors, verify

__all__ = ["addresses", "run"]

Say = Callable[[str], None]
_BROKEN, _UNAVAILABLE = 1, 69
_WORDS = {
    "changed": "rows whose content is no longer what was sealed",
    "removed": "sealed rows that are gone",
    "inserted": "rows that were never given to the sealer",
    "unsealed": "rows that have waited for the sealer too long: until they are sealed they can be altered unseen",
    "back_dated": "rows dated well before what was sealed before them",
    "post_dated": "rows dated well after they were sealed",
    "chain_gap": "links missing from the chain",
    "chain_broken": "links that do not follow the one before (removed, reordered or rewritten)",
    "anchor_missing": "anchors beyond the end of the chain: the tail was cut off",
    "anchor_differs": "anchors that contradict the chain: it was written anew",
}


def addresses(only: str | None, say: Say) -> dict[str, str]:
    """Each service's database: from `<SERVICE>_OWNER_DATABASE_URL`, else of the stack that runs here; none: empty. Raises ValueError."""
    wanted = [service for service in SERVICES if only in (None, service.name)]
    if not wanted:
        raise ValueError(f"no service {only!r}; there are: {', '.join(service.name for service in SERVICES)}")
    given = {service.name: os.environ.get(f"{service.prefix}OWNER_DATABASE_URL") for service in wanted}
    found = {name: url.replace("postgresql+psycopg://", "postgresql://", 1) for name, url in given.items() if url}
    if len(found) < len(wanted):
        layout = running_layout()
        if not layout.run.exists() or holder(layout) is None:
            return {}
        running = Embedded(layout, say).dsns
        found = {service.name: found.get(service.name) or running[service.name] for service in wanted}
    return found


def _verify(dsns: Mapping[str, str], anchors: list[Anchor], say: Say, json_path: Path | None) -> int:
    verdicts = [verify(dsn, name, anchors) for name, dsn in dsns.items()]
    for verdict in verdicts:
        state = "whole" if verdict.whole else "NOT WHOLE"
        say(f"{verdict.service:<16} {state:<10} {verdict.rows:>10,} rows sealed, {verdict.waiting} waiting, {verdict.anchors} anchors read")
        for kind, count in verdict.counts.items():
            say(f"{'':<16} {count} {_WORDS[kind]}")
        for problem in verdict.problems:
            say(f"{'':<16} {json.dumps(problem, ensure_ascii=False)}")
    whole = all(verdict.whole for verdict in verdicts)
    if json_path is not None:
        told = {"whole": whole, "services": [verdict.shown() for verdict in verdicts]}
        json_path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if whole else _BROKEN


def _anchors(dsns: Mapping[str, str], out: Path | None, say: Say) -> int:
    lines = []
    for name, dsn in dsns.items():
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            rows = connection.execute("SELECT position, encode(chain_digest, 'hex'), at FROM audit_anchor ORDER BY position").fetchall()
            lines += [json.dumps(Anchor(name, row[0], row[1], row[2].isoformat()).shown()) for row in rows]
    if out is None:
        sys.stdout.writelines(line + "\n" for line in lines)
        return 0
    known = set(out.read_text(encoding="utf-8").splitlines()) if out.exists() else set()
    new = [line for line in lines if line not in known]
    with out.open("a", encoding="utf-8") as handle:
        handle.writelines(line + "\n" for line in new)
    say(f"{len(new)} new anchors in {out}: keep it where nobody who runs the databases can write")
    return 0


def run(options: Namespace, say: Say) -> int:
    """Carry out the verb; 0 when every log is whole."""
    dsns = addresses(options.service, say)
    if not dsns:
        say("nothing runs here, and not every <SERVICE>_OWNER_DATABASE_URL is set")
        return _UNAVAILABLE
    if options.what == "anchors":
        return _anchors(dsns, options.anchors, say)
    anchors = read_anchors(options.anchors.read_text(encoding="utf-8").splitlines()) if options.anchors else []
    return _verify(dsns, anchors, say, options.json)
