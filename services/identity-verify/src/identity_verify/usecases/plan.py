"""When people are asked about again: the window of evidence, and the feed of deaths."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from common import audit, clock, jobs
from common.actor import SYSTEM
from common.db import Database, Tx
from common.jobs import Job
from common.telemetry import get_logger
from identity_verify.population.online import PopulationOnline
from identity_verify.settings import Settings
from identity_verify.storage import asking, cut_offs
from identity_verify.usecases.verify import POPULATION, breaker

__all__ = ["RECHECK", "DeathFeed", "RecheckJob", "plan_rechecks", "recheck_before_cut_off", "work_day"]

_ACTOR: Final = SYSTEM("identity-verify")
_CHUNK: Final = 5_000
_FEED_BEGINS_DAYS: Final = 31
RECHECK: Final = "recheck"
_log = get_logger(__name__)


async def work_day(tx: Tx, settings: Settings) -> date:
    """The business date of work that nobody gave one: the installation's, else the latest the registry has named, else today.

    Not simply today: a month of another year can be run, and its evidence is not old for that. Never a day that has not come: one
    date mistyped in the register would make everybody's evidence look old, and what is asked then count for years.
    """
    return settings.business_date or min(await asking.latest_day(tx) or clock.today(), clock.today())


async def plan_rechecks(db: Database, settings: Settings, business_date: date | None = None) -> bool:
    """Ask again about a chunk of those whose evidence is older than the window. Returns whether there may be more."""
    async with db.transaction(_ACTOR) as tx:
        count = await _recheck(tx, settings, business_date or await work_day(tx, settings), _CHUNK)
    return count == _CHUNK


async def recheck_before_cut_off(db: Database, settings: Settings, cut_off_id: UUID, business_date: date) -> None:
    """Before each cycle: whoever's evidence is too old at the cut-off is asked about, and the cut-off waits for the answers."""
    more = True
    while more:
        async with db.transaction(_ACTOR) as tx:
            more = await _recheck(tx, settings, business_date, _CHUNK, cut_off_id) == _CHUNK
            if not more:
                await asking.wait_for_rechecks(tx, cut_off_id)
                await cut_offs.mark_rechecked(tx, cut_off_id)


async def _recheck(tx: Tx, settings: Settings, day: date, limit: int, cut_off_id: UUID | None = None) -> int:
    window = settings.recheck_after_days
    jitter = min(settings.recheck_jitter_days, window - 1)
    asked = await asking.recheck_old(tx, day, window=window, jitter=jitter, limit=limit, cut_off_id=cut_off_id)
    if asked:
        what = audit.Bulk.of(asked, before={"check": "ANSWERED"}, after={"check": "PENDING"})
        await audit.record(tx, "verification.recheck", "batch", cut_off_id or day.isoformat(), what)
    return len(asked)


class RecheckJob:
    """The job by which an officer has everybody asked about whose evidence is too old on a day."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings

    async def run(self, job: Job) -> dict[str, Any]:
        """Ask again, a chunk at a time; run again, it finds the rest."""
        asked, more = 0, True
        while more:
            async with self._db.transaction(_ACTOR) as tx:
                count = await _recheck(tx, self._settings, job.business_date, _CHUNK)
            asked, more = asked + count, count == _CHUNK
            await jobs.progress(self._db, job.id, asked, asked)
        return {"asked": asked}


class DeathFeed:
    """Reads the feed of recorded deaths page by page, from where it was left."""

    def __init__(self, db: Database, population: PopulationOnline, settings: Settings) -> None:
        self._db = db
        self._population = population
        self._settings = settings
        self._breaker = breaker(settings)

    async def poll_once(self) -> bool:
        """Read one page, if it is time. Returns whether there is another one already.

        A death in the feed is not believed by itself: the person is asked about, so that the evidence names name and birth date, and
        a stranger whose number was typed stops nobody.
        """
        if self._settings.population_mode != "online":
            return False
        async with self._db.transaction(_ACTOR) as tx:
            if not await self._breaker.closed(tx, POPULATION):
                return False
            left = await asking.feed_cursor(tx, self._settings.death_poll_seconds)
            day = await work_day(tx, self._settings)
        if left is None:
            return False

        # Who registers later is asked about then: the feed begins shortly before the platform does.
        since = day - timedelta(days=_FEED_BEGINS_DAYS)

        async def nothing_to_put_back(_tx: Tx, _error: str) -> None:
            return

        page = await self._breaker.guard(
            self._db,
            _ACTOR,
            POPULATION,
            lambda: self._population.deaths(left["cursor"], since, self._settings.batch_size),
            nothing_to_put_back,
            waiting=0,
        )
        if page is None:
            return False
        async with self._db.transaction(_ACTOR) as tx:
            ours = await asking.ask_about_deaths(tx, page.numbers, page.days, day) if page.numbers else []
            if ours:
                what = audit.Bulk.of(ours, after={"check": "PENDING"})
                await audit.record(tx, "verification.death_feed", "batch", page.cursor or "start", what)
            moved = await asking.keep_feed_cursor(tx, left["cursor"], page.cursor, deaths=len(page.numbers), ours=len(ours), more=page.more)
        if not moved:
            _log.info("death_feed.read_by_another")
        return page.more
