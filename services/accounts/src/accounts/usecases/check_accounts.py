"""Ask whose accounts they are: claim in one transaction, call the partner outside of any, record answers and events in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.domain.directory import Directory
from accounts.domain.outcome import INQUIRY_FORBIDDEN, PAYMENT_FAILURES, Answer, Outcome, judge
from accounts.domain.policy import VneidUse
from accounts.providers.inquiry import Asked, NameInquiry
from accounts.settings import Settings
from accounts.storage import accounts, people, policy
from accounts.storage.accounts import Claimed
from accounts.usecases.publish import publish_accounts
from common import audit, tracing
from common.actor import SYSTEM
from common.contracts.accounts_v1 import AccountStatus
from common.contracts.disbursement_v1 import PaymentFailed, PaymentReturned
from common.contracts.identity_verify_v1 import VerificationState
from common.db import Database, Tx
from common.ids import new_id
from common.outside import Breaker

__all__ = ["AccountChecker", "note_failed_payments", "note_police_answers"]

_ACTOR: Final = SYSTEM("accounts")


class AccountChecker:
    """One lane of work; several run side by side, in this process and in others."""

    def __init__(self, db: Database, inquiry: NameInquiry, directory: Directory, settings: Settings) -> None:
        self._db = db
        self._directory = directory
        self._inquiry = inquiry
        self._settings = settings
        self._breaker = Breaker(
            "partner_state", "partner", first_seconds=settings.backoff_first_seconds, longest_seconds=settings.backoff_longest_seconds
        )

    async def run_once(self) -> bool:
        """Take one batch through. Returns whether there was any that may be asked about now."""
        owner = str(new_id())
        async with self._db.transaction(_ACTOR) as tx:
            batch = await accounts.claim(
                tx,
                owner=owner,
                partners=self._directory.partners,
                limit=self._settings.batch_size,
                lease_seconds=self._settings.lease_seconds,
            )
            vneid = any(item.source == "VNEID" for item in batch)
            forbidden = vneid and await policy.text(tx, VneidUse.NAME_INQUIRY) != "ALLOW"
        if not batch:
            return False
        # What is said of an account has its payee for a key, what is said of the way to be paid its beneficiary.
        led = (((item.payee_id, item.via_beneficiary_id), item.traceparent) for item in batch)
        with tracing.going_on("accounts check", led, "ansinh_asked", ansinh_partner=batch[0].partner) as traces:
            await self._check(owner, batch, traces, forbidden=forbidden)
        return True

    async def _check(self, owner: str, batch: Sequence[Claimed], traces: Mapping[UUID, str], *, forbidden: bool) -> None:
        partner = batch[0].partner
        kept = [item for item in batch if forbidden and item.source == "VNEID"]
        asked = [item for item in batch if not (forbidden and item.source == "VNEID")]
        answers = await self._ask(owner, partner, asked) if asked else []
        if answers is None:
            return
        judged: list[tuple[Claimed, Outcome | None]] = [(item, INQUIRY_FORBIDDEN) for item in kept]
        judged += [(item, judge(item.payee_name, answer)) for item, answer in zip(asked, answers, strict=True)]
        judged = [(item, _as_accepted(item, outcome)) for item, outcome in judged]
        async with self._db.transaction(_ACTOR) as tx:
            tx.traces = traces
            await accounts.take_record_lock(tx)
            recorded = await accounts.record(tx, owner, [(item.account_id, outcome) for item, outcome in judged if outcome is not None])
            await publish_accounts(tx, await accounts.settle(tx, recorded))
            if recorded:
                found = dict(Counter(outcome.status.value for item, outcome in judged if outcome is not None))
                await audit.record(tx, "account.check", "batch", owner, audit.Bulk.of(recorded, partner=partner, answers=found))
            unanswered = [item.account_id for item, outcome in judged if outcome is None]
            if unanswered:
                wait = self._settings.backoff_first_seconds
                await accounts.put_back(tx, owner, unanswered, error="no answer on this account", wait_seconds=wait, counted=True)
            if asked:
                await self._breaker.ok(tx, partner)

    async def _ask(self, owner: str, partner: str, asked: Sequence[Claimed]) -> list[Answer] | None:
        questions = [Asked(item.provider_code, bytes(item.number_cipher), item.number_token) for item in asked]

        async def put_back(tx: Tx, error: str) -> None:
            # Accounts stay due: the breaker holds them back, so that they are asked about as soon as it closes.
            await accounts.put_back(tx, owner, [item.account_id for item in asked], error=error, wait_seconds=0, counted=False)

        return await self._breaker.guard(
            self._db, _ACTOR, partner, lambda: self._inquiry.ask(partner, questions), put_back, waiting=len(asked)
        )


def _as_accepted(item: Claimed, outcome: Outcome | None) -> Outcome | None:
    """What two people accepted for this identity needs no second look while the provider answers the same."""
    if outcome is None or outcome.status is not AccountStatus.NEEDS_REVIEW or item.accepted_reason is None:
        return outcome
    same = (item.accepted_reason, item.accepted_holder, item.accepted_fingerprint) == (
        outcome.reason,
        outcome.holder_name,
        item.fingerprint,
    )
    return Outcome(AccountStatus.ACTIVE, None, outcome.holder_name) if same else outcome


async def note_failed_payments(tx: Tx, events: Sequence[PaymentFailed | PaymentReturned]) -> None:
    """Back-channel: mark the accounts that failed payments say are closed, invalid or somebody else's, and say so."""
    failed = [
        (event.beneficiary_id, event.payee_id, event.partner, event.account_id, *PAYMENT_FAILURES[event.reason], event.business_date)
        for event in events
        if event.reason in PAYMENT_FAILURES
    ]
    if not failed:
        return
    await people.take_arrival_locks(tx)
    changed = await accounts.mark_failed_payment(tx, failed)
    await publish_accounts(tx, await accounts.settle(tx, [row["account_id"] for row in changed]))
    if changed:
        await audit.record(tx, "account.payment_failed", "batch", events[0].payment_id, _moved(changed))


async def note_police_answers(tx: Tx, events: Sequence[VerificationState]) -> None:
    """The police said, on a list, whether a payee's account is the payee's: a no goes to the work list, a yes is evidence there."""
    answers = [
        (event.subject_id, event.fields["account"], event.checked_on)
        for event in events
        if event.fields.get("account") in ("match", "mismatch")
    ]
    # One person in several roles is answered once a role: the latest day counts, and of one day the no.
    latest = {payee: (payee, answer, day) for payee, answer, day in sorted(answers, key=lambda item: (item[2], item[1]))}
    if not latest:
        return
    await people.take_arrival_locks(tx)
    concerned = await accounts.note_police(tx, list(latest.values()))
    await publish_accounts(tx, await accounts.settle(tx, [row["account_id"] for row in concerned]))
    if concerned:
        await audit.record(tx, "account.police_answer", "batch", concerned[0]["account_id"], _moved(concerned))


def _moved(rows: Sequence[RowMapping]) -> audit.Bulk:
    """Accounts whose state changed together: how many were in which state, and are."""
    before, after = (dict(Counter(row[name] for row in rows)) for name in ("was", "status"))
    return audit.Bulk.of((row["account_id"] for row in rows), before={"status": before}, after={"status": after})
