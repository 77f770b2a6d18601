"""Between rows of the database, cells of a list, and the API's bodies."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from registry.api.models import DueView, EntitlementView, NewBeneficiary, RegisteredView, RepresentativeView
from registry.domain.dates import month_text
from registry.usecases.registering import Outcome

__all__ = ["due", "entitlement", "person", "registered", "representative", "rows_of"]

_PREFERENCE: Final = {"UNKNOWN": "", "WANTS_ACCOUNT": "TK", "DECLINES": "TM", "FORCE_MAJEURE": "BKK"}
_SEX: Final = {"M": "Nam", "F": "Nữ", "UNKNOWN": ""}
_KIND: Final = {"AUTHORISED": "Ủy quyền", "GUARDIAN": "Giám hộ", "CARER": "Chăm sóc"}
_ID_FIELDS: Final = (
    "file_code", "full_name", "birth_date", "sex", "masked_number", "unit_code", "unit_path", "programmes", "status", "death_date",
    "preference", "no_number_reason", "version",
)  # fmt: skip


def rows_of(body: NewBeneficiary) -> list[dict[str, str]]:
    """A registration as the cells of list rows, one row per entitlement: both paths are checked by the same rules."""
    common = {
        "file_code": body.file_code, "full_name": body.full_name, "birth_date": body.birth_date or "", "sex": _SEX[body.sex],
        "number": body.national_number or "", "address": body.address or "", "preference": _PREFERENCE[body.preference],
        "unit_code": body.unit_code,
    }  # fmt: skip
    if body.representative is not None:
        rep = body.representative
        common |= {
            "rep_name": rep.full_name, "rep_kind": _KIND[rep.kind], "rep_birth": rep.birth_date or "", "rep_sex": _SEX[rep.sex],
            "rep_number": rep.national_number or "", "rep_certificate": rep.certificate_number or "",
            "rep_from": rep.valid_from.isoformat() if rep.valid_from else "", "rep_to": rep.valid_to.isoformat() if rep.valid_to else "",
        }  # fmt: skip
    return [
        common
        | {
            "category": item.category, "percent": str(item.percent or ""), "quantity": str(item.quantity or ""),
            "decision_number": item.decision_number,
            "decision_date": item.decision_date.isoformat(), "from_month": item.from_month + "-01",
            "arrears_from": item.arrears_from + "-01" if item.arrears_from else "", "arrears_reason": item.arrears_reason or "",
            "certificate_date": item.certificate_date.isoformat() if item.certificate_date else "", "signer": item.signer,
        }
        for item in body.entitlements
    ]  # fmt: skip


def registered(done: Outcome, warnings: list[dict[str, Any]]) -> RegisteredView:
    """A person just registered, with what waits for a second person."""
    if done.person_id is None:
        raise RuntimeError("an item is registered or has a problem")
    return RegisteredView(
        beneficiary_id=done.person_id, decision_ids=done.decision_ids, representative_proposals=done.representative_proposals,
        warnings=[*warnings, *done.warnings],
    )  # fmt: skip


def person(row: Any) -> dict[str, Any]:
    """Fields of a beneficiary's view."""
    return {"beneficiary_id": row["person_id"]} | {name: row[name] for name in _ID_FIELDS}


def _last_month(until: date | None) -> str | None:
    """The last month before an exclusive end, None while open."""
    return None if until is None else month_text(date.fromordinal(until.toordinal() - 1))


def entitlement(row: Any) -> EntitlementView:
    """One decision."""
    fields = {name: row[name] for name in EntitlementView.model_fields if name in row}
    fields |= {"from_month": month_text(row["from_month"]), "to_month": _last_month(row["until"])}
    fields["arrears_from"] = month_text(row["arrears_from"]) if row["arrears_from"] else None
    return EntitlementView(**fields)


def representative(row: Any) -> RepresentativeView:
    """One representative."""
    return RepresentativeView(**row)


def due(row: Any) -> DueView:
    """One due interval."""
    fields = {name: row[name] for name in DueView.model_fields if name in row}
    return DueView(**(fields | {"from_month": month_text(row["from_month"]), "to_month": _last_month(row["until"])}))
