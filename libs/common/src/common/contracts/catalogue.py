"""All events in one place: who says them, on which topic, and one worked example of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from common.contracts import accounts_v1, disbursement_v1, identity_verify_v1, registry_v1
from common.contracts.envelope import Event
from common.topics import partition_of

__all__ = ["PRODUCERS", "Publication", "example_headers", "example_key", "example_of", "example_partition", "publications"]

PRODUCERS: Final[Mapping[str, tuple[type[Event], ...]]] = {
    "registry": registry_v1.PUBLISHES,
    "identity-verify": identity_verify_v1.PUBLISHES,
    "accounts": accounts_v1.PUBLISHES,
    "disbursement": disbursement_v1.PUBLISHES,
}

_NAMESPACE: Final = UUID("6f1f0c52-5d7e-5c0a-9b0e-0d9c3f1e2a60")


@dataclass(frozen=True)
class Publication:
    """One event as said by one producer on one topic."""

    producer: str
    event: type[Event]
    topic: str


def publications() -> Iterator[Publication]:
    """Every (producer, event, topic). Cut-off markers go to each topic of their producer (DESIGN §5)."""
    for producer, events in PRODUCERS.items():
        own_topics = sorted({event.TOPIC for event in events if event is not registry_v1.CutOffReached})
        for event in events:
            if event is registry_v1.CutOffReached:
                yield from (Publication(producer, event, topic) for topic in own_topics if topic != "registry.unit.v1")
            else:
                yield Publication(producer, event, event.TOPIC)


def _id(name: str) -> str:
    return str(uuid5(_NAMESPACE, name))


# One value per field name. A real shape (legacy codes of Bình Thuận, September 2024) of a person who does not exist.
_VALUES: Final[Mapping[str, Any]] = {
    "version": 3,
    "business_date": "2024-08-20",
    "beneficiary_id": _id("beneficiary"),
    "payee_id": _id("beneficiary"),
    "subject_id": _id("beneficiary"),
    "representative_id": _id("representative"),
    "entitlement_id": _id("entitlement"),
    "account_id": _id("account"),
    "account_from": None,
    "meanwhile_account_id": None,
    "fraud_suspected": False,
    "provider_id": _id("provider AGRIBANK"),
    "per_payment": 50_000_000,
    "per_month": 100_000_000,
    "request_id": _id("request"),
    "cycle_id": _id("cycle"),
    "cut_off_id": _id("cut-off"),
    "list_id": _id("list"),
    "hold_id": _id("hold"),
    "proposal_id": _id("proposal"),
    "payment_id": _id("payment"),
    "recovery_id": _id("recovery"),
    "unit_id": _id("unit 22924"),
    "file_code": "BT-22924-M-00017",
    "full_name": "Nguyễn Thị Hoà",
    "birth_date": "1947-03-02",
    "sex": "F",
    "unit_code": "22924",
    "unit_path": "60/593/22924",
    "programme": "MERIT",
    "programmes": ["MERIT"],
    "funding_source": "CENTRAL_BUDGET",
    "benefit_line": "M07",
    "status": "ACTIVE",
    "death_date": None,
    "grace_until": None,
    "phone": {"disbursement": "k1.c2VhbGVkLXRva2Vu"},
    "number_index": {"disbursement": "k1:4f6d1c0e"},
    "national_number": {"identity-verify": "k1.c2VhbGVkLXRva2Vu", "accounts": "k1.c2VhbGVkLXRva2Vu"},
    "account_number": {"disbursement": "k1.c2VhbGVkLXRva2Vu"},
    "identity_fingerprint": "9f2c51d07be34a18",
    "unresolved_duplicate": False,
    "merged_into": None,
    "valid_from": "2024-01-01",
    "valid_to": None,
    "formed_from": [],
    "certificate_number": "12/GUQ",
    "basis": "STANDING",
    "revoked_on": None,
    "decision_number": "415/QĐ-LĐTBXH",
    "decision_date": "2019-05-14",
    "from_month": "2019-06",
    "to_month": None,
    "preference": "WANTS_ACCOUNT",
    "recorded_on": "2024-06-11",
    "evidence": "Phiếu khảo sát 2024-06",
    "subject_kind": "BENEFICIARY",
    "verdict": "VERIFIED",
    "source_status": "MATCH",
    "fields": {"number": "match", "name": "match", "birth_date": "match", "sex": "match"},
    "checked_on": "2024-08-18",
    "valid_until": "2024-11-16",
    "reference": "NPD-20240818-000412",
    "kind": "BANK",
    "provider_code": "AGRIBANK",
    "partner": "agribank",
    "masked_number": "…1234",
    "holder_name": "NGUYEN THI HOA",
    "reason": None,
    "payee_kind": "SELF",
    "method": "ACCOUNT",
    "state": "DISBURSING",
    "month": "2024-09",
    "months": ["2024-09"],
    "benefit_lines": ["A01"],
    "replaces": {},
    "account_masked": None,
    "recovered": 0,
    "list_hash": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "lines": 9130,
    "held": 7,
    "total_amount": 25_461_320_000,
    "amount": 2_789_000,
    "actor": "COMMUNE_OFFICER",
    "released": False,
    "attempt": 1,
    "currency": "VND",
    "channel": "BANK",
    "cash_reason": None,
    "value_date": None,
    "late_by": None,
    "partner_reference": None,
    "occurred_at": "2024-08-26T02:31:07Z",
    "code": "22924",
    "name": "Phường Mũi Né",
    "level": "commune",
    "parent_code": "593",
    "path": "60/593/22924",
    "producer": "registry",
    "topic": "registry.beneficiary.v1",
    "partition": 0,
    "counts": {"beneficiaries": 1142, "versions": 1803},
    "unanswered": 0,
}

_DUES_LINES: Final = [
    {
        "programme": "MERIT",
        "funding_source": "CENTRAL_BUDGET",
        "benefit_line": "M07",
        "intervals": [
            {
                "from_month": "2024-07", "to_month": None, "amount": 2_789_000, "status": "DUE",
                "basis": "77/2024/NĐ-CP", "decision_number": "415/QĐ-LĐTBXH", "explicit_arrears": False,
            }
        ],
    }
]  # fmt: skip

_CASH: Final = {"channel": "CASH_POST", "partner": "vnpost", "cash_reason": "NO_ACCOUNT"}
_REPRESENTATIVE: Final = {"subject_id": _id("representative"), "subject_kind": "REPRESENTATIVE"}
_FOUND_DEAD: Final = {"verdict": "DECEASED", "source_status": "DECEASED", "death_date": "2024-07-30"}
_NOT_VERIFIED: Final = {
    "verdict": "REVIEW", "source_status": "MISMATCH",
    "fields": {"number": "match", "name": "match", "birth_date": "mismatch", "sex": "match"},
}  # fmt: skip
_HOLD: Final = {"reason": "SUSPECTED_IDENTITY", "actor": "COMMUNE_POLICE"}

# What differs from _VALUES in the example of one event.
_OVERRIDES: Final[Mapping[str, Mapping[str, Any]]] = {
    "BeneficiaryDeceased": {"status": "DECEASED", "death_date": "2024-08-03"},
    "RepresentativeAppointed": {"full_name": "Trần Văn Bình", "kind": "AUTHORISED", "sex": "M", "birth_date": "1972"},
    "RepresentativeRevoked": {
        "full_name": "Trần Văn Bình",
        "kind": "AUTHORISED",
        "sex": "M",
        "birth_date": "1972",
        "revoked_on": "2024-08-12",
    },
    "EntitlementSuspended": {"status": "SUSPENDED"},
    "EntitlementEnded": {"status": "ENDED", "to_month": "2024-08"},
    "DuesChanged": {"lines": _DUES_LINES},
    "CutOffReached": {"version": 1},
    "BeneficiaryVerificationFailed": _NOT_VERIFIED,
    "BeneficiaryFoundDeceased": _FOUND_DEAD,
    "RepresentativeVerified": _REPRESENTATIVE,
    "RepresentativeVerificationFailed": {**_REPRESENTATIVE, **_NOT_VERIFIED},
    "RepresentativeFoundDeceased": {**_REPRESENTATIVE, **_FOUND_DEAD},
    "AccountRejected": {"status": "REJECTED", "reason": "NAME_DIFFERS", "holder_name": "NGUYEN THI HOAI"},
    "AccountClosed": {"status": "CLOSED", "reason": "CLOSED"},
    "AccountOpeningChanged": {"status": "REQUESTED"},
    "PaymentCycleOpened": {"state": "OPEN", "list_id": None, "list_hash": None, "lines": 0, "held": 0, "total_amount": 0},
    "CutOffRequested": {"state": "OPEN", "list_id": None, "list_hash": None, "lines": 0, "held": 0, "total_amount": 0},
    "PaymentListComputed": {"state": "COMPUTED"},
    "PaymentListApproved": {"state": "APPROVED"},
    "PaymentCycleClosed": {"state": "CLOSED"},
    "PaymentHeld": _HOLD,
    "PaymentReleased": {**_HOLD, "released": True},
    "PaymentInstructed": {"status": "APPROVED"},
    "PaymentUnknown": {"status": "UNKNOWN", "reason": "NO_ANSWER"},
    "PaymentSettled": {
        "status": "SETTLED",
        "partner_reference": "AGR2408260001",
        "value_date": "2024-08-26",
        "account_masked": "…1234",
    },
    "PaymentFailed": {"status": "FAILED", "reason": "ACCOUNT_CLOSED"},
    "PaymentReturned": {"status": "RETURNED", "reason": "ACCOUNT_CLOSED", "partner_reference": "AGR2408260001"},
    "CashCollected": {**_CASH, "status": "COLLECTED", "partner_reference": "VNP-8821"},
    "PaymentUncollected": {**_CASH, "status": "UNCOLLECTED", "reason": "NOT_COLLECTED"},
    "PaymentReissued": {
        **_CASH,
        "status": "APPROVED",
        "attempt": 2,
        "cash_reason": "ACCOUNT_CLOSED",
        "replaces": {_id("payment before"): 0},
    },
    "SuspensionProposed": {
        "state": "OPEN",
        "months": ["2024-07", "2024-08", "2024-09"],
        "programme": "SOCIAL_ASSISTANCE",
        "amount": 500_000,
    },
    "RecoveryOpened": {"status": "OPEN"},
    "RecoveryChanged": {"status": "REPAYING", "recovered": 500_000},
}
_PAYMENT_REFERENCE: Final = "AS2409-7K3QX2-1"


def example_of(event: type[Event]) -> Event:
    """A worked example of one event; a `KeyError` names a field nobody gave a value for."""
    override = _OVERRIDES.get(event.type_name(), {})
    values = {name: override[name] if name in override else _VALUES[name] for name in event.model_fields}
    if issubclass(event, disbursement_v1.PaymentEvent):
        values["reference"] = _PAYMENT_REFERENCE
    return event.model_validate(values)


def example_headers(producer: str, event: type[Event]) -> dict[str, str]:
    """The CloudEvents headers (binary mode) that travel with :func:`example_of`."""
    return {
        "ce_specversion": "1.0",
        "ce_id": _id(f"event {event.type_name()}"),
        "ce_type": event.type_name(),
        "ce_source": producer,
        "ce_subject": example_key(event),
        "ce_time": datetime(2024, 8, 26, 2, 31, 7, tzinfo=UTC).isoformat().replace("+00:00", "Z"),
        "ce_dataschema": event.schema_name(),
        "content-type": "application/json",
    }


def example_key(event: type[Event]) -> str:
    """The Kafka key of the example: the value of the event's key field."""
    return str(getattr(example_of(event), event.KEY))


def example_partition(event: type[Event]) -> int:
    """The partition the example's key leads to; a cut-off marker names its own."""
    if event is registry_v1.CutOffReached:
        return int(_VALUES["partition"])
    return partition_of(UUID(example_key(event)))
