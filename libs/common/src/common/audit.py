"""The audit log: one row per change or full read, written in the transaction of the change.

Whoever records says which kind of thing it was, so that nobody can forget what belongs to it: a change has what was there before and what
is there after (the same fields, masked the same way), work on many objects has their count and a digest of their keys, a full read has its
purpose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping

from common.actor import ASKED_IN
from common.db import Tx
from common.problems import InvalidInput

__all__ = ["Bulk", "Changed", "Created", "Noted", "Read", "What", "digest", "digest_sql", "key_sql", "record"]

Row = Mapping[str, Any] | RowMapping
_NOTHING: Final[Mapping[str, Any]] = {}
_PRIMARY_KEY: Final = (
    "SELECT 'concat_ws(''/'', ' || string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attnum) || ')' FROM pg_index i"
    " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
    " WHERE i.indrelid = CAST(:name AS regclass) AND i.indisprimary"
)


def digest(keys: Iterable[object]) -> str:
    """SHA-256 (hex) of the keys of what bulk work touched, sorted as text, one a line: whoever has the keys makes it again."""
    return hashlib.sha256("\n".join(sorted(str(key) for key in keys)).encode()).hexdigest()


def digest_sql(key: str) -> str:
    """An aggregate that gives :func:`digest` of a column (`key` is ours, never input)."""
    text = f"CAST({key} AS text)"
    return f"encode(sha256(convert_to(coalesce(string_agg({text}, E'\\n' ORDER BY {text} COLLATE \"C\"), ''), 'UTF8')), 'hex')"


async def key_sql(tx: Tx, table: str) -> str:
    """The primary key of a row `t` of a table as one text, for the digest of rows whose table is a parameter (ours, never input)."""
    return str(await tx.value(_PRIMARY_KEY, name=table))


@dataclass(frozen=True, slots=True)
class Created:
    """Something that was not there before: an object, a proposal, a job, a file received."""

    after: Mapping[str, Any]

    def detail(self) -> dict[str, Any]:
        """What the row holds."""
        return {"after": dict(self.after)}


@dataclass(frozen=True, slots=True)
class Changed:
    """One object that was there: the same fields before and after, masked the same way. `about`: why, and by what."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.before or self.before.keys() != self.after.keys():
            raise ValueError(f"before and after tell of the same fields: {sorted(self.before)}, {sorted(self.after)}")

    @classmethod
    def of(cls, before: Row, after: Row, *fields: str, **about: Any) -> Changed:
        """The named fields of a row as it was and of the row, or of the new values, as they are: what is not in `after` stayed."""
        return cls({name: before[name] for name in fields}, {name: after.get(name, before[name]) for name in fields}, about)

    def detail(self) -> dict[str, Any]:
        """What the row holds."""
        return {**self.about, "before": dict(self.before), "after": dict(self.after)}


@dataclass(frozen=True, slots=True)
class Bulk:
    """Many objects at once: how many, and the digest of their keys. What they all were and are goes into `before` and `after`."""

    count: int
    digest: str
    about: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.digest) != hashlib.sha256().digest_size * 2:
            raise ValueError("the digest of bulk work is a SHA-256 in hex")

    @classmethod
    def of(cls, keys: Iterable[object], *, before: Mapping[str, Any] = _NOTHING, after: Mapping[str, Any] = _NOTHING, **about: Any) -> Bulk:
        """Of the keys of the objects."""
        known = list(keys)
        return cls(len(known), digest(known), about, before, after)

    def detail(self) -> dict[str, Any]:
        """What the row holds."""
        found = {**self.about, "count": self.count, "digest": self.digest}
        return found | {name: dict(told) for name, told in (("before", self.before), ("after", self.after)) if told}


@dataclass(frozen=True, slots=True)
class Read:
    """Something read whole that is masked otherwise, or given out: what for."""

    purpose: str
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.purpose.strip():
            why = {"field": "purpose", "detail": "say what for", "detail_vi": "ghi rõ mục đích"}
            raise InvalidInput("A full read needs a purpose", errors=[why])

    def detail(self) -> dict[str, Any]:
        """What the row holds."""
        return dict(self.about)


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that happened and neither made nor changed an object. Rare: the contract test names each with its reason."""

    about: Mapping[str, Any]

    def detail(self) -> dict[str, Any]:
        """What the row holds."""
        return dict(self.about)


What = Created | Changed | Bulk | Read | Noted


def _asked(tx: Tx, object_id: object) -> str | None:
    """The request that led here: the caller's own; of a job, the one that asked for it; of an applied event, the one it came of.

    Work that a request does in the platform's own name (a partner's message is taken) has that request.
    """
    if tx.actor is not None and tx.actor.request_id is not None:
        return tx.actor.request_id
    asked = ASKED_IN.get() or structlog.contextvars.get_contextvars().get("request_id")
    if asked is not None:
        return str(asked)
    if isinstance(object_id, UUID) and object_id in tx.causes:
        return tx.causes[object_id][0]
    led = {request_id for request_id, _ in tx.causes.values()}
    return led.pop() if len(led) == 1 else None


async def record(tx: Tx, action: str, object_type: str, object_id: object, what: What) -> None:
    """Write who did what to which object; values in `what` are masked.

    The row's id is put where the sealer of :mod:`common.audit_chain` finds it once the transaction has committed.
    """
    actor = tx.actor
    if actor is None:
        raise RuntimeError("a change needs an actor: open the transaction with one")
    await tx.execute(
        "WITH written AS (INSERT INTO audit_log (subject, roles, units, request_id, action, object_type, object_id, detail, purpose)"
        " VALUES (:subject, CAST(:roles AS text[]), CAST(:units AS text[]), :request_id, :action, :object_type, :object_id, :detail,"
        " :purpose) RETURNING id) INSERT INTO audit_unsealed (audit_id) SELECT id FROM written",
        subject=actor.subject,
        roles=sorted(role.value for role in actor.roles),
        units=list(actor.unit_paths) or (["*"] if actor.everywhere else []),
        request_id=_asked(tx, object_id),
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        detail=what.detail(),
        purpose=what.purpose if isinstance(what, Read) else None,
    )
