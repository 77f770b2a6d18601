"""identity-verify: `python -m identity_verify.main api|worker|migrate`."""

from __future__ import annotations

from fastapi import FastAPI

from common.cli import service_main
from common.cut_off_api import cut_offs_router
from common.db import Database
from common.parking import parked_router
from common.sealing import Keyring
from common.web import create_app, jobs_router, quiet_router
from common.worker import Loop, every, run_worker
from identity_verify.api.routes import WATCHERS, make_router
from identity_verify.messaging.subscriptions import SUBSCRIPTIONS
from identity_verify.population.online import PopulationOnline
from identity_verify.settings import Settings
from identity_verify.usecases.cut_off import pass_on_once
from identity_verify.usecases.verify import Verifier
from identity_verify.usecases.views import work_left

__all__ = ["SERVICE", "make_app", "work"]

SERVICE = "identity-verify"
_IDLE_SECONDS = 0.5


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
        db=db,
        routers=[
            make_router(db, settings),
            jobs_router(db, *WATCHERS),
            cut_offs_router(db, *WATCHERS),
            quiet_router(db, [work_left]),
            parked_router(db),
        ],
    )


async def work(settings: Settings) -> None:
    """The worker: projection, lanes of checks, cut-offs."""
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

    lanes = [Loop(f"verify-{number}", every(_IDLE_SECONDS, verifier.run_once)) for number in range(1, settings.lanes + 1)]
    try:
        await run_worker(settings, db, SERVICE, SUBSCRIPTIONS, [*lanes, Loop("cut-off", every(_IDLE_SECONDS, pass_on))])
    finally:
        await population.close()


if __name__ == "__main__":
    service_main("identity_verify", Settings, make_app, work)
