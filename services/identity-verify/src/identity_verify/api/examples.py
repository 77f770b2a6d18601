"""What the worked examples of identity-verify need beyond schema and path: whom of the sample data they are about."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From

__all__ = ["EXAMPLES"]

_SUBJECT: Final = From("GET /v1/verifications?limit=200", "/items/*/subject_id")
_OPEN: Final = From("GET /v1/verification/work-list", "/items/*/subject_id")
_ALL_CHECKED: Final = "everybody of the sample is checked over the network, so no file to the police has anybody in it"
_OUTSIDE: Final = "the police fill in the file of an exchange by hand, outside the platform"
_NUMBERLESS: Final = From("GET /v1/beneficiaries?has_number=false&limit=200", "/items/*/beneficiary_id", service="registry")

EXAMPLES: Final = Examples(
    operations={
        "POST /v1/verifications/{subject_id}/decision": Example(sources={"subject_id": _OPEN}),
        "GET /v1/verification/work-list/{subject_id}/side-by-side": Example(sources={"subject_id": _OPEN}),
        **{
            f"POST /v1/verification/grace-periods{rest}": Example(
                cannot="no grace is given while the population database answers",
                refused="source-answers" if not rest else "grace-not-found",
            )
            for rest in ("", "/{grace_id}/approve", "/{grace_id}/refuse")
        },
        "POST /v1/verification/issue-requests": Example(sources={"/beneficiary_id": _NUMBERLESS}),
        "POST /v1/verification/exchanges": Example(cannot=_ALL_CHECKED, refused="exchange-empty"),
        "GET /v1/verification/exchanges/{exchange_id}": Example(cannot=_ALL_CHECKED, refused="exchange-not-found"),
        "GET /v1/verification/exchanges/{exchange_id}/file": Example(cannot=_ALL_CHECKED, refused="exchange-not-found"),
        "POST /v1/verification/exchanges/{exchange_id}/close": Example(cannot=_ALL_CHECKED, refused="exchange-not-found"),
        "POST /v1/verification/exchanges/{exchange_id}/answers": Example(cannot=_OUTSIDE, refused="exchange-not-found"),
        "GET /v1/verification/answers/{answer_id}": Example(cannot=_OUTSIDE, refused="exchange-not-found"),
        "POST /v1/verification/answers/{answer_id}/approve": Example(cannot=_OUTSIDE, refused="exchange-not-found"),
        "POST /v1/verification/answers/{answer_id}/refuse": Example(cannot=_OUTSIDE, refused="exchange-not-found"),
        "GET /v1/cut-offs/{cut_off_id}": Example(
            sources={"cut_off_id": From("GET /v1/cycles", "/items/0/cut_off_id", service="disbursement")}
        ),
        "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/verification/rechecks", "/job_id")}),
    },
    paths={"/v1/verifications/{subject_id}": _SUBJECT, "/v1/people/{person_id}": _SUBJECT},
    fields={"beneficiary_id": _SUBJECT, "subject_id": _SUBJECT},
)
