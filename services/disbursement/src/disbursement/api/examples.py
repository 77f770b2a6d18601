"""What the worked examples of disbursement need beyond schema and path: which cycle, list, payment of the sample data they are about."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From, New

__all__ = ["EXAMPLES"]

_CYCLE: Final = From("GET /v1/cycles", "/items/*/cycle_id")
_COMPUTED: Final = From("POST /v1/cycles/{cycle_id}/compute", "/cycle_id")
_SUBMITTED: Final = From("POST /v1/cycles/{cycle_id}/submit", "/cycle_id")
_HASH: Final = From("GET /v1/cycles/{cycle_id}", "/list_hash")
_PAYMENT: Final = From("GET /v1/payments?limit=200", "/items/*/payment_id")
_NO_QUARANTINE: Final = "in the sample month no partner says anything that is not believed"
_NO_UNKNOWN: Final = "the sample month ends with every payment known"
_NO_FILES: Final = "the sample's partners take signed JSON: no batch of theirs is a file"

_CYCLES: Final = {
    "POST /v1/cycles": Example(
        body={
            "month": "2024-10",
            "programme": "SOCIAL_ASSISTANCE",
            "funding_source": "LOCAL_BUDGET",
            "unit_code": "60",
            "business_date": "2024-09-20",
        },
        sources={"/month": New("2025-0?")},
    ),
    "POST /v1/cycles/{cycle_id}/cut-off": Example(sources={"cycle_id": From("POST /v1/cycles", "/cycle_id")}),
    "POST /v1/cycles/{cycle_id}/compute": Example(sources={"cycle_id": From("POST /v1/cycles/{cycle_id}/cut-off", "/cycle_id", wait=True)}),
    "POST /v1/cycles/{cycle_id}/submit": Example(sources={"cycle_id": _COMPUTED}),
    "POST /v1/cycles/{cycle_id}/reject": Example(
        body={"reason": "Số tiền của 3 người chưa đúng", "reasons": ["AMOUNT_WRONG"], "business_date": "2024-09-21"},
        sources={"cycle_id": _SUBMITTED},
    ),
    "POST /v1/cycles/{cycle_id}/approve": Example(
        body={"list_hash": "0" * 64, "business_date": "2024-09-21"}, sources={"cycle_id": _SUBMITTED, "/list_hash": _HASH}
    ),
    "POST /v1/cycles/{cycle_id}/precheck/read": Example(body={"list_hash": "0" * 64}, sources={"cycle_id": _COMPUTED, "/list_hash": _HASH}),
    "GET /v1/cycles/{cycle_id}/cash-list": Example(values={"unit_code": "60"}),
}
_PARTNERS: Final = {
    "GET /v1/partners/{partner}/totals": Example(values={"partner": "agribank"}),
    "GET /v1/partners/{partner}/lane": Example(values={"partner": "agribank"}),
    "PUT /v1/partners/{partner}/lane": Example(values={"partner": "agribank"}),
    "GET /v1/custody/balance": Example(values={"partner": "vnpost"}),
    "POST /v1/webhooks/partners/{partner}": Example(cannot="a partner signs each notice with its own secret; docs/partner shows how"),
    "POST /v1/webhooks/partners/{partner}/statements": Example(
        cannot="a partner signs each statement with its own secret; docs/partner shows how"
    ),
    "GET /v1/batches/{batch_id}/file": Example(cannot=_NO_FILES),
    "GET /v1/batches/{batch_id}/payment-order": Example(cannot=_NO_FILES),
    "POST /v1/batches/{batch_id}/upload": Example(cannot=_NO_FILES),
    "POST /v1/batches/{batch_id}/acknowledgement": Example(cannot=_NO_FILES),
    "POST /v1/quarantine/{quarantine_id}/dismiss": Example(cannot=_NO_QUARANTINE),
    "POST /v1/quarantine/{quarantine_id}/acceptance": Example(cannot=_NO_QUARANTINE),
    "POST /v1/payments/{payment_id}/manual-results": Example(cannot=_NO_UNKNOWN),
    "POST /v1/manual-results/{manual_id}/decision": Example(cannot=_NO_UNKNOWN),
}
EXAMPLES: Final = Examples(
    operations={**_CYCLES, **_PARTNERS},
    paths={"/v1/cycles/{cycle_id}": _CYCLE, "/v1/payments/{payment_id}": _PAYMENT},
    fields={"cycle_id": _CYCLE, "payment_id": _PAYMENT},
)
