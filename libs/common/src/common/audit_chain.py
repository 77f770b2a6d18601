"""Sealing the audit log: committed rows are chained by hashes, heads of the chain are given out as anchors, and both are verified.

Rows commit in another order than their ids. So `audit.record` leaves each id in `audit_unsealed` in its own transaction, and one sealer
at a time (advisory lock) takes ids that have committed, gives them positions, and appends to `audit_chain`. A row put into the log by
any other way has no position and is found; whoever rewrites log and chain together is found by an anchor kept elsewhere. A row says
itself when it was written: what was sealed before it, and the anchors, say whether that can be. Until it is sealed a row can be altered
unseen; so the invariant `audit_rows_are_sealed` watches how long rows wait, and a verification finds those that wait too long.
"""

from __future__ import annotations

import hashlib
import json
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from common.actor import SYSTEM
from common.db import Database, Tx
from common.locks import Lock
from common.telemetry import get_logger

__all__ = ["START", "TOLERANCE", "Anchor", "Verdict", "anchor_once", "chained", "digest_of", "read_anchors", "seal_once", "verify"]

START: Final = bytes(32)
"""What the first row is chained to."""

_LOCK: Final = int(Lock.AUDIT_SEALER)
_BATCH: Final = 5_000
_SHOWN: Final = 50
_TOLD_SECONDS: Final = 60.0
TOLERANCE: Final = timedelta(minutes=15)
"""How far a row's own time and its place may be apart: a long transaction commits that much later, a clock may be set right."""
_log = get_logger(__name__)

_TEXT: Final = (
    "CAST(jsonb_build_array(a.id, extract(epoch FROM a.at), a.subject, a.roles, a.units, a.request_id, a.action, a.object_type,"
    " a.object_id, a.detail, a.purpose) AS text)"
)
"""The canonical text of a row: every column that says who did what, in an order that never changes."""


def digest_of(text: str | None) -> bytes:
    """Digest of a row's canonical text; a row that was gone before it could be sealed has the digest of nothing."""
    return hashlib.sha256((text or "").encode()).digest()


def chained(before: bytes, position: int, audit_id: int, row_digest: bytes) -> bytes:
    """The chain's digest after a row."""
    return hashlib.sha256(before + f"{position}:{audit_id}:".encode() + row_digest).digest()


_told = {"at": float("-inf")}


async def _tell_of_another(tx: Tx) -> None:
    """A line, once a minute at most, while somebody else holds the sealer: two workers meet for a moment, a stranger stays."""
    if time.monotonic() - _told["at"] < _TOLD_SECONDS:
        return
    _told["at"] = time.monotonic()
    holder = await tx.row(
        "SELECT l.pid, a.usename FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
        " AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND l.classid = 0 AND CAST(l.objid AS bigint) = :key AND l.objsubid = 1 LIMIT 1",
        key=_LOCK,
    )
    waiting = await tx.value("SELECT count(*) FROM audit_unsealed")
    who = dict(holder) if holder else {}  # let go in between
    _log.warning("audit.sealer_held", pid=who.get("pid"), role=who.get("usename"), waiting=waiting)


async def seal_once(db: Database, batch: int = _BATCH) -> bool:
    """Chain one batch of committed rows; True when more may wait. Another sealer at work: nothing is done but to say so."""
    async with db.transaction(SYSTEM("audit-sealer")) as tx:
        if not await tx.value("SELECT pg_try_advisory_xact_lock(:key)", key=_LOCK):
            await _tell_of_another(tx)
            return False
        rows = await tx.rows(
            "WITH taken AS (DELETE FROM audit_unsealed WHERE audit_id IN (SELECT audit_id FROM audit_unsealed ORDER BY audit_id LIMIT :n)"
            f" RETURNING audit_id) SELECT t.audit_id, {_TEXT} AS content, a.id AS found FROM taken t"
            " LEFT JOIN audit_log a ON a.id = t.audit_id ORDER BY t.audit_id",
            n=batch,
        )
        if not rows:
            return False
        head = await tx.row("SELECT position, chain_digest FROM audit_chain ORDER BY position DESC LIMIT 1")
        position, digest = (head["position"], bytes(head["chain_digest"])) if head else (0, START)
        links = []
        for row in rows:
            own = digest_of(row["content"] if row["found"] is not None else None)
            position += 1
            digest = chained(digest, position, row["audit_id"], own)
            links.append((position, row["audit_id"], own, digest))
        await tx.copy("audit_chain", ("position", "audit_id", "row_digest", "chain_digest"), links)
    gone = [row["audit_id"] for row in rows if row["found"] is None]
    if gone:
        _log.error("audit.rows_gone_before_sealing", count=len(gone), first=gone[0])
    return len(rows) == batch


async def anchor_once(db: Database, service: str, file: Path | None = None) -> bool:
    """Give out the chain's head, if it has moved: a row of `audit_anchor`, a line in the log, and a line in `file`."""
    async with db.transaction(SYSTEM("audit-sealer")) as tx:
        head = await tx.row(
            "INSERT INTO audit_anchor (position, chain_digest) SELECT position, chain_digest FROM audit_chain ORDER BY position DESC"
            " LIMIT 1 ON CONFLICT (position) DO NOTHING RETURNING position, chain_digest, at"
        )
    if head is not None:
        line = Anchor(service, head["position"], bytes(head["chain_digest"]).hex(), head["at"].isoformat())
        _log.info("audit.anchor", anchored=line.service, position=line.position, digest=line.digest)
        if file is not None:
            with file.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(line.shown()) + "\n")
    return False


_EVER: Final = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a service's chain stood at a moment; kept by somebody who cannot change the database."""

    service: str
    position: int
    digest: str
    at: str

    def shown(self) -> dict[str, Any]:
        """As a line of an anchors file."""
        return {"service": self.service, "position": self.position, "digest": self.digest, "at": self.at}


def read_anchors(lines: Iterable[str]) -> list[Anchor]:
    """Anchors from a file of JSON lines; a log with other lines among them is taken too. Raises ValueError on a broken anchor."""
    found = []
    for number, line in enumerate(lines, 1):
        start = line.find("{")
        try:
            item = json.loads(line[start:]) if start >= 0 else None
        except json.JSONDecodeError:
            item = None
        if not isinstance(item, Mapping) or "position" not in item or "digest" not in item:
            continue
        try:
            name = str(item.get("anchored") or item["service"])
            found.append(Anchor(name, int(item["position"]), bytes.fromhex(item["digest"]).hex(), str(item.get("at") or "")))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number} is not an anchor") from error
    return found


@dataclass(slots=True)
class Verdict:
    """What a verification found in one service; `problems` are counted in full and listed up to fifty."""

    service: str
    rows: int = 0
    waiting: int = 0
    anchors: int = 0
    head: str = START.hex()
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Nothing is wrong."""
        return not self.counts

    def add(self, kind: str, **where: Any) -> None:
        """Note a problem."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.problems) < _SHOWN:
            self.problems.append({"kind": kind, **where})

    def shown(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "service": self.service, "whole": self.whole, "rows": self.rows, "waiting": self.waiting, "anchors": self.anchors,
            "head": self.head, "counts": self.counts, "problems": self.problems,
        }  # fmt: skip


def _links(connection: psycopg.Connection[Any]) -> Iterator[Mapping[str, Any]]:
    with connection.cursor(name="audit_links", row_factory=dict_row) as cursor:
        cursor.itersize = _BATCH
        cursor.execute(
            f"SELECT c.position, c.audit_id, c.row_digest, c.chain_digest, a.id AS found, a.at, {_TEXT} AS content"
            " FROM audit_chain c LEFT JOIN audit_log a ON a.id = c.audit_id ORDER BY c.position"
        )
        yield from cursor


def verify(
    dsn: str, service: str, anchors: Sequence[Anchor] = (), *, tolerance: timedelta = TOLERANCE, unsealed: timedelta = TOLERANCE
) -> Verdict:
    """Read the whole log against its chain, the chain against itself, and its heads against anchors: ours and those given.

    Kinds of problem: `changed`, `removed` (a sealed row that is no longer what it was, or gone), `inserted` (a row that was never given
    to the sealer), `unsealed` (one that has waited for it longer than `unsealed`), `back_dated` and `post_dated` (its time and its place
    are more than `tolerance` apart), `chain_gap`, `chain_broken` (links removed, reordered or rewritten), `anchor_missing` (the tail was
    cut off) and `anchor_differs` (the chain was rewritten).
    """
    verdict = Verdict(service)
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL timezone = 'UTC'")
        kept = connection.execute("SELECT position, encode(chain_digest, 'hex'), at FROM audit_anchor ORDER BY position").fetchall()
        given = [(each.position, each.digest, _moment(each.at)) for each in anchors if each.service == service]
        wanted: dict[int, set[str]] = {}
        for position, digest, _ in [*kept, *given]:
            wanted.setdefault(position, set()).add(digest)
        verdict.anchors = sum(map(len, wanted.values()))
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        _walk(connection, verdict, wanted, _Times([(place, at) for place, _, at in [*kept, *given] if at is not None], row[0], tolerance))
        for position in sorted(wanted):
            verdict.add("anchor_missing", position=position)
        _off_the_chain(connection, verdict, unsealed)
    return verdict


def _moment(text: str) -> datetime | None:
    """When an anchor was given out; None where it does not say so (a line of a log)."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _off_the_chain(connection: psycopg.Connection[Any], verdict: Verdict, limit: timedelta) -> None:
    """Rows without a place in the chain: never given to the sealer, or given to it long ago."""
    inserted = connection.execute(
        "SELECT a.id, a.at, a.subject, a.action FROM audit_log a WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.audit_id = a.id)"
        " AND NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.audit_id = a.id) ORDER BY a.id"
    )
    for audit_id, at, subject, action in inserted:
        verdict.add("inserted", audit_id=audit_id, at=at.isoformat(), subject=subject, action=action)
    waiting = connection.execute(
        "SELECT u.audit_id, a.at, a.subject, a.action FROM audit_unsealed u JOIN audit_log a ON a.id = u.audit_id"
        " WHERE a.at < clock_timestamp() - %s ORDER BY u.audit_id",
        (limit,),
    )
    for audit_id, at, subject, action in waiting:
        verdict.add("unsealed", audit_id=audit_id, at=at.isoformat(), subject=subject, action=action)
    found = connection.execute("SELECT count(*) FROM audit_unsealed").fetchone()
    verdict.waiting = int(found[0]) if found else 0


class _Times:
    """Whether the time a row says can be that of its place: rows and anchors before it are not much later, anchors after it not earlier."""

    def __init__(self, anchors: Sequence[tuple[int, datetime]], now: datetime, tolerance: timedelta) -> None:
        ordered = sorted(anchors)
        self._places = [place for place, _ in ordered]
        self._moments = [at for _, at in ordered]
        self._now = now
        self._tolerance = tolerance
        self._latest = _EVER

    def wrong(self, position: int, at: datetime) -> str | None:
        """`post_dated`, `back_dated` or nothing; to be asked in the order of positions."""
        after = bisect_left(self._places, position)
        until = self._moments[after] if after < len(self._moments) else self._now
        if at > until + self._tolerance:
            return "post_dated"  # and it is no measure for those behind it
        late = at < max(self._latest, self._moments[after - 1] if after else _EVER) - self._tolerance
        self._latest = max(self._latest, at)
        return "back_dated" if late else None


def _walk(connection: psycopg.Connection[Any], verdict: Verdict, wanted: dict[int, set[str]], times: _Times) -> None:
    """Every link in order. After a break the stored digest is taken on, so that further breaks are found too."""
    before, expected = START, 1
    for link in _links(connection):
        position, audit_id, own = link["position"], link["audit_id"], bytes(link["row_digest"])
        stored = bytes(link["chain_digest"])
        if position != expected:
            verdict.add("chain_gap", from_position=expected, to_position=position - 1)
        elif chained(before, position, audit_id, own) != stored:
            verdict.add("chain_broken", position=position, audit_id=audit_id)
        if link["found"] is None:
            verdict.add("removed", audit_id=audit_id, position=position)
        elif digest_of(link["content"]) != own:
            verdict.add("changed", audit_id=audit_id, position=position)
        elif kind := times.wrong(position, link["at"]):
            verdict.add(kind, audit_id=audit_id, position=position, at=link["at"].isoformat())
        for digest in wanted.pop(position, ()):
            if digest != stored.hex():
                verdict.add("anchor_differs", position=position)
        before, expected = stored, position + 1
        verdict.rows += 1
    verdict.head = before.hex()
