"""`./ansinh keys rotate|status`: new keys for what lies encrypted, and for what travels sealed in events, while the services serve."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ansinh.audit_command import addresses
from ansinh.stack.commands import running_layout
from ansinh.stack.layout import SERVICES, Service
from common.sealing import FOLLOW_SECONDS, generate_key

__all__ = ["add_event_keys", "add_key", "retire", "run"]

Say = Callable[[str], None]
_FAILED, _UNAVAILABLE = 1, 69
_FOLLOWED: Final = FOLLOW_SECONDS + 1.0


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


def _rotate(files: Mapping[str, Path], dsns: Mapping[str, str], say: Say) -> int:
    wanted = [service for service in SERVICES if service.name in dsns]
    for service in wanted:
        say(f"{service.name:<16} seals with {add_key(files[service.name])}")
    time.sleep(_FOLLOWED)  # until every process has looked at its file
    for service in wanted:
        keep = _reseal(service, files[service.name], dsns[service.name], say)
        gone = retire(files[service.name], keep)
        say(f"{service.name:<16} retired: {', '.join(gone) or 'none'}")
    return 0


def _status(files: Mapping[str, Path], say: Say) -> int:
    for name, path in files.items():
        keys = _read(path)
        events = ", ".join(f"{consumer} {'/'.join(ring)}" for consumer, ring in keys.get("event", {}).items())
        say(f"{name:<16} at rest {'/'.join(keys['at_rest'])}; events for {events}")
    return 0


def run(options: Namespace, say: Say) -> int:
    """Carry out the verb; 0 when done."""
    files = _files()
    missing = [str(path) for path in files.values() if not path.exists()]
    if missing:
        say(f"no keyring here: {', '.join(missing)}")
        return _UNAVAILABLE
    if options.what == "status":
        return _status(files, say)
    if options.events:
        for consumer, kid in add_event_keys(files).items():
            say(f"{consumer:<16} events for it are sealed with {kid}; older keys stay, to open what was sealed before")
        return 0
    dsns = addresses(options.service, say)
    if not dsns:
        say("nothing runs here, and not every <SERVICE>_OWNER_DATABASE_URL is set")
        return _UNAVAILABLE
    try:
        return _rotate(files, dsns, say)
    except RuntimeError as error:
        say(str(error))
        return _FAILED
