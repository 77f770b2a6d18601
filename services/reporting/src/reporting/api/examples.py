"""What the worked examples of reporting need beyond schema and path."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From

__all__ = ["EXAMPLES"]

_SAMPLE: Final = From("POST /v1/inspection-samples", "/sample_id")
_CASE: Final = "/v1/inspection-samples/{sample_id}/cases/{position}/finding"
_SOMEBODY: Final = From("GET /v1/reports/nobody-left-behind?month=2024-09&unit_path=60", "/rows/*/beneficiary_id")

EXAMPLES: Final = Examples(
    operations={
        "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/rebuild", "/job_id")}),
        # One rebuild at a time: the one before is waited for.
        "POST /v1/rebuild": Example(sources={"lag": From("GET /v1/lag", "", wait=True)}),
        "POST /v1/targets": Example(
            sources={"/unit_path": From("GET /v1/units?on=2024-09-01&parent=60&limit=200", "/items/*/path", service="registry")}
        ),
        "POST /v1/milestones": Example(
            sources={"/unit_path": From("GET /v1/units?on=2024-09-01&parent=60/593&limit=200", "/items/*/path", service="registry")}
        ),
        "POST /v1/obstacles/{obstacle_id}/closing": Example(
            sources={"obstacle_id": From("POST /v1/obstacles/{obstacle_id}/answer", "/obstacle_id")}, by="department.officer2"
        ),
        "POST /v1/inspection-samples": Example(
            body={
                "drawn_on": "2024-10-02",
                "month": "2024-09",
                "seed": "KT-2024-09-Q3",
                "size": 1,
                "strata": "UNIT_AND_PROGRAMME",
                "subject": "Kiểm tra chi trả quý III/2024",
                "unit_path": "60",
            }
        ),
        "POST /v1/inspection-samples/{sample_id}/closing": Example(
            sources={
                "sample_id": _SAMPLE,
                "found": From(f"PUT {_CASE}", "/position"),
                "If-Match": From("GET /v1/inspection-samples/{sample_id}", "ETag"),
            }
        ),
        "GET /v1/public/{province}/{month}": Example(
            sources={"province": From("POST /v1/public-reports", "/unit_path"), "month": From("POST /v1/public-reports", "/month")}
        ),
        "GET /v1/statements/{beneficiary_id}": Example(sources={"beneficiary_id": _SOMEBODY}),
    },
    paths={"/v1/people/{person_id}": _SOMEBODY},
)
