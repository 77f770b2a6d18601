"""What a registration asks for: allowances wait as proposed grants, one paper per decision number, for a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from registry.domain.decisions import Kind
from registry.domain.reasons import Reason, reason
from registry.domain.rows import Category, CheckedRow
from registry.domain.starts import law_month
from registry.storage import proposals as storage
from registry.usecases import decisions

__all__ = ["Paper", "Proposed", "paper_of", "problems", "propose"]

_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Paper:
    """What a registration says of a decision besides a list's cells."""

    signer: str = ""
    certificate_date: date | None = None
    arrears_reason: str | None = None


@dataclass(slots=True)
class Proposed:
    """What waits for a second person."""

    decision_ids: list[UUID] = field(default_factory=list)
    representative_proposals: list[UUID] = field(default_factory=list)


def paper_of(cells: Mapping[str, str]) -> Paper:
    """The paper behind the cells of one allowance."""
    day = cells.get("certificate_date")
    return Paper(cells.get("signer", ""), date.fromisoformat(day) if day else None, cells.get("arrears_reason") or None)


def problems(row: CheckedRow, paper: Paper, category: Category, business_date: date, *, decided: bool) -> list[Reason]:
    """Why this allowance cannot be proposed; `decided`: some authority decides on that programme on the decision's date."""
    found = []
    if row.decision_date is None or row.from_month is None:
        raise RuntimeError("a row without faults has its dates")
    if row.decision_date > business_date:
        found.append(reason("DECISION_AHEAD", "decision_date"))
    if not decided:
        found.append(reason("NO_AUTHORITY", "decision_date"))
    if row.arrears_from is not None and row.arrears_from > row.from_month:
        found.append(reason("ARREARS_AFTER_START", "arrears_from"))
    first = law_month(category, row.decision_date, paper.certificate_date, row.birth_date)
    if min(row.from_month, row.arrears_from or row.from_month) < first and not paper.arrears_reason:
        shown = f"{first:%m/%Y} ({category.start_basis})"
        found.append(reason("BEFORE_LAW", "from_month" if row.from_month < first else "arrears_from", shown))
    if row.rep_to is not None and row.rep_to < (row.rep_from or row.decision_date):
        found.append(reason("REP_BAD_DATE", "rep_to", row.rep_to))
    if row.rep_kind == "AUTHORISED" and row.rep_certificate is None:
        found.append(reason("REP_NO_CERTIFICATE", "certificate_number"))
    return found


async def propose(tx: Tx, rows: Sequence[tuple[UUID, int, Paper]], business_date: date) -> dict[tuple[UUID, int], Proposed]:
    """Propose what applied rows (import id, row number, paper) ask for; (import id, row number) → what waits.

    What is held under the same decision, or proposed already, is not proposed again: the open proposal is named.
    """
    imports, numbers = [one for one, _, _ in rows], [number for _, number, _ in rows]
    papers = {(one, number): paper for one, number, paper in rows}
    waiting: dict[tuple[UUID, int], Proposed] = {pair: Proposed() for pair in papers}
    asked = []
    for row in await storage.asked_for(tx, imports, numbers):
        if row["open_decision"] is not None:
            waiting[row["import_id"], row["row_number"]].decision_ids.append(row["open_decision"])
        elif not row["held"]:
            asked.append(row)

    def head(row: Any) -> tuple[str, date, str, str]:
        paper = papers[row["import_id"], row["row_number"]]
        return row["decision_number"], row["decision_date"], paper.signer, str(paper.certificate_date or "")

    for _, group in groupby(sorted(asked, key=head), key=head):
        alike = list(group)
        for first in range(0, len(alike), _AT_ONCE):
            part = alike[first : first + _AT_ONCE]
            paper = papers[part[0]["import_id"], part[0]["row_number"]]
            header = decisions.Header(
                part[0]["decision_number"], part[0]["decision_date"], paper.signer, business_date, event_date=paper.certificate_date
            )
            made = await decisions.propose(tx, header, [_item(row, papers[row["import_id"], row["row_number"]]) for row in part])
            for row, decision in zip(part, made, strict=True):
                waiting[row["import_id"], row["row_number"]].decision_ids.append(decision["decision_id"])
    actor, _ = decisions.needs(tx)
    for row in await storage.represent(tx, imports, numbers, actor.subject, business_date):
        waiting[row["import_id"], row["row_number"]].representative_proposals.append(row["proposal_id"])
    return waiting


def _item(row: Any, paper: Paper) -> decisions.Item:
    return decisions.Item(
        kind=Kind.GRANT, reason="NEW", person_id=row["person_id"], category=row["category"],
        percent=row["percent"] if row["needs_percent"] else None, quantity=row["quantity"] if row["per_quantity"] else None,
        effective_month=row["from_month"], arrears_from=row["arrears_from"],
        arrears_reason=paper.arrears_reason,
    )  # fmt: skip
