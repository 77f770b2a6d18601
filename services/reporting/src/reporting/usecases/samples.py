"""An inspector's sample: drawn by a seed, drawn again by anybody, with what was found in each case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, etags
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound
from reporting.domain.errors import DayTooEarly, NothingToSample, SampleClosed, SampleUnfinished
from reporting.domain.months import first_of
from reporting.domain.sampling import Result, allocate, estimated
from reporting.storage import entries, reports, samples
from reporting.storage.lines import BELOW, below
from reporting.usecases.obstacles import check_unit, named
from reporting.usecases.reports import Row, unit_for

__all__ = ["case_page", "close", "draw", "every_case", "find", "one", "one_case", "page", "redraw"]

_TABLE = "inspection_sample"


async def draw(tx: Tx, actor: Actor, given: Mapping[str, Any]) -> Row:
    """Draw and keep it. Raises UnknownUnit, UnitOutOfScope, BadMonth, NothingToSample."""
    await check_unit(tx, actor, given["unit_path"])
    month, strata = first_of(given["month"]), given["strata"]
    people, digest, by_stratum = await samples.population(tx, month, given["unit_path"], strata)
    if not people:
        raise NothingToSample
    counts = allocate(given["size"], by_stratum)
    sample_id = new_id()
    kept = {name: given[name] for name in ("unit_path", "strata", "seed", "subject", "drawn_on")}
    size = sum(counts.values())
    row = {**kept, "sample_id": sample_id, "month": month, "size": size, "population": people, "population_hash": digest,
           "drawn_by": actor.subject}  # fmt: skip
    await entries.add(tx, _TABLE, row)
    await samples.add_strata(tx, sample_id, by_stratum, counts)
    await samples.add_cases(tx, sample_id, await samples.drawn(tx, given["seed"], counts))
    await samples.keep_population(tx, sample_id)
    detail = {"unit": given["unit_path"], "month": given["month"], "size": size, "seed": given["seed"], "population_hash": digest}
    await audit.record(tx, "sample.drawn", _TABLE, sample_id, audit.Created(detail))
    return await _view(tx, actor, sample_id)


async def redraw(db: Database, actor: Actor, sample_id: UUID) -> Row:
    """Draw again with the stored seed, and compare; nothing is kept. Raises NotFound.

    The month's lines may have changed since (a late hold, a return): then the digests differ, and `same_cases` says whether the
    cases still do not. `proved`: from the population kept with the sample the same digest and the same cases come out.
    """
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, sample_id)
        people, digest, by_stratum = await samples.population(tx, row["month"], row["unit_path"], row["strata"])
        again = await samples.drawn(tx, row["seed"], allocate(row["size"], by_stratum))
        kept = await samples.cases(tx, sample_id, 0, row["size"])
        before, now = _chosen(kept), _chosen(again)
        were, as_kept, strata_then = await samples.kept_population(tx, sample_id)
        then = _chosen(await samples.drawn(tx, row["seed"], allocate(row["size"], strata_then)))
        await audit.record(tx, "sample.redrawn", _TABLE, sample_id, audit.Noted({"population_hash": digest}))
    return {
        "sample_id": sample_id, "population": people, "population_hash": digest, "same_population": digest == row["population_hash"],
        "proved": (as_kept == row["population_hash"] and then == before) if were else None,
        "same_cases": before == now, "only_then": len(before - now), "only_now": len(now - before),
    }  # fmt: skip


async def find(
    db: Database, actor: Actor, sample_id: UUID, position: int, version: int, given: Mapping[str, Any]
) -> Row:  # fmt: skip
    """Write what was seen in one case; may be changed until the sample is closed. Raises NotFound, PreconditionFailed, SampleClosed,
    DayTooEarly.
    """
    async with db.transaction(actor) as tx:
        sample = await _found(tx, actor, sample_id, lock=True)
        _open(sample)
        row = await samples.find_case(tx, sample_id, position)
        if row is None:
            raise NotFound("No such case")
        etags.check(row["version"], version)
        if given["found_on"] < sample["drawn_on"]:
            raise DayTooEarly(errors=[{"field": "found_on", "detail": "before the sample was drawn"}])
        await samples.put_case(tx, sample_id, position, {**given, "found_by": actor.subject})
        what = audit.Changed.of(row, given, "result", "finding", "found_on", position=position)
        await audit.record(tx, "sample.found", _TABLE, sample_id, what)
        return await _case(tx, sample_id, position)


async def close(db: Database, actor: Actor, sample_id: UUID, version: int, conclusion: str, day: date) -> Row:
    """End the inspection with its conclusion. Raises NotFound, PreconditionFailed, SampleClosed, SampleUnfinished."""
    async with db.transaction(actor) as tx:
        row = await _found(tx, actor, sample_id, lock=True)
        etags.check(row["version"], version)
        _open(row)
        left = await samples.unfinished(tx, sample_id)
        if left:
            raise SampleUnfinished(f"{left} cases have no result", left=left)
        if day < row["drawn_on"]:
            raise DayTooEarly(errors=[{"field": "business_date", "detail": "before the sample was drawn"}])
        values = {"state": "CLOSED", "conclusion": conclusion, "closed_by": actor.subject, "closed_on": day}
        await entries.put(tx, _TABLE, sample_id, values)
        await audit.record(tx, "sample.closed", _TABLE, sample_id, audit.Changed.of(row, values, *values))
        return await _view(tx, actor, sample_id)


async def one(db: Database, actor: Actor, sample_id: UUID) -> Row:
    """A sample with its strata and summary. Raises NotFound."""
    async with db.read(actor) as tx:
        return await _view(tx, actor, sample_id)


async def one_case(db: Database, actor: Actor, sample_id: UUID, position: int) -> Row:
    """One case. Raises NotFound."""
    async with db.read(actor) as tx:
        await _found(tx, actor, sample_id)
        return await _case(tx, sample_id, position)


async def page(db: Database, actor: Actor, unit_path: str | None, *, after: UUID | None, limit: int) -> list[Row]:
    """Samples of a unit and below, oldest first."""
    params = below(unit_for(actor, unit_path))
    async with db.read(actor) as tx:
        rows = await entries.page(tx, actor, _TABLE, where=BELOW, params=params, after=after, limit=limit)
        return [{**row, "month": f"{row['month']:%Y-%m}"} for row in await named(tx, rows, date.max)]


async def case_page(db: Database, actor: Actor, sample_id: UUID, after: int, limit: int) -> list[Row]:
    """Cases of a sample, in order. Raises NotFound."""
    async with db.read(actor) as tx:
        sample = await _found(tx, actor, sample_id)
        return await named(tx, await samples.cases(tx, sample_id, after, limit), sample["month"])


async def every_case(db: Database, actor: Actor, sample_id: UUID) -> AsyncIterator[Row]:
    """All cases, for a file."""
    after = 0
    while rows := await case_page(db, actor, sample_id, after, 500):
        for row in rows:
            yield row
        after = rows[-1]["position"]


def _chosen(cases: Sequence[RowMapping]) -> set[tuple[UUID, str, UUID]]:
    return {(case["beneficiary_id"], case["programme"], case["cycle_id"]) for case in cases}


def _open(row: RowMapping) -> None:
    if row["state"] != "OPEN":
        raise SampleClosed


async def _found(tx: Tx, actor: Actor, sample_id: UUID, *, lock: bool = False) -> RowMapping:
    row = await entries.find(tx, actor, _TABLE, sample_id, lock=lock)
    if row is None:
        raise NotFound("No such sample")
    return row


async def _case(tx: Tx, sample_id: UUID, position: int) -> Row:
    row = await samples.case(tx, sample_id, position)
    if row is None:
        raise NotFound("No such case")
    return (await named(tx, [row], date.max))[0]


async def _view(tx: Tx, actor: Actor, sample_id: UUID) -> Row:
    row = await _found(tx, actor, sample_id)
    found = [dict(stratum) for stratum in await samples.strata(tx, sample_id)]
    names = await reports.unit_names(tx, [row["unit_path"]], row["month"])
    # Somebody who was not met was not looked at: a visit that failed says neither right nor wrong.
    seen = {one["stratum"]: (one["population"], one["looked_at"] - one["not_reached"], one["deviations"]) for one in found}
    return {
        **row, "month": f"{row['month']:%Y-%m}", "unit_name": names.get(row["unit_path"]), "strata_found": found,
        "deviations_estimated": estimated(seen), "results": {one.value: _count(found, one) for one in Result},
    }  # fmt: skip


def _count(found: list[Row], result: Result) -> int:
    name = {Result.RIGHT: "right_cases", Result.DEVIATION: "deviations", Result.NOT_REACHED: "not_reached"}[result]
    return sum(row[name] for row in found)
