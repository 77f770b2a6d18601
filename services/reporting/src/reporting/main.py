"""Reporting's processes: `python -m reporting.main api|worker|migrate`."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from common import sheets
from common.auth import Role
from common.cli import service_main
from common.clock import today
from common.db import Database
from common.invariants import invariants_router
from common.jobs import Job, JobRunner
from common.parking import parked_router
from common.personal_data_api import personal_data_router
from common.sealing import Keyring
from common.web import create_app, jobs_router, quiet_router
from common.work_list import work_router
from common.worker import Loop, every, owner_name, run_worker
from reporting.api.console import console_router
from reporting.api.examples import EXAMPLES
from reporting.api.follow_up import follow_up_routers
from reporting.api.indicators import indicators_router
from reporting.api.operation import operation_router
from reporting.api.page_data import page_data_router
from reporting.api.papers import papers_router
from reporting.api.progress import progress_router
from reporting.api.public_reports import PUBLIC, public_pages_router, public_router
from reporting.api.reports import READERS, reports_router
from reporting.api.statements import statements_router
from reporting.domain.problem_words import VIETNAMESE
from reporting.messaging.subscriptions import SUBSCRIPTIONS
from reporting.settings import Settings
from reporting.storage.invariants import INVARIANTS
from reporting.storage.personal_data import HOLDING
from reporting.storage.statutory import read_all
from reporting.storage.work import WORK
from reporting.usecases import followed, rebuild, statutory_again
from reporting.usecases.progress import Feed

__all__ = ["make_app", "make_database", "run"]

_DAY_SECONDS = 86_400.0
_FOLLOW_SECONDS = 300.0


def make_database(settings: Settings) -> Database:
    """The service's database, with the key ring that encrypts parked events at rest."""
    return Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        keyring=Keyring.load(settings.keys_file, "reporting"),
        application="reporting",
    )


def make_app(settings: Settings, db: Database | None = None) -> FastAPI:
    """The API and the console."""
    read_all()
    database = db or make_database(settings)
    feed = Feed(database)
    app = create_app(
        title="Reporting · Báo cáo",
        description="What really happened, commune by commune · Kết quả chi trả thực tế theo từng xã, phường.",
        settings=settings,
        examples=EXAMPLES,
        db=database,
        routers=[
            reports_router(database, settings),
            page_data_router(database, settings),
            progress_router(database, feed),
            indicators_router(database, settings),
            papers_router(database, settings),
            public_router(database, settings),
            public_pages_router(database),
            statements_router(database, settings),
            operation_router(database, settings),
            *follow_up_routers(database, settings),
            jobs_router(database, *READERS, Role.OPERATOR),
            quiet_router(database),
            invariants_router(database, INVARIANTS),
            personal_data_router(database, HOLDING, settings.erasure_key_days),
            work_router(database, settings, WORK),
            parked_router(database),
            console_router(settings),
        ],
        public=PUBLIC,
        vietnamese=VIETNAMESE,
    )
    app.state.on_leaving = feed.close
    # Weak lines: figures and pages travel compressed; files that are compressed inside already do not.
    packed = (*DEFAULT_EXCLUDED_CONTENT_TYPES, sheets.MEDIA["xlsx"], "application/pdf")
    app.add_middleware(GZipMiddleware, minimum_size=600, compresslevel=5, exclude_content_types=packed)
    return app


async def run(settings: Settings) -> None:
    """The worker: consumers, rebuild jobs, what was written at units that ended, next months' partitions."""
    read_all()
    db = make_database(settings)

    async def do_rebuild(job: Job) -> dict[str, object]:
        return await rebuild.rebuild(db, job)

    async def do_again(job: Job) -> dict[str, object]:
        return await statutory_again.make_again(db, job)

    handlers = {rebuild.KIND: do_rebuild, rebuild.AFTER_UPGRADE: do_rebuild, statutory_again.KIND: do_again}
    runner = JobRunner(db, handlers, owner=owner_name(), lease_seconds=settings.job_lease_seconds)
    loops = [
        Loop("jobs", every(1.0, runner.run_one)),
        Loop("followed_units", every(_FOLLOW_SECONDS, lambda: followed.follow(db, today(settings)))),
        Loop("partitions", every(_DAY_SECONDS, lambda: rebuild.extend_log(db))),
    ]
    await run_worker(settings, db, "reporting", SUBSCRIPTIONS, loops, invariants=INVARIANTS, retention=HOLDING.retention)


if __name__ == "__main__":
    service_main("reporting", Settings, make_app, run)
