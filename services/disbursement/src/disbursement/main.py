"""disbursement: `python -m disbursement.main api|worker|migrate`."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI

from common import clock
from common.cli import service_main
from common.db import Database
from common.http import client
from common.invariants import invariants_router
from common.jobs import JobRunner
from common.parking import parked_router
from common.personal_data_api import personal_data_router
from common.sealing import Keyring
from common.web import create_app, jobs_router, quiet_router
from common.work_list import work_router
from common.worker import Loop, every, owner_name, run_worker
from disbursement.api import (
    batches,
    budget_codes,
    budgets,
    calendar,
    cash,
    cycles,
    desk,
    ledger,
    payments,
    precheck,
    quarantine,
    recoveries,
    rulings,
    sending,
    settlements,
    statements,
    suspensions,
    take_overs,
    webhooks,
)
from disbursement.api.common import READERS
from disbursement.api.examples import EXAMPLES
from disbursement.channels.partners import Partner, load_partners
from disbursement.channels.sms import SmsGateway
from disbursement.domain.problem_words import VIETNAMESE
from disbursement.messaging.subscriptions import SUBSCRIPTIONS
from disbursement.settings import Settings
from disbursement.storage.invariants import INVARIANTS
from disbursement.storage.personal_data import HOLDING
from disbursement.storage.read_back import stop_sending
from disbursement.storage.work import WORK
from disbursement.usecases.approving import JOB_KIND as APPROVE
from disbursement.usecases.approving import ListApprover
from disbursement.usecases.compute_list import JOB_KIND, ListComputer
from disbursement.usecases.payment_context import make_payment_context
from disbursement.usecases.payment_loops import payment_loops, payment_probe
from disbursement.usecases.read_back import booked_while_restored
from disbursement.usecases.receive_statement import JOB_KIND as RECONCILE
from disbursement.usecases.reconcile import Reconciler
from disbursement.usecases.tell import Teller
from disbursement.usecases.verify_list import JOB_KIND as VERIFY
from disbursement.usecases.verify_list import ListVerifier

__all__ = ["SERVICE", "make_app", "work"]

SERVICE: Final = "disbursement"
SEALED = ("cash_evidence.content", "partner_notice.body", "payment_batch.request", "shadow_file", "statement.content", "telling_proof")
"""Fields that lie encrypted in this service's tables."""

_IDLE_SECONDS: Final = 0.3
_TELL_SECONDS: Final = 2.0
_NOTICE_BYTES: Final = 8 * 1024 * 1024


def _database(settings: Settings) -> tuple[Database, Keyring]:
    keyring = Keyring.load(settings.keys_file, SERVICE)
    return Database(settings.database_url, pool_size=settings.database_pool_size, keyring=keyring, application=SERVICE), keyring


def _partners(settings: Settings) -> dict[str, Partner]:
    return load_partners(settings.partners_file) if settings.partners_file else {}


def make_app(settings: Settings, db: Database | None = None) -> FastAPI:
    """The API; `db` replaces the database of the settings in tests."""
    if db is None:
        db, _ = _database(settings)
    app = create_app(
        title="disbursement",
        description="Kỳ chi trả, danh sách, duyệt, khoản chi và sổ cái. Cycles, lists, approvals, payments and the ledger.",
        settings=settings,
        examples=EXAMPLES,
        vietnamese=VIETNAMESE,
        db=db,
        routers=[
            webhooks.router,  # first: a flood of forged notices is not compared with the address of every route
            take_overs.make_router(db),
            budgets.make_router(db),
            budget_codes.router,
            batches.router,
            cycles.make_router(db, settings),
            payments.router,
            quarantine.router,
            ledger.router,
            statements.router,
            settlements.router,
            recoveries.router,
            cash.router,
            rulings.router,
            calendar.router,
            precheck.router,
            suspensions.router,
            *sending.ROUTERS,
            *desk.routers(db, settings),
            jobs_router(db, *READERS),
            quiet_router(db, [payment_probe]),
            invariants_router(db, INVARIANTS),
            personal_data_router(db, HOLDING, settings.erasure_key_days),
            work_router(db, settings, WORK),
            parked_router(db),
        ],
        public=("/v1/webhooks/partners/",),  # authenticated by the partner's signature
        body_limits={
            "/v1/webhooks/": _NOTICE_BYTES,
            **batches.BODY_LIMITS,
            **statements.BODY_LIMITS,
            **cash.BODY_LIMITS,
            **desk.BODY_LIMITS,
        },
    )
    app.state.partners = _partners(settings)
    app.state.partner_clock = clock.now
    return app


async def work(settings: Settings) -> None:
    """The worker: projections, list computation, sending, inquiries, notices."""
    db, keyring = _database(settings)
    partners = _partners(settings)
    async with client(to=[*(partner.url for partner in partners.values()), settings.sms_url or ""], timeout=60.0) as http:
        context = make_payment_context(
            db,
            keyring,
            partners,
            http,
            owner_name(),
            grace_days=settings.evidence_grace_days,
            turns=settings.sending_transactions,
        )
        handlers = {
            JOB_KIND: ListComputer(db, settings).run,
            VERIFY: ListVerifier(db).run,
            APPROVE: ListApprover(db, settings).run,
            RECONCILE: Reconciler(db, keyring, booked_out=booked_while_restored(context)).run,
        }
        sms = SmsGateway(settings.sms_url, settings.sms_token, http, keyring) if settings.sms_url else None
        runner = JobRunner(db, handlers, owner=owner_name(), lease_seconds=settings.job_lease_seconds)
        loops = [Loop("jobs", every(_IDLE_SECONDS, runner.run_one)), *payment_loops(context)]
        loops.append(Loop("telling", every(_TELL_SECONDS, Teller(db, settings, sms).round)))
        await run_worker(
            settings, db, SERVICE, SUBSCRIPTIONS, loops, invariants=INVARIANTS, on_restore=stop_sending, retention=HOLDING.retention
        )


if __name__ == "__main__":
    service_main("disbursement", Settings, make_app, work, sealed=SEALED)
