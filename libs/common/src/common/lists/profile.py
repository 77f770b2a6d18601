"""What a service gives the mechanism: its columns, its check of one row, its application of good rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from common.lists.headers import ColumnSpec
from common.lists.reasons import Reason
from common.sealing import Keyring

__all__ = ["Checked", "ListProfile", "Upload", "Who"]


@dataclass(frozen=True, slots=True)
class Checked:
    """One row as understood: refused when it has reasons; `values` are the service's own columns of `import_row`."""

    reasons: Sequence[Reason]
    warnings: Sequence[Reason]
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """A list as uploaded; `own` are the service's own columns of `import_file`."""

    content: bytes
    file_name: str
    unit_code: str
    business_date: date
    dry_run: bool
    sheet: str = ""
    own: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Who:
    """How a row is named to people: name in answers, header in files, SQL over `import_row r` (masked where it must be)."""

    name: str
    header: str
    sql: str


async def _nothing(_tx: Tx, _ids: Sequence[UUID]) -> None:
    return


async def _nothing_of(_tx: Tx, _import_id: UUID) -> None:
    return


@dataclass(frozen=True, slots=True)
class ListProfile:
    """One service's lists.

    `judge` compares staged rows with each other and with what is known; `apply` applies at most so many good rows of approved imports
    and returns how many it worked off (0: none left); `same_row` is SQL over a waiting row `w` and a row `a` applied later that holds
    when `a` is `w` corrected; `forget` is asked before a list's rows are taken back to be
    checked anew; `once` are the columns of `import_file` by which the same bytes are the same list.
    """

    columns: tuple[ColumnSpec, ...]
    row_columns: tuple[str, ...]
    who: tuple[Who, ...]
    unit_path: Callable[[Tx, Actor, str, date], Awaitable[str | None]]
    rules: Callable[[Tx, RowMapping], Awaitable[Any]]
    check: Callable[[Keyring, Mapping[str, str], Any], Checked]
    judge: Callable[[Tx, UUID], Awaitable[None]]
    needs_second: Callable[[Tx, UUID], Awaitable[bool]]
    apply: Callable[[Tx, Sequence[UUID], int], Awaitable[int]]
    same_row: str
    once: tuple[str, ...]
    own: tuple[str, ...] = ()
    listed: str = "TRUE"
    before_approve: Callable[[Tx, Sequence[UUID]], Awaitable[None]] = _nothing
    forget: Callable[[Tx, UUID], Awaitable[None]] = _nothing_of
    after_apply: Callable[[Tx, Sequence[UUID]], Awaitable[None]] = _nothing
    failpoint: str | None = None
