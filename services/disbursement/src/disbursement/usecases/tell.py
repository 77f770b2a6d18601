"""Telling people of their payments: found cycle by cycle, sent by SMS outside quiet hours, asked for, printed, handed over."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, etags
from common.actor import SYSTEM, Actor
from common.clock import VIETNAM, now
from common.contracts.disbursement_v1 import Channel
from common.db import Database, Tx
from common.ids import new_id
from common.problems import InvalidInput, NotFound
from common.telemetry import get_logger
from disbursement.channels.protocol import NoAnswer
from disbursement.channels.sms import Sms, SmsGateway, SmsStatus, SmsWord
from disbursement.domain.cash import media_type_of
from disbursement.domain.errors import UnknownUnit
from disbursement.domain.telling import ASK_SECONDS, Amounts, Content, Occasion, TellingState, in_quiet_hours, message
from disbursement.domain.telling_errors import NobodyToPrint, SameFiler, SheetHandedOver
from disbursement.settings import Settings
from disbursement.storage import cycles, tellings, units
from disbursement.usecases.breaker import Breaker

__all__ = ["PROOF_FIELD", "Teller", "correct_proof", "hand_over_sheet", "look_through", "make_sheet", "open_proof"]

PROOF_FIELD: Final = "telling_proof"
FOUND_AT_ONCE: Final = 20_000
SENT_AT_ONCE: Final = 200
ASKED_AT_ONCE: Final = 1_000
_LEASE_SECONDS: Final = 30
_S = TellingState
_log = get_logger(__name__)
Move = tuple[UUID, str, str | None, int | None]


@dataclass
class Teller:
    """The loop of one worker. Without a gateway everybody is told by the commune's list."""

    db: Database
    settings: Settings
    gateway: SmsGateway | None = None
    clock: Callable[[], datetime] = now
    breaker: Breaker = field(default_factory=Breaker)
    actor: Actor = field(default_factory=lambda: SYSTEM("telling"))

    async def round(self) -> bool:
        """Find, send, ask. True when there may be more to do at once."""
        found = await self.find()
        if self.gateway is None:
            return found
        return any([found, await self.send(), await self.ask()])

    async def find(self) -> bool:
        """Look through one cycle. True when it gave as many as one look takes."""
        async with self.db.transaction(self.actor) as tx:
            cycle_id = await tellings.claim_cycle(tx)
            if cycle_id is None:
                return False
            count = await look_through(tx, cycle_id, self.settings)
            if count >= FOUND_AT_ONCE:
                await tx.execute("UPDATE telling_round SET next_at = now() WHERE cycle_id = :id", id=cycle_id)
        return count >= FOUND_AT_ONCE

    async def send(self) -> bool:
        """Send what waits, where no telephone sleeps. True when something was sent."""
        hour = self.clock().astimezone(VIETNAM).hour
        if (
            self.gateway is None
            or in_quiet_hours(hour, self.settings.sms_quiet_from, self.settings.sms_quiet_to)
            or not self.breaker.allows()
        ):
            return False
        async with self.db.transaction(self.actor) as tx:
            rows = await tellings.claim_sending(tx, SENT_AT_ONCE)
            gone = [row for row in rows if row["phone_token"] is None]
            if gone:  # the phone left the register meanwhile
                await tellings.move(tx, [(row["telling_id"], _S.TO_PRINT, "NO_PHONE", None) for row in gone])
            ready = [row for row in rows if row["phone_token"] is not None]
            texts = [row["text"] or _text(row, self.settings.tell_amounts, ascii_only=self.settings.sms_unaccented) for row in ready]
            await tellings.store_texts(tx, [row["telling_id"] for row in ready], texts, _LEASE_SECONDS)
        if not ready:
            return bool(rows)
        sms = [Sms(row["reference"], row["phone_token"], text) for row, text in zip(ready, texts, strict=True)]
        try:
            words = await self.gateway.send(sms)
            self.breaker.succeeded()
        except NoAnswer as error:
            self.breaker.failed()
            _log.warning("sms.no_answer", code=error.reason, texts=len(sms))
            await self._record([(row["telling_id"], _S.UNKNOWN, error.reason, ASK_SECONDS[0]) for row in ready])
            return False
        await self._record([_sent(row["telling_id"], words.get(row["reference"])) for row in ready])
        return True

    async def ask(self) -> bool:
        """Ask for receipts and for texts nobody knows about. True when something was learnt."""
        if self.gateway is None or not self.breaker.allows():
            return False
        async with self.db.transaction(self.actor) as tx:
            rows = await tellings.claim_asking(tx, ASK_SECONDS, self.settings.sms_receipt_hours, ASKED_AT_ONCE)
        if not rows:
            return False
        try:
            words = await self.gateway.receipts([row["reference"] for row in rows])
            self.breaker.succeeded()
        except NoAnswer as error:
            self.breaker.failed()
            _log.warning("sms.no_receipts", code=error.reason, texts=len(rows))
            return False
        moves = [move for row in rows if (move := _learnt(row, words.get(row["reference"]))) is not None]
        await self._record(moves)
        return bool(moves)

    async def _record(self, moves: Sequence[Move]) -> None:
        if moves:
            async with self.db.transaction(self.actor) as tx:
                await tellings.move(tx, moves)
                states = Counter(str(state) for _, state, *_ in moves)
                what = audit.Bulk.of((move[0] for move in moves), after={"states": states})
                await audit.record(tx, "telling.learnt", "telling", "many", what)


def _text(row: RowMapping, amounts: Amounts, *, ascii_only: bool) -> str:
    channel = Channel(row["channel"]) if row["channel"] else None
    content = Content(Occasion(row["occasion"]), row["beneficiary_name"], row["month"], row["amount"], channel, row["payee_name"])
    return message(content, amounts, ascii_only=ascii_only)


def _sent(telling_id: UUID, word: SmsWord | None) -> Move:
    """What an answer to sending does to one text."""
    if word is None or word.status is SmsStatus.NOT_FOUND:
        return telling_id, _S.UNKNOWN, "ANSWER_UNREADABLE", ASK_SECONDS[0]
    if word.status in {SmsStatus.REFUSED, SmsStatus.FAILED}:
        return telling_id, _S.TO_PRINT, word.code or word.status.value, None
    return telling_id, _S.DELIVERED if word.status is SmsStatus.DELIVERED else _S.SENT, None, ASK_SECONDS[0]


def _learnt(row: RowMapping, word: SmsWord | None) -> Move | None:
    """What a receipt does to one text; None: nothing new, it is asked for again. Whoever is not reached in time goes on the list."""
    telling_id: UUID = row["telling_id"]
    status = word.status if word else None
    if status is SmsStatus.DELIVERED:
        return telling_id, _S.DELIVERED, None, None
    if status in {SmsStatus.REFUSED, SmsStatus.FAILED}:
        return telling_id, _S.TO_PRINT, (word.code if word else None) or str(status), None
    if row["patience_over"]:
        return telling_id, _S.TO_PRINT, "NO_RECEIPT", None
    if row["state"] == _S.UNKNOWN and status is SmsStatus.NOT_FOUND:
        return telling_id, _S.READY, "NOT_FOUND", 0
    if row["state"] == _S.UNKNOWN and status is SmsStatus.ACCEPTED:
        return telling_id, _S.SENT, None, ASK_SECONDS[1]
    return None


async def look_through(tx: Tx, cycle_id: UUID, settings: Settings) -> int:
    """Add the people of a cycle who are to be told now; how many."""
    occasions = [str(name) for name in settings.tell_occasions]
    found = await tellings.find_new(tx, cycle_id, occasions, sms=settings.sms_url is not None, limit=FOUND_AT_ONCE)
    if found:
        await audit.record(tx, "telling.find", "cycle", cycle_id, audit.Bulk.of(found))
    return len(found)


async def make_sheet(tx: Tx, actor: Actor, cycle_id: UUID, unit_code: str, business_date: date) -> UUID:
    """Make the printed list of everyone in a unit who is not reached by telephone. Raises NotFound, UnknownUnit, NobodyToPrint."""
    path = await units.path_of(tx, unit_code, business_date)
    if path is None:
        raise UnknownUnit(f"{unit_code} on {business_date}", errors=[{"field": "unit_code", "detail": "not known on the business date"}])
    cycle = await cycles.by_id(tx, cycle_id, lock=True)  # one list of a cycle at a time: their numbers follow one another
    if cycle is None or not actor.sees(path) or not _nested(cycle["unit_path"], path):
        raise NotFound("No such cycle for this unit in your scope")
    sheet_id = new_id()
    rows, digest = await tellings.sheet_make(
        tx,
        {"sheet_id": sheet_id, "cycle_id": cycle_id, "unit_code": unit_code, "unit_path": path, "made_by": actor.subject,
         "business_date": business_date},
    )  # fmt: skip
    if not rows:
        raise NobodyToPrint(f"Nobody in {unit_code} waits for a list")
    await audit.record(tx, "telling.print", "telling_sheet", sheet_id, audit.Bulk(rows, digest, {"unit_path": path}))
    return sheet_id


def _nested(above: str, below: str) -> bool:
    return below == above or below.startswith(above + "/")


async def hand_over_sheet(
    db: Database, actor: Actor, sheet_id: UUID, *, on: date, name: str, content: bytes, not_met: Sequence[UUID]
) -> dict[str, int]:
    """File the signed copy of a list as proof. Raises NotFound, SheetHandedOver, EvidenceRefused, InvalidInput."""
    media_type_of(content)  # what is no scan, or of a day to come, is never filed
    if on > now().astimezone(VIETNAM).date():
        raise InvalidInput(errors=[{"field": "handed_over_on", "detail": "a day that has not come"}])
    async with db.transaction(actor) as tx:
        sheet = await tellings.sheet_by_id(tx, actor, sheet_id, lock=True)
        if sheet is None:
            raise NotFound("No such list")
        if sheet["state"] != "PRINTED":
            raise SheetHandedOver()
        if on < sheet["business_date"]:
            raise InvalidInput(errors=[{"field": "handed_over_on", "detail": "before the list was made"}])
        if db.keyring is None:
            raise RuntimeError("disbursement needs its keyring")
        digest = hashlib.sha256(content).digest()
        sealed = db.keyring.encrypt(PROOF_FIELD, content)
        told, back = await tellings.sheet_hand_over(
            tx, sheet_id, on=on, by=actor.subject, name=name, content=sealed, sha256=digest, not_met=not_met
        )
        if back != len(set(not_met)):
            raise InvalidInput(errors=[{"field": "not_met", "detail": "somebody named is not on this list"}])
        after = {"state": "HANDED_OVER", "handed_over_on": on}
        what = audit.Changed.of(sheet, after, *after, told=told, not_met=back, sha256=digest.hex())
        await audit.record(tx, "telling.hand_over", "telling_sheet", sheet_id, what)
    return {"told": told, "not_met": back}


async def correct_proof(
    db: Database, actor: Actor, sheet_id: UUID, *, version: int, on: date, name: str, content: bytes, not_met: Sequence[UUID], reason: str
) -> dict[str, int]:
    """Another signed copy takes the place of the filed one, by somebody else than who filed that; the one before is kept with the reason.

    Raises NotFound, PreconditionFailed, SameFiler, EvidenceRefused, InvalidInput.
    """
    media_type_of(content)
    if on > now().astimezone(VIETNAM).date():
        raise InvalidInput(errors=[{"field": "handed_over_on", "detail": "a day that has not come"}])
    async with db.transaction(actor) as tx:
        sheet = await tellings.sheet_by_id(tx, actor, sheet_id, lock=True)
        if sheet is None or sheet["proof"] is None:
            raise NotFound("No signed copy is filed")
        etags.check(sheet["version"], version)
        if sheet["handed_over_by"] == actor.subject:
            raise SameFiler()
        if on < sheet["business_date"]:
            raise InvalidInput(errors=[{"field": "handed_over_on", "detail": "before the list was made"}])
        if db.keyring is None:
            raise RuntimeError("disbursement needs its keyring")
        digest = hashlib.sha256(content).digest()
        sealed = db.keyring.encrypt(PROOF_FIELD, content)
        told, back = await tellings.sheet_correct(
            tx, sheet_id, on=on, by=actor.subject, name=name, content=sealed, sha256=digest, not_met=not_met, reason=reason
        )
        if back != len(set(not_met)):
            raise InvalidInput(errors=[{"field": "not_met", "detail": "somebody named was not told by this list"}])
        after = {"handed_over_on": on, "version": version + 1}
        what = audit.Changed.of(sheet, after, *after, told=told, not_met=back, sha256=digest.hex(), reason=reason)
        await audit.record(tx, "telling.replace_proof", "telling_sheet", sheet_id, what)
    return {"told": told, "not_met": back}


async def open_proof(db: Database, actor: Actor, sheet_id: UUID, purpose: str, version: int | None = None) -> tuple[str, bytes]:
    """The signed copy (or, by its `version`, one that was replaced), for somebody who says why; audited. Raises NotFound."""
    async with db.transaction(actor) as tx:
        sheet: Any = await tellings.sheet_by_id(tx, actor, sheet_id)
        copy = sheet
        if sheet is not None and version is not None and version != sheet["version"]:
            copy = await tellings.sheet_copy(tx, sheet_id, version)
        if copy is None or copy["proof"] is None or db.keyring is None:
            raise NotFound("No signed copy is filed")
        read = audit.Read(purpose, {"file": copy["proof_name"], "version": version or sheet["version"]})
        await audit.record(tx, "telling.read_proof", "telling_sheet", sheet_id, read)
        return copy["proof_name"], db.keyring.decrypt_bytes(PROOF_FIELD, copy["proof"])
