"""`./ansinh keys rotate|retire|status`: new keys for what lies encrypted or travels sealed in events, while the services serve."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from ansinh.audit_command import addresses
from ansinh.stack.commands import running_layout
from ansinh.stack.layout import SERVICES, Service
from common.erasure_keys import WAITING
from common.rekey import wait_for_older
from common.sealing import FOLLOW_SECONDS, generate_key, lookup_key

__all__ = ["add_event_keys", "add_key", "holders", "retire", "retire_event_keys", "rotate", "run"]

Say = Callable[[str], None]
_FAILED, _UNAVAILABLE = 1, 69
_FOLLOWED: Final = FOLLOW_SECONDS + 1.0
_IN_HAND: Final = 60.0
"""Longest time between a process' reading a token and opening it, and between its encrypting a value and its transaction's begin: an old
key goes so long after the new one seals everywhere, and after one more look."""


def _files() -> dict[str, Path]:
    """Keyring file of each service: `<SERVICE>_KEYS_FILE`, else that of the stack here."""
    folder = running_layout().secrets
    return {each.name: Path(os.environ.get(f"{each.prefix}KEYS_FILE") or folder / f"keys-{each.name}.json") for each in SERVICES}


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, keys: Mapping[str, Any]) -> None:
    """At once and whole, readable by whom the old file was readable."""
    mode, owner = path.stat().st_mode & 0o777, path.stat()
    partial = path.with_suffix(".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(keys, handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())
    if os.geteuid() == 0:
        os.chown(partial, owner.st_uid, owner.st_gid)
    partial.replace(path)


def _new_id() -> str:
    return f"k{time.strftime('%Y%m%d')}-{secrets.token_hex(2)}"


def add_key(path: Path) -> str:
    """A new at-rest key, which seals from now on. One that waits for an unfinished rotation is taken on."""
    keys = _read(path)
    if len(keys["at_rest"]) == 1:
        keys["at_rest"][_new_id()] = generate_key()
        _write(path, keys)
    return str(list(keys["at_rest"])[-1])


def retire(path: Path, keep: str) -> list[str]:
    """Take every at-rest key but one out of the file; which."""
    keys = _read(path)
    gone = [kid for kid in keys["at_rest"] if kid != keep]
    keys["at_rest"] = {keep: keys["at_rest"][keep]}
    _write(path, keys)
    return gone


def add_event_keys(files: Mapping[str, Path]) -> dict[str, str]:
    """A new event key for each consuming service: first where it is opened, then where it seals. The old ones stay, to open."""
    made = {}
    for consumer, own in files.items():
        kid, key = _new_id(), generate_key()
        for path in [own, *(path for name, path in files.items() if name != consumer)]:
            keys = _read(path)
            if consumer in keys.get("event", {}):
                keys["event"][consumer][kid] = key
                _write(path, keys)
        made[consumer] = kid
    return made


def _reseal(service: Service, path: Path, dsn: str, say: Say) -> str:
    """Run the service's own `reseal` to its end, shown line by line; the key everything lies under then. Raises RuntimeError."""
    url = dsn.replace("postgresql://", "postgresql+psycopg://", 1)
    names = {"ENVIRONMENT": "development", "DATABASE_URL": url, "OWNER_DATABASE_URL": url, "KEYS_FILE": str(path)}
    env = {**os.environ, **{service.prefix + name: value for name, value in names.items()}, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-P", "-m", f"{service.package}.main", "reseal"]
    last: dict[str, Any] = {}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            last = json.loads(line)
            if "table" in last:
                say(f"{service.name:<16} {last['table']}.{last['column']}: {last['resealed']:,}")
    if child.returncode != 0 or "key" not in last:
        raise RuntimeError(f"{service.name}: not everything could be sealed again; no key was retired, start again to go on")
    say(f"{service.name:<16} {last['resealed']:,} values now under {last['key']}")
    return str(last["key"])


def rotate(files: Mapping[str, Path], dsns: Mapping[str, str], say: Say, *, in_hand: float = _IN_HAND) -> int:
    """New at-rest keys; the old ones go when nothing lies under them, nor can come to: `in_hand` seconds after the new ones seal, and one
    more pass. A value may have been encrypted before its transaction began, and no transaction that could be waited for knows of it."""
    wanted = [service for service in SERVICES if service.name in dsns]
    for service in wanted:
        say(f"{service.name:<16} seals with {add_key(files[service.name])}")
    time.sleep(_FOLLOWED)  # until every process has looked at its file
    begun = time.monotonic()
    for service in wanted:
        _reseal(service, files[service.name], dsns[service.name], say)
    if (left := begun + in_hand - time.monotonic()) > 0:
        say(f"waiting {left:.0f} s for what processes have in hand")
        time.sleep(left)
    for service in wanted:
        keep = _reseal(service, files[service.name], dsns[service.name], say)
        gone = retire(files[service.name], keep)
        say(f"{service.name:<16} retired: {', '.join(gone) or 'none'}")
    return 0


_TEXTS: Final = (
    "SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    " AND a.atttypid IN ('text'::regtype, 'jsonb'::regtype, 'json'::regtype, 'text[]'::regtype) AND c.relname <> 'outbox'"
    " AND c.relname NOT LIKE 'audit%' ORDER BY 1, 2"
)


def _counted(connection: psycopg.Connection[Any], table: str, column: str, kid: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE strpos(CAST({} AS text), {}) > 0")
    row = connection.execute(query.format(sql.Identifier(table), sql.Identifier(column), f"v1:{kid}:")).fetchone()
    return int(row[0]) if row else 0


def holders(dsns: Mapping[str, str], consumer: str, kid: str) -> list[str]:
    """Where something under an event key of `consumer` may still have to be opened: its own tables, everybody's outboxes, parked events."""
    found = []
    for name, dsn in dsns.items():
        with psycopg.connect(dsn, connect_timeout=10, autocommit=True) as connection:
            wait_for_older(connection)
            if count := _counted(connection, "outbox", "body", kid):
                found.append(f"{name}: {count:,} events of the replay window")
            if name != consumer:
                continue
            row = connection.execute("SELECT count(*) FROM parked_event WHERE replayed_at IS NULL").fetchone()
            if row and row[0]:
                found.append(f"{name}: {row[0]:,} parked events, whose bodies cannot be looked into")
            for table, column in connection.execute(_TEXTS).fetchall():
                if count := _counted(connection, table, column, kid):
                    found.append(f"{name}: {count:,} values of {table}.{column}")
    return found


def retire_event_keys(files: Mapping[str, Path], consumer: str, kids: Sequence[str]) -> None:
    """Destroy event keys of a consumer: out of every keyring. Its own keeps the keys of lookups, which open nothing."""
    own = _read(files[consumer])
    for kid in kids:
        own.setdefault("lookup", {})[kid] = base64.b64encode(lookup_key(own["event"][consumer][kid])).decode()
        del own["event"][consumer][kid]
    _write(files[consumer], own)
    for path in (path for name, path in files.items() if name != consumer):
        keys = _read(path)
        ring = keys.get("event", {}).get(consumer, {})
        if set(kids) & set(ring):
            keys["event"][consumer] = {kid: key for kid, key in ring.items() if kid not in kids}
            _write(path, keys)


def _retire(files: Mapping[str, Path], dsns: Mapping[str, str], only: str | None, say: Say) -> int:
    time.sleep(_FOLLOWED)  # until nobody seals with an older key any more
    free: dict[str, list[str]] = {}
    for service in SERVICES:
        name = service.name
        older = list(_read(files[name]).get("event", {}).get(name, {}))[:-1]
        if only not in (None, name) or not older:
            continue
        _reseal(service, files[name], dsns[name], say)
        for kid in older:
            held = holders(dsns, name, kid)
            for place in held:
                say(f"{name:<16} event key {kid} stays: {place}")
            if not held:
                free.setdefault(name, []).append(kid)
    if free:
        say(f"waiting {_IN_HAND:.0f} s for what processes have in hand")
        time.sleep(_IN_HAND)
    destroyed = False
    for name, kids in free.items():
        _reseal(next(service for service in SERVICES if service.name == name), files[name], dsns[name], say)
        gone = [kid for kid in kids if not holders(dsns, name, kid)]  # something in hand may have been put into a table meanwhile
        retire_event_keys(files, name, gone)
        say(f"{name:<16} event keys destroyed: {', '.join(gone) or 'none'}")
        destroyed = destroyed or bool(gone)
    if not destroyed:
        say("no event key could be destroyed")
    return 0


def _waiting(dsns: Mapping[str, str], say: Say) -> None:
    for name, dsn in dsns.items():
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            row = connection.execute(WAITING.encode()).fetchone()
        if row is not None and row[0]:
            say(f"{name:<16} {row[0]} erasures wait for the keys of their day to be destroyed, since {row[1]:%Y-%m-%d}; due on {row[2]}")
        else:
            say(f"{name:<16} no erasure waits for a key to be destroyed")


def _status(files: Mapping[str, Path], say: Say) -> None:
    for name, path in files.items():
        keys = _read(path)
        events = ", ".join(f"{consumer} {'/'.join(ring)}" for consumer, ring in keys.get("event", {}).items())
        say(f"{name:<16} at rest {'/'.join(keys['at_rest'])}; events for {events}")


def run(options: Namespace, say: Say) -> int:
    """Carry out the verb; 0 when done."""
    files = _files()
    missing = [str(path) for path in files.values() if not path.exists()]
    if missing:
        say(f"no keyring here: {', '.join(missing)}")
        return _UNAVAILABLE
    if options.what == "status":
        _status(files, say)
        _waiting(addresses(options.service, say), say)
        return 0
    if options.events:
        for consumer, kid in add_event_keys(files).items():
            say(f"{consumer:<16} events for it are sealed with {kid}; older keys stay, to open what was sealed before")
        return 0
    dsns = addresses(None if options.what == "retire" else options.service, say)
    if not dsns:
        say("nothing runs here, and not every <SERVICE>_OWNER_DATABASE_URL is set")
        return _UNAVAILABLE
    try:
        if options.what == "retire":
            return _retire(files, dsns, options.service, say)
        return rotate(files, dsns, say)
    except RuntimeError as error:
        say(str(error))
        return _FAILED
