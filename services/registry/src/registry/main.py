"""registry: `python -m registry.main api|worker|migrate`."""

from __future__ import annotations

from fastapi import FastAPI

from common import audit
from common.actor import SYSTEM, Role
from common.cli import service_main
from common.clock import today
from common.db import Database, Tx
from common.invariants import invariants_router
from common.jobs import JobRunner
from common.parking import parked_router
from common.personal_data_api import personal_data_router
from common.sealing import Keyring
from common.web import create_app, jobs_router, quiet_router
from common.work_list import work_router
from common.worker import Loop, every, owner_name, run_worker
from registry.api import bulk, dues, duplicates, exchange, history, imports, living, papers, people, remaps, travel, uncollected, units
from registry.api.examples import EXAMPLES
from registry.domain.problem_words import VIETNAMESE
from registry.messaging.subscriptions import SUBSCRIPTIONS
from registry.settings import Settings
from registry.storage import catalogue
from registry.storage import duplicates as duplicate_storage
from registry.storage import travel as travel_storage
from registry.storage import units as unit_storage
from registry.storage.invariants import INVARIANTS
from registry.storage.personal_data import HOLDING
from registry.storage.work import WORK
from registry.usecases.campaigns import GIVE, LIST, Giver, Lister
from registry.usecases.data_sets import BUILD, Builder
from registry.usecases.duplicates import SCAN, Scanner
from registry.usecases.importing import importer
from registry.usecases.law_changes import LawKeeper
from registry.usecases.recomputing import RECOMPUTE, Recomputer
from registry.usecases.remapping import REMAP, Remapper
from registry.usecases.representatives import EXPIRE, Expirer
from registry.usecases.unit_work import APPLY_WORK, WorkApplier
from registry.usecases.what_ifs import WHAT_IF, WhatIf

__all__ = ["SERVICE", "load_reference_data", "make_app", "make_jobs", "work"]

SERVICE = "registry"
SEALED = ("attachment", "data_set", "ethnicity", "insurance_answer", "national_number", "phone", "second_number", "self_registration")
"""Fields that lie encrypted in this service's tables."""

_IDLE_SECONDS = 0.2
_COMPARE_SECONDS = 1.0
_EXPIRY_SECONDS = 600.0
_LAW_SECONDS = 600.0
_ASKERS = (
    Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR, Role.OPERATOR
)  # fmt: skip


def _database(settings: Settings) -> Database:
    keyring = Keyring.load(settings.keys_file, SERVICE)
    return Database(settings.database_url, pool_size=settings.database_pool_size, keyring=keyring, application=SERVICE)


async def _imports_open(tx: Tx) -> dict[str, int]:
    """Lists received or approved and not worked off; lists waiting for a person do not disturb the quiet."""
    return {"imports_open": int(await tx.value("SELECT count(*) FROM import_file WHERE state IN ('RECEIVED', 'APPROVED')"))}


async def _not_compared(tx: Tx) -> dict[str, int]:
    """Changed people not yet compared with the register: a list made now might miss a duplicate."""
    return {"changes_not_compared": await duplicate_storage.unscanned(tx)}


def make_app(settings: Settings, db: Database | None = None) -> FastAPI:
    """The API; `db` replaces the database of the settings in tests."""
    db = db or _database(settings)
    return create_app(
        title="registry",
        description="Danh bạ người hưởng, quyết định, chế độ và khoản phải chi. People, decisions, benefits and what is due.",
        settings=settings,
        db=db,
        vietnamese=VIETNAMESE,
        examples=EXAMPLES,
        routers=[
            imports.make_router(db),
            travel.make_router(db),
            people.make_router(db),
            *living.routers(db),
            uncollected.make_router(db),
            *papers.routers(db),
            *dues.routers(db),
            remaps.make_router(db),
            units.make_router(db),
            history.make_router(db),
            duplicates.make_router(db),
            *exchange.routers(db),
            jobs_router(db, *_ASKERS),
            parked_router(db),
            quiet_router(db, [_imports_open, _not_compared]),
            invariants_router(db, INVARIANTS),
            personal_data_router(db, HOLDING, settings.erasure_key_days),
            work_router(db, settings, WORK),
        ],
        body_limits={
            "/v1/imports": settings.import_max_bytes,
            "/v1/insurance-lists": settings.import_max_bytes,
            "/v1/bulk": bulk.BODY_BYTES,
            "/v1/attachments": settings.attachment_max_bytes,
            "/v1/group-lists/file": settings.import_max_bytes,
            "/v1/law-changes": settings.import_max_bytes,
            "/v1/surveys": 8 * 1024 * 1024,
        },
    )


def make_jobs(db: Database, settings: Settings) -> JobRunner:
    """The jobs of the worker: checking and applying lists, computing dues anew."""
    lists = importer(db, apply_rows=settings.import_apply_rows, second_above=settings.import_second_person_above)
    recomputer = Recomputer(db, at_once=settings.import_apply_rows)
    handlers = {**lists.handlers(), RECOMPUTE: recomputer.run, SCAN: Scanner(db).run, EXPIRE: Expirer(db).run}
    at_once = settings.import_apply_rows
    handlers |= {GIVE: Giver(db, at_once=at_once).run, LIST: Lister(db, at_once=at_once).run}
    handlers |= {REMAP: Remapper(db, at_once=at_once).run, APPLY_WORK: WorkApplier(db, at_once=at_once).run}
    handlers |= {BUILD: Builder(db).run, WHAT_IF: WhatIf(db, at_once=at_once).run}
    return JobRunner(db, handlers, owner=owner_name(), lease_seconds=settings.job_lease_seconds)


async def work(settings: Settings) -> None:
    """The worker: jobs, the sweep of ended rights, duplicates, consumer and relay."""
    db = _database(settings)
    loops = [
        Loop("jobs", every(_IDLE_SECONDS, make_jobs(db, settings).run_one)),
        Loop("expiry", every(_EXPIRY_SECONDS, lambda: Expirer(db).run_once(settings.business_date))),
        Loop("duplicates", every(_COMPARE_SECONDS, Scanner(db).run_once)),
        Loop("law", every(_LAW_SECONDS, lambda: LawKeeper(db).run_once(today(settings)))),
    ]
    await run_worker(settings, db, SERVICE, SUBSCRIPTIONS, loops, invariants=INVARIANTS, retention=HOLDING.retention)


async def load_reference_data(settings: Settings) -> None:
    """Load catalogue and units with the owner role; loading the same files again changes nothing."""
    db = Database(settings.owner_database_url or settings.database_url, pool_size=1, application=SERVICE)
    try:
        async with db.transaction(SYSTEM("migrate")) as tx:
            changed = await catalogue.load(tx, today(settings)) | await unit_storage.load(tx, today(settings))
            changed |= await travel_storage.load_holidays(tx)
            if any(changed.values()):
                what = audit.Bulk(sum(changed.values()), catalogue.files_digest(), changed)
                await audit.record(tx, "catalogue.load", "catalogue", "files", what)
    finally:
        await db.close()


if __name__ == "__main__":
    service_main("registry", Settings, make_app, work, after_migrate=load_reference_data, sealed=SEALED)
