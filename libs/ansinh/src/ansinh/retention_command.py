"""`./ansinh retention`: the rules by which rows are deleted, and how many each would take now. Nothing is changed by looking."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import psycopg

from ansinh.audit_command import addresses
from ansinh.stack.layout import SERVICES
from common.housekeeping import RULES, counting, days_of

__all__ = ["run"]

_UNAVAILABLE = 69


def run(options: Namespace, say: Callable[[str], None]) -> int:
    """A dry run over all services."""
    dsns = addresses(options.service, say)
    if not dsns:
        say("nothing runs here, and not every <SERVICE>_OWNER_DATABASE_URL is set")
        return _UNAVAILABLE
    told: list[dict[str, Any]] = []
    for service in SERVICES:
        if service.name not in dsns:
            continue
        window = int(os.environ.get(f"{service.prefix}REPLAY_WINDOW_DAYS") or 14)
        days = json.loads(os.environ.get(f"{service.prefix}RETENTION_DAYS") or "{}")
        with psycopg.connect(dsns[service.name], connect_timeout=10) as connection:
            for rule in RULES:
                kept = days_of(rule, window, days)
                row = connection.execute(counting(rule).encode(), (kept,)).fetchone()
                due = int(row[0]) if row else 0
                told.append({"service": service.name, "table": rule.table, "since": rule.since, "days": kept, "due": due, "why": rule.why})
                say(f"{service.name:<16} {rule.table:<16} {kept:>4} days after {rule.since:<13} {due:>9,} rows due   {rule.why}")
    if options.json is not None:
        options.json.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0
