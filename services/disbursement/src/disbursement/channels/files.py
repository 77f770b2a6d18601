"""What all file channels share: who pays, how a file reaches the partner, and text that a bank's narrow character set takes.

A file that was handed over is not accepted: its payments are UNKNOWN until an acknowledgement or a statement tells of them. It is
never sent again by itself; a person does that, the same bytes under the same message id.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx

from common import clock
from common.http import AnswerTooLarge, read_bounded
from common.sealing import Keyring
from common.webhooks import sign
from disbursement.channels.api import opened
from disbursement.channels.partners import Partner, Payer
from disbursement.channels.protocol import CannotBuildBatch, Delivered, InstructionLine, NoAnswer, PartnerResult
from disbursement.domain.reasons import AWAITING_ACKNOWLEDGEMENT, FILE_WAITS, PAYER_MISSING

__all__ = ["FileChannel", "bounded", "latin"]

LineT = TypeVar("LineT")
_NOT_LATIN: Final = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_ANSWER_BYTES: Final = 64 * 1024


def latin(text: str, length: int) -> str:
    """Text in the character set that payment files agree on (letters without accents, digits, `/-?:().,'+`), cut to `length`."""
    plain = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(_NOT_LATIN.sub(" ", bare).split())[:length].strip()


class FileChannel:
    """One partner that takes files. A subclass says how a file is written and how its acknowledgement is read."""

    media_type: str = "application/octet-stream"
    suffix: str = "bin"

    def __init__(self, partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> None:
        self.partner = partner
        self._http = http
        self._keyring = keyring

    @property
    def answers_inquiries(self) -> bool:
        """A file cannot be asked after: its acknowledgement and the statement tell."""
        return False

    def file_name(self, batch_reference: str) -> str | None:
        """The message id and the form; nothing of programme or person."""
        return f"{batch_reference}.{self.suffix}"

    def payer(self) -> Payer:
        """Our paying account at this partner. Raises CannotBuildBatch where its row names none."""
        if self.partner.payer is None:
            raise CannotBuildBatch(PAYER_MISSING, f"partner {self.partner.name} has no `payer` in the partners file")
        return self.partner.payer

    def opened(self, lines: Sequence[InstructionLine], write: Callable[[InstructionLine, str], LineT]) -> list[LineT]:
        """`write(line, account number)` of every line. Raises CannotBuild naming all that cannot be written."""
        return opened(self._keyring, lines, write)

    async def send(self, batch_reference: str, body: bytes, references: frozenset[str]) -> Delivered:
        """Upload stored bytes, or leave them for a person to take. Raises NoAnswer when nobody can say whether they arrived."""
        if self.partner.delivery == "MANUAL":
            return Delivered(FILE_WAITS)
        name = self.file_name(batch_reference)
        headers = {
            "content-type": self.media_type,
            "x-payments": str(len(references)),
            **sign(self.partner.outbound_secret, batch_reference, clock.now(), body),
        }
        try:
            async with asyncio.timeout(self.partner.timeout_seconds):
                url = f"{self.partner.url}/v1/files/{name}"
                async with self._http.stream("PUT", url, content=body, headers=headers) as response:
                    await read_bounded(response, _ANSWER_BYTES)
        except (httpx.HTTPError, TimeoutError, AnswerTooLarge) as error:
            raise NoAnswer("NO_ANSWER", type(error).__name__) from error
        if response.status_code not in (200, 201, 202, 204):
            raise NoAnswer("PARTNER_ERROR", f"HTTP {response.status_code}")
        return Delivered(AWAITING_ACKNOWLEDGEMENT)

    async def inquire(self, references: Sequence[str], inquiry_id: UUID) -> list[PartnerResult]:
        """Nobody can be asked. Raises NoAnswer, should somebody try."""
        raise NoAnswer("NO_ANSWER", f"inquiry {inquiry_id} of {len(references)}: files answer no inquiries")


def bounded(value: Any, length: int = 100) -> str | None:
    """Text the database takes (it stores no NUL), bounded; None for nothing."""
    return str(value).replace("\x00", "")[:length] if value else None
