"""Between rows of decisions, moves, life events and funerals and the API's bodies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel

from common.auth import Actor, Role, require
from common.problems import InvalidInput
from registry.api import cursors
from registry.api.life_models import FuneralView, LifeEventView
from registry.api.paper_models import DecisionView, PayingUnitView, PersonIn, TransferView
from registry.domain.dates import month_text
from registry.usecases.recipients import NewPerson

__all__ = [
    "Checker", "Maker", "Reader", "decision", "event", "first_day", "funeral", "next_cursor", "paying_unit", "person", "reason_given",
    "transfer",
]  # fmt: skip

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
Maker = Annotated[Actor, Depends(require(*_OFFICERS, Role.INTEGRATOR))]
Checker = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER))]
Reader = Annotated[Actor, Depends(require(*_OFFICERS, Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR))]

View = TypeVar("View", bound=BaseModel)


def first_day(month: str | None) -> date | None:
    """The first day of a YYYY-MM month."""
    return None if month is None else date.fromisoformat(month + "-01")


def _month(value: date | None) -> str | None:
    return None if value is None else month_text(value)


def next_cursor(rows: Sequence[Any], limit: int, name: str) -> str | None:
    """Where the next page begins; None at the end."""
    return cursors.encode([str(rows[-1][name])]) if len(rows) == limit else None


def reason_given(reason: str | None) -> str:
    """The reason a refusal needs. Raises InvalidInput."""
    if reason is None:
        raise InvalidInput(errors=[{"field": "reason", "detail": "a refusal says why"}])
    return reason


def person(body: PersonIn) -> UUID | NewPerson:
    """Who is meant: somebody of the register, or identity data."""
    if body.person_id is not None:
        return body.person_id
    return NewPerson(body.full_name or "", body.birth_date, body.sex, body.national_number, body.address)


def _view(model: type[View], row: Any, **more: Any) -> View:
    return model(**({name: row[name] for name in model.model_fields if name in row} | more))


def decision(row: Any, *, whole: bool = False) -> DecisionView:
    """One decision; `whole`: with its category, which may tell of an illness. What it made exists once it is approved."""
    made = row["result_id"] if row["state"] == "APPROVED" and row["kind"] in ("GRANT", "ADJUST") else None
    return _view(
        DecisionView, row, beneficiary_id=row["person_id"], result_id=made, effective_month=_month(row["effective_month"]),
        arrears_from=_month(row["arrears_from"]), category=row["category"] if whole else None, percent=row["percent"] if whole else None,
        quantity=row["quantity"] if whole else None,
    )  # fmt: skip


def transfer(row: Any) -> TransferView:
    """One move."""
    return _view(
        TransferView, row, beneficiary_id=row["person_id"], last_month=_month(row["last_month"]), pays_from=_month(row["pays_from"])
    )


def paying_unit(row: Any) -> PayingUnitView:
    """Months of one unit; the end is exclusive in the database."""
    until = row["until"]
    last = None if until is None else month_text(date.fromordinal(until.toordinal() - 1))
    return _view(PayingUnitView, row, from_month=_month(row["from_month"]), to_month=last)


def event(row: Any) -> LifeEventView:
    """One life event."""
    return _view(LifeEventView, row, beneficiary_id=row["person_id"])


def funeral(row: Any) -> FuneralView:
    """One request for funeral support."""
    return _view(FuneralView, row, month=_month(row["month"]), set_aside=row["set_aside"]["rules"])
