"""`./ansinh retention`: the rules by which rows are deleted, and how many each would take now. Nothing is changed by looking."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import psycopg

from ansinh.audit_command import addresses
from ansinh.stack.layout import SERVICES
from common.housekeeping import RULES, counting, days_of
from common.retention import TERMS, Keep, due, term_of

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
                count = int(row[0]) if row else 0
                told.append(
                    {"service": service.name, "table": rule.table, "since": rule.since, "days": kept, "due": count, "why": rule.why}
                )
                say(f"{service.name:<16} {rule.table:<16} {kept:>4} days after {rule.since:<13} {count:>9,} rows due   {rule.why}")
            told += _own(service.name, service.package, connection, say)
    if options.json is not None:
        options.json.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _own(name: str, package: str, connection: psycopg.Connection[Any], say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The service's own rules: those without a term say what has to be decided."""
    command = [sys.executable, "-P", "-m", f"{package}.storage.personal_data"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    rules = [Keep(**rule) for rule in said]
    terms = {str(rule): (int(days), str(source)) for rule, days, source in connection.execute(TERMS).fetchall()}
    told: list[dict[str, Any]] = []
    for rule in rules:
        days = term_of(rule, {code: term[0] for code, term in terms.items()})
        source = terms[rule.name][1] if rule.name in terms else rule.law
        row = None
        if days is not None:
            row = connection.execute(f"SELECT count(*) FROM {rule.table} t WHERE {due(rule, '%s')}".encode(), (days,)).fetchone()
        count = int(row[0]) if row else 0
        told.append({"service": name, "rule": rule.name, "table": rule.table, "days": days, "due": count, "law": source})
        term = "no term" if days is None else f"{days:>5} days"
        say(f"{name:<16} {rule.name:<22} {term:<10} {count:>9,} rows due   {source if days is not None else rule.question_vi}")
    return told
