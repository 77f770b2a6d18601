"""What the worked examples of identity-verify need beyond schema and path: whom of the sample data they are about."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From

__all__ = ["EXAMPLES"]

_SUBJECT: Final = From("GET /v1/verifications?limit=200", "/items/*/subject_id")
_OPEN: Final = From("GET /v1/verification/work-list", "/items/*/subject_id")

EXAMPLES: Final = Examples(
    operations={
        "POST /v1/verifications/{subject_id}/decision": Example(sources={"subject_id": _OPEN}),
        "GET /v1/verification/work-list/{subject_id}/side-by-side": Example(sources={"subject_id": _OPEN}),
        "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/verification/rechecks", "/job_id")}),
    },
    paths={"/v1/verifications/{subject_id}": _SUBJECT},
    fields={"beneficiary_id": _SUBJECT, "subject_id": _SUBJECT},
)
