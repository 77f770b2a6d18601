"""What must hold at every moment, asked of the database every few minutes: each with the ids of what breaks it.

A check is one statement that answers ids, in one snapshot of its own; nobody waits for it and it changes nothing. Several workers share the
work by leases in `invariant_result`; every worker shows the table as metrics, so that no alert depends on who checked last.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from prometheus_client import Gauge
from pydantic import BaseModel, ConfigDict, Field

from common.actor import SYSTEM
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.failures import describe
from common.telemetry import get_logger

__all__ = ["MECHANISMS", "Checker", "Invariant", "check", "invariants_router"]

_SHOWN: Final = 20
_COUNTED: Final = 10_000
_STATEMENT_SECONDS: Final = 120
_LEASE_SECONDS: Final = 300
_log = get_logger(__name__)

OFFENDERS: Final = Gauge("ansinh_invariant_offenders", "What breaks an invariant now, counted up to 10,000", ["name"])
CHECKED: Final = Gauge("ansinh_invariant_checked_timestamp_seconds", "When an invariant was last checked to its end", ["name"])


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise about the data. `sql` answers one column `offender` (text: an id, never a person's number), nothing while it holds."""

    name: str
    says: str
    says_vi: str
    sql: str
    minutes: int = 5


MECHANISMS: Final = (
    Invariant(
        "outbox_published",
        "Every event is published within ten minutes of its commit",
        "Mọi sự kiện được phát trong mười phút sau khi ghi",
        "SELECT event_id::text AS offender FROM outbox WHERE published_at IS NULL AND created_at < now() - interval '10 minutes'",
    ),
    Invariant(
        "nothing_parked",
        "No event is parked: a person with a parked event is not paid",
        "Không sự kiện nào bị giữ lại: người có sự kiện bị giữ chưa được chi trả",
        "SELECT event_id::text AS offender FROM parked_event WHERE replayed_at IS NULL",
    ),
    Invariant(
        "consumers_alive",
        "Every consumer has noted its position within five minutes",
        "Mọi tiến trình nhận sự kiện đều ghi vị trí trong năm phút qua",
        "SELECT concat_ws('/', consumer, topic, partition) AS offender FROM consumer_position"
        " WHERE updated_at < now() - interval '5 minutes'",
    ),
    Invariant(
        "consumers_keep_up",
        "No partition is more than 100,000 events behind",
        "Không phân vùng nào chậm quá 100.000 sự kiện",
        "SELECT concat_ws('/', consumer, topic, partition) AS offender FROM consumer_position WHERE highwater - position > 100000",
    ),
    Invariant(
        "jobs_move",
        "No job waits an hour for a worker, none has run on without its lease for ten minutes",
        "Không công việc nào chờ quá một giờ hoặc mất tiến trình quá mười phút",
        "SELECT id::text AS offender FROM job WHERE (state = 'QUEUED' AND created_at < now() - interval '1 hour')"
        " OR (state = 'RUNNING' AND lease_until < now() - interval '10 minutes')",
    ),
    Invariant(
        "erased_keys_are_destroyed",
        "The keys under which the remnants of erased data lie are destroyed by the day set for them",
        "Khoá của dữ liệu đã xoá được huỷ chậm nhất vào ngày đã định",
        "SELECT erasure_id::text AS offender FROM erasure_request WHERE state = 'DONE' AND keys_destroyed_at IS NULL"
        " AND keys_due_on < current_date",
        minutes=60,
    ),
    Invariant(
        "audit_rows_are_sealed",
        "Every row of the audit log is sealed within a minute",
        "Mọi dòng nhật ký kiểm toán được niêm trong một phút",
        "SELECT u.audit_id::text AS offender FROM audit_unsealed u LEFT JOIN audit_log a ON a.id = u.audit_id"
        " WHERE coalesce(a.at, '-infinity') < now() - interval '1 minute'",
        minutes=1,
    ),
)
"""What holds in every service."""


async def check(tx: Tx, invariant: Invariant) -> tuple[int, list[str]]:
    """How many offenders there are (counted up to 10,000) and the first of them, in the order of their ids."""
    row = await tx.row(
        f'SELECT count(*) AS offenders, (array_agg(offender ORDER BY offender COLLATE "C"))[1:{_SHOWN}] AS ids'
        f" FROM (SELECT offender FROM ({invariant.sql}) found LIMIT {_COUNTED}) counted"
    )
    assert row is not None
    return int(row["offenders"]), list(row["ids"] or ())


_KNOW: Final = "INSERT INTO invariant_result (name) SELECT unnest(CAST(:names AS text[])) ON CONFLICT (name) DO NOTHING"
_CLAIM: Final = f"""
UPDATE invariant_result SET lease_until = now() + interval '{_LEASE_SECONDS} seconds' WHERE name = (
    SELECT name FROM invariant_result
    WHERE name = ANY(CAST(:names AS text[])) AND next_at <= now() AND (lease_until IS NULL OR lease_until < now())
    ORDER BY next_at, name LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING name
"""
_RECORD: Final = """
UPDATE invariant_result SET checked_at = now(), took_ms = :took_ms, offenders = :offenders, ids = CAST(:ids AS text[]), error = NULL,
    broken_since = CASE WHEN :offenders > 0 THEN coalesce(broken_since, now()) END,
    lease_until = NULL, next_at = now() + make_interval(mins => :minutes)
WHERE name = :name
"""
_FAILED: Final = """
UPDATE invariant_result SET error = :error, lease_until = NULL, next_at = now() + make_interval(mins => :minutes) WHERE name = :name
"""


class Checker:
    """Checks what is due; `round` is a worker's loop."""

    def __init__(self, db: Database, invariants: Sequence[Invariant]) -> None:
        self._db = db
        self._by_name = {invariant.name: invariant for invariant in (*MECHANISMS, *invariants)}
        self._actor = SYSTEM("invariants")

    async def round(self) -> bool:
        """Check one that is due and show all; True when another may be due."""
        names = list(self._by_name)
        async with self._db.transaction(self._actor) as tx:
            name = await tx.value(_CLAIM, names=names)
            if name is None and await tx.execute(_KNOW, names=names):
                return True
        if name is not None:
            await self._one(self._by_name[name])
        await self._show(names)
        return name is not None

    async def _one(self, invariant: Invariant) -> None:
        started = time.perf_counter()
        try:
            async with self._db.read(self._actor) as tx:
                await tx.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_SECONDS}s'")
                offenders, ids = await check(tx, invariant)
        except Exception as error:  # noqa: BLE001 - one check that fails must not stop the others; its age raises the alert
            _log.error("invariant.not_checked", name=invariant.name, error=describe(error))
            async with self._db.transaction(self._actor) as tx:
                await tx.execute(_FAILED, name=invariant.name, error=describe(error), minutes=invariant.minutes)
            return
        took = round((time.perf_counter() - started) * 1_000)
        async with self._db.transaction(self._actor) as tx:
            await tx.execute(_RECORD, name=invariant.name, took_ms=took, offenders=offenders, ids=ids, minutes=invariant.minutes)
        if offenders:
            _log.error("invariant.broken", name=invariant.name, offenders=offenders, ids=ids)

    async def _show(self, names: Sequence[str]) -> None:
        async with self._db.read(self._actor) as tx:
            rows = await tx.rows(
                "SELECT name, offenders, checked_at FROM invariant_result WHERE name = ANY(CAST(:names AS text[]))", names=names
            )
        for row in rows:
            OFFENDERS.labels(row["name"]).set(row["offenders"])
            # What never came to its end was checked at no time: it raises the alert too.
            CHECKED.labels(row["name"]).set(row["checked_at"].timestamp() if row["checked_at"] else 0)


_EXAMPLE: Final[dict[str, Any]] = {
    "items": [
        {
            "name": "nothing_parked",
            "says": "No event is parked: a person with a parked event is not paid",
            "says_vi": "Không sự kiện nào bị giữ lại: người có sự kiện bị giữ chưa được chi trả",
            "offenders": 1,
            "ids": ["01920e5c-6c1d-7a54-9c0e-2f6f0d6a1b11"],
            "broken_since": "2026-11-22T03:05:00Z",
            "checked_at": "2026-11-22T03:10:00Z",
            "took_ms": 3,
            "error": None,
        }
    ]
}


class InvariantView(BaseModel):
    """One invariant as it was last found. `checked_at` null: not checked yet."""

    name: str
    says: str
    says_vi: str
    offenders: int = Field(description="Counted up to 10,000")
    ids: list[str] = Field(description="The first 20 offenders")
    broken_since: datetime | None
    checked_at: datetime | None
    took_ms: int | None
    error: str | None = Field(description="Why the last check did not come to its end")


class InvariantsView(BaseModel):
    """All invariants of a service, broken ones first."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    items: list[InvariantView]


def invariants_router(db: Database, invariants: Sequence[Invariant]) -> APIRouter:
    """`GET /v1/invariants`: what was found last."""
    router = APIRouter(prefix="/v1/invariants", tags=["operation"])
    known = (*MECHANISMS, *invariants)

    @router.get(
        "",
        summary="Điều luôn phải đúng · Invariants",
        description="Các điều luôn phải đúng của dữ liệu và mã của những gì vi phạm, kiểm tra mỗi vài phút. What must always hold, when it"
        " was last checked, and the ids of what breaks it; broken ones first. `docs/operate/runbooks` says what to do about each.",
    )
    async def found(_actor: Annotated[Actor, Depends(require(Role.AUDITOR, Role.OPERATOR))]) -> InvariantsView:
        async with db.read() as tx:
            rows = {row["name"]: row for row in await tx.rows("SELECT * FROM invariant_result")}
        columns = ("offenders", "ids", "broken_since", "checked_at", "took_ms", "error")
        never = dict.fromkeys(columns) | {"offenders": 0, "ids": []}
        items = [
            InvariantView(
                name=item.name, says=item.says, says_vi=item.says_vi, **{name: rows.get(item.name, never)[name] for name in columns}
            )
            for item in known
        ]
        return InvariantsView(items=sorted(items, key=lambda item: (-item.offenders, item.name)))

    return router
