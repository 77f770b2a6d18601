"""accounts: `python -m accounts.main api|worker|migrate`."""

from __future__ import annotations

from fastapi import FastAPI

from accounts.api import imports
from accounts.api.alerts import alerts_router
from accounts.api.directory import directory_router
from accounts.api.examples import EXAMPLES
from accounts.api.lists import lists_router
from accounts.api.openings import PUBLIC, openings_router
from accounts.api.payees import payees_router
from accounts.api.routes import WATCHERS, make_router
from accounts.domain.problem_words import VIETNAMESE
from accounts.messaging.subscriptions import SUBSCRIPTIONS
from accounts.providers.directory import load_directory
from accounts.providers.inquiry import NameInquiry, load_inbound_secrets, load_partners
from accounts.settings import Settings
from accounts.storage.invariants import INVARIANTS
from accounts.storage.personal_data import HOLDING
from accounts.storage.work import WORK
from accounts.usecases import directory as directory_uses
from accounts.usecases import recheck_accounts
from accounts.usecases.check_accounts import AccountChecker
from accounts.usecases.cut_off import pass_on_once
from accounts.usecases.importing import APPLY, CHECK, Importer
from accounts.usecases.say_again import say_again_once
from accounts.usecases.views import work_left
from common.actor import SYSTEM
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

__all__ = ["SERVICE", "load_reference_data", "make_app", "work"]

SERVICE = "accounts"
SEALED = ("account_number", "complaint", "home_reason", "opening_result")
"""Fields that lie encrypted in this service's tables."""

_JOBS_SECONDS = 0.2
_IDLE_SECONDS = 0.5
_DIRECTORY_SECONDS = 5.0
_PLAN_SECONDS = 600.0


def _database(settings: Settings) -> tuple[Database, Keyring]:
    keyring = Keyring.load(settings.keys_file, SERVICE)
    return Database(settings.database_url, pool_size=settings.database_pool_size, keyring=keyring, application=SERVICE), keyring


def make_app(settings: Settings, db: Database | None = None) -> FastAPI:
    """The API; `db` replaces the database of the settings in tests."""
    if db is None:
        db, _ = _database(settings)
    known = load_directory()
    return create_app(
        title="accounts",
        description="Tài khoản nhận trợ cấp và hình thức chi trả. Payout accounts of payees, and how each person is to be paid.",
        settings=settings,
        examples=EXAMPLES,
        vietnamese=VIETNAMESE,
        db=db,
        routers=[
            imports.make_router(db),
            make_router(db),
            directory_router(db, known),
            payees_router(db, known),
            alerts_router(db),
            openings_router(db, load_inbound_secrets(settings.partners_file)),
            lists_router(db),
            jobs_router(db, *WATCHERS),
            cut_offs_router(db, *WATCHERS),
            quiet_router(db, [work_left]),
            invariants_router(db, INVARIANTS),
            personal_data_router(db, HOLDING, settings.erasure_key_days),
            work_router(db, settings, WORK),
            parked_router(db),
        ],
        body_limits={"/v1/imports": settings.import_bytes, "/v1/opening-results": settings.import_bytes},
        public=PUBLIC,
    )


async def work(settings: Settings) -> None:
    """The worker: projection, lists, name inquiries, cut-offs."""
    db, keyring = _database(settings)
    inquiry = NameInquiry(keyring, load_partners(settings.partners_file), timeout_seconds=settings.inquiry_timeout_seconds)
    known = load_directory()
    checker = AccountChecker(db, inquiry, known, settings)
    importer = Importer(db, known, apply_rows=settings.apply_rows, second_above=settings.import_second_person_above)
    runner = JobRunner(db, {CHECK: importer.check, APPLY: importer.apply}, owner=owner_name(), lease_seconds=settings.job_lease_seconds)

    async def pass_on() -> bool:
        return await pass_on_once(db, settings)

    async def say_again() -> bool:
        return await say_again_once(db)

    async def plan_rechecks() -> bool:
        return await recheck_accounts.plan_due(db, settings)

    async def follow_directory() -> bool:
        return await directory_uses.refresh(db, known)

    lanes = [Loop(f"inquiry-{number}", every(_IDLE_SECONDS, checker.run_once)) for number in range(1, settings.lanes + 1)]
    loops = [
        Loop("jobs", every(_JOBS_SECONDS, runner.run_one)),
        Loop("waiting-rows", every(_IDLE_SECONDS, importer.retry_waiting)),
        Loop("cut-off", every(_IDLE_SECONDS, pass_on)),
        Loop("say-again", every(_IDLE_SECONDS, say_again)),
        Loop("rechecks", every(_PLAN_SECONDS, plan_rechecks)),
        Loop("directory", every(_DIRECTORY_SECONDS, follow_directory)),
        *lanes,
    ]
    try:
        await run_worker(settings, db, SERVICE, SUBSCRIPTIONS, loops, invariants=INVARIANTS, retention=HOLDING.retention)
    finally:
        await inquiry.close()


async def load_reference_data(settings: Settings) -> None:
    """Load the provider directory and new settings with the owner role; loading the same files again changes nothing."""
    db = Database(settings.owner_database_url or settings.database_url, pool_size=1, application=SERVICE)
    try:
        async with db.transaction(SYSTEM("migrate")) as tx:
            await directory_uses.load_reference(tx)
    finally:
        await db.close()


if __name__ == "__main__":
    service_main("accounts", Settings, make_app, work, after_migrate=load_reference_data, sealed=SEALED)
