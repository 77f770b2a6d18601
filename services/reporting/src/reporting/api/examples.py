"""What the worked examples of reporting need beyond schema and path."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From

__all__ = ["EXAMPLES"]

EXAMPLES: Final = Examples(
    operations={
        "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/rebuild", "/job_id")}),
        "GET /v1/public/{province}/{month}": Example(
            sources={"province": From("POST /v1/public-reports", "/unit_path"), "month": From("POST /v1/public-reports", "/month")}
        ),
        "GET /v1/statements/{beneficiary_id}": Example(
            sources={"beneficiary_id": From("GET /v1/reports/nobody-left-behind?month=2024-09&unit_path=60", "/rows/0/beneficiary_id")}
        ),
    }
)
