"""Sealing again under the newest at-rest key what lies in a database under older ones, while the service serves.

Ciphertexts say their key; so what is left to do is found by looking, in binary columns, inside JSON (kept history) and in columns of
tokens that came in events (`*_token`, put under this service's newest event key). A run that was stopped goes on where it was by being
started again. Small transactions as the owner; triggers of a table are off within them, since a value that is only sealed anew has not
changed. The old keys may go when a whole pass, begun after every transaction that might have used them has ended, finds nothing; values may
have been encrypted before their transaction began, so whoever takes the keys away lets that time pass first (`ansinh.keys_command`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Json

from common.sealing import Keyring, SealBroken

__all__ = ["COMMON_FIELDS", "Progress", "reseal", "wait_for_older"]

COMMON_FIELDS: Final = ("parked_event", "idempotency_key", "import_file")
"""What the mechanisms themselves keep sealed."""

_BATCH: Final = 500
_LOCK_TIMEOUT: Final = "2s"
_REFUSALS: Final = 300
_PAUSE_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 0.05
_LEAVES: Final = (
    "SELECT c.relname, a.attname, format_type(a.atttypid, NULL), c.relhastriggers FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    " AND (a.atttypid IN ('bytea'::regtype, 'jsonb'::regtype) OR a.atttypid = 'text'::regtype AND a.attname LIKE '%\\_token')"
    " AND c.relname NOT LIKE 'audit%' ORDER BY 1, 2"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is."""

    table: str
    column: str
    resealed: int


class _Sealer:
    """Opens under the field that fits, and seals under the newest key; the field of a column is found once."""

    def __init__(self, keyring: Keyring, fields: Sequence[str], old: Sequence[str], old_events: Sequence[str]) -> None:
        self._keyring = keyring
        self._fields = list(dict.fromkeys([*fields, *COMMON_FIELDS]))
        self.heads = [bytes([len(kid.encode())]) + kid.encode() for kid in old]
        self.tokens = [f"v1:{kid}:" for kid in old_events]
        alternatives = "|".join(head.hex() for head in self.heads)
        self._inside = re.compile(rf"\\x((?:{alternatives})(?:[0-9a-f]{{2}}){{28,}})")

    def again(self, ciphertext: bytes) -> bytes:
        """The same plaintext under the newest key. Raises :class:`SealBroken` when no known field opens it."""
        for place, name in enumerate(self._fields):
            try:
                plain = self._keyring.decrypt_bytes(name, ciphertext)
            except SealBroken:
                continue
            if place:
                self._fields.insert(0, self._fields.pop(place))
            return self._keyring.encrypt(name, plain)
        raise SealBroken("no field of this service opens it")

    def inside(self, value: Any) -> Any:
        """A JSON value with every sealed text in it sealed anew."""
        if isinstance(value, dict):
            return {name: self.inside(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.inside(inner) for inner in value]
        if isinstance(value, str) and (found := self._inside.fullmatch(value)):
            return "\\x" + self.again(bytes.fromhex(found[1])).hex()
        return value

    def new(self, kind: str, value: Any) -> Any:
        """A column's value, of this kind, with everything in it under the newest keys."""
        if kind == "bytea":
            return self.again(bytes(value))
        return self._keyring.renew(value) if kind == "text" else Json(self.inside(value))


def _looks_sealed(column: sql.Identifier, kind: str, sealer: _Sealer) -> sql.Composable:
    if kind == "text":
        each = [sql.SQL("starts_with({}, {})").format(column, head) for head in sealer.tokens]
    elif kind == "bytea":
        each = [sql.SQL("substring({} FROM 1 FOR {}) = {}").format(column, len(head), head) for head in sealer.heads]
    else:
        each = [sql.SQL("CAST({} AS text) LIKE {}").format(column, f'%"\\\\\\\\x{head.hex()}%') for head in sealer.heads]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(each))


def _batches(connection: psycopg.Connection[Any], sealer: _Sealer, table: str, column: str, kind: str, *, triggers: bool) -> Iterator[int]:
    """One column, in small transactions; how many rows each sealed anew."""
    after, refusals = "(0,0)", 0
    while True:
        try:
            with connection.transaction():
                count, after = _batch(connection, sealer, (table, column, kind), after, triggers=triggers)
        except psycopg.errors.LockNotAvailable:
            refusals += 1  # writers of the service go first
            if refusals > _REFUSALS:
                raise
            time.sleep(_PAUSE_SECONDS)
            continue
        if not count:
            return
        yield count


def _batch(
    connection: psycopg.Connection[Any], sealer: _Sealer, place: tuple[str, str, str], after: str, *, triggers: bool
) -> tuple[int, str]:
    table, column, kind = sql.Identifier(place[0]), sql.Identifier(place[1]), place[2]
    wanted = sql.SQL("FROM {} WHERE ctid > {}::tid AND {}").format(table, after, _looks_sealed(column, kind, sealer))
    if connection.execute(sql.SQL("SELECT 1 {} LIMIT 1").format(wanted)).fetchone() is None:
        return 0, after
    connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
    if triggers:  # before any row is locked: nobody may wait for a row of ours while we wait for the table
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
    rows = connection.execute(
        sql.SQL("SELECT ctid::text, {} {} ORDER BY ctid LIMIT {} FOR UPDATE").format(column, wanted, _BATCH)
    ).fetchall()
    new = [sealer.new(kind, value) for _, value in rows]
    with connection.cursor() as cursor:
        cursor.executemany(
            sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s::tid").format(table, column),
            [(value, at) for value, (at, _) in zip(new, rows, strict=True)],
        )
    if triggers:
        connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(table))
    return len(rows), rows[-1][0] if rows else after


def reseal(dsn: str, keyring: Keyring, fields: Sequence[str], say: Callable[[Progress], None]) -> int:
    """Passes over every table until one finds nothing under an older key; how many values were sealed anew.

    `dsn` is the owner's address (libpq), `fields` the names this service seals under. Raises :class:`SealBroken` on a value that no
    known key and field opens: then no key may be retired.
    """
    old, old_events = keyring.at_rest_ids[:-1], keyring.event_ids[:-1]
    if not old and not old_events:
        return 0
    sealer, total = _Sealer(keyring, fields, old, old_events), 0
    with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
        while True:
            wait_for_older(connection)
            found = 0
            for table, column, kind, triggers in connection.execute(_LEAVES).fetchall():
                if not (old_events if kind == "text" else old):
                    continue
                done = 0
                for count in _batches(connection, sealer, table, column, kind, triggers=triggers):
                    done += count
                    say(Progress(table, column, done))
                found += done
            total += found
            if not found:
                return total


_OPEN: Final = (
    "SELECT l.virtualxid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock'"
    " AND l.granted AND a.datname = current_database() AND a.usesysid IS NOT NULL AND l.pid <> pg_backend_pid()"
)


def wait_for_older(connection: psycopg.Connection[Any]) -> None:
    """Until every transaction that had begun before now has ended, one that has written nothing yet too: it may have a value under an older
    key in hand, and commit it."""
    older = {row[0] for row in connection.execute(_OPEN).fetchall()}
    while older:
        older &= {row[0] for row in connection.execute(_OPEN).fetchall()}
        if older:
            time.sleep(_LOOK_SECONDS)
