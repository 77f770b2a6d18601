"""identity-verify: `python -m identity_verify.main api|worker|migrate`."""

from __future__ import annotations

from fastapi import FastAPI

from common.cli import service_main
from common.cut_off_api import cut_offs_router
from common.db import Database
from common.invariants import invariants_router
from common.jobs import JobRunner
from common.parking import parked_router
from common.personal_data_api import personal_data_router
from common.sealing import Keyring
from common.web import create_app, jobs_router, quiet_router
from common.work_list import work_router
from common.worker import Loop, every, owner_name, run_worker
from identity_verify.api import WATCHERS, make_routers
from identity_verify.api.examples import EXAMPLES
from identity_verify.domain.problem_words import VIETNAMESE
from identity_verify.messaging.subscriptions import SUBSCRIPTIONS
from identity_verify.population.online import PopulationOnline
from identity_verify.settings import Settings
from identity_verify.storage.invariants import INVARIANTS
from identity_verify.storage.personal_data import HOLDING
from identity_verify.storage.work import WORK
from identity_verify.usecases import graces
from identity_verify.usecases.cut_off import pass_on_once
from identity_verify.usecases.exchanges import APPLY_ANSWERS, AnswerApplier
from identity_verify.usecases.plan import RECHECK, DeathFeed, RecheckJob, plan_rechecks
from identity_verify.usecases.verify import Verifier
from identity_verify.usecases.views import work_left

__all__ = ["SERVICE", "make_app", "work"]

SERVICE = "identity-verify"
SEALED = ("exchange_answer", "issue_note", "side_by_side")
"""Fields that lie encrypted in this service's tables."""

_IDLE_SECONDS = 0.5
_FEED_SECONDS = 2.0


def _database(settings: Settings) -> tuple[Database, Keyring]:
    keyring = Keyring.load(settings.keys_file, SERVICE)
    return Database(settings.database_url, pool_size=settings.database_pool_size, keyring=keyring, application=SERVICE), keyring


def make_app(settings: Settings, db: Database | None = None) -> FastAPI:
    """The API; `db` replaces the database of the settings in tests."""
    if db is None:
        db, _ = _database(settings)
    return create_app(
        title="identity-verify",
        description="Xác minh người hưởng với CSDL quốc gia về dân cư. Checks people against the national population database.",
        settings=settings,
        examples=EXAMPLES,
        vietnamese=VIETNAMESE,
        db=db,
        routers=[
            *make_routers(db, settings),
            jobs_router(db, *WATCHERS),
            cut_offs_router(db, *WATCHERS),
            quiet_router(db, [work_left]),
            invariants_router(db, INVARIANTS),
            personal_data_router(db, HOLDING, settings.erasure_key_days),
            work_router(db, settings, WORK),
            parked_router(db),
        ],
        body_limits={"/v1/verification/exchanges": settings.exchange_bytes},
    )


async def work(settings: Settings) -> None:
    """The worker: projection, lanes of checks, re-checks, the feed of deaths, grace, files of answers, cut-offs."""
    db, keyring = _database(settings)
    population = PopulationOnline(
        keyring,
        url=settings.population_url,
        token=settings.population_token.get_secret_value(),
        timeout_seconds=settings.population_timeout_seconds,
        requests_per_second=settings.population_requests_per_second,
    )
    verifier = Verifier(db, population, settings)

    async def pass_on() -> bool:
        return await pass_on_once(db, settings)

    async def plan() -> bool:
        return await plan_rechecks(db, settings)

    async def grace() -> bool:
        return await graces.apply_once(db, settings)

    feed = DeathFeed(db, population, settings)
    handlers = {APPLY_ANSWERS: AnswerApplier(db, keyring, settings).apply, RECHECK: RecheckJob(db, settings).run}
    runner = JobRunner(db, handlers, owner=owner_name(), lease_seconds=settings.job_lease_seconds)
    loops = [
        Loop("cut-off", every(_IDLE_SECONDS, pass_on)),
        Loop("rechecks", every(settings.plan_seconds, plan)),
        Loop("grace", every(settings.plan_seconds, grace)),
        Loop("deaths", every(_FEED_SECONDS, feed.poll_once)),
        Loop("jobs", every(_IDLE_SECONDS, runner.run_one)),
    ]
    lanes = [Loop(f"verify-{number}", every(_IDLE_SECONDS, verifier.run_once)) for number in range(1, settings.lanes + 1)]
    try:
        await run_worker(settings, db, SERVICE, SUBSCRIPTIONS, [*lanes, *loops], invariants=INVARIANTS, retention=HOLDING.retention)
    finally:
        await population.close()


if __name__ == "__main__":
    service_main("identity_verify", Settings, make_app, work, sealed=SEALED)
