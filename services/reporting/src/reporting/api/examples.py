"""What the worked examples of reporting need beyond schema and path."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From

__all__ = ["EXAMPLES"]

EXAMPLES: Final = Examples(operations={"GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/rebuild", "/job_id")})})
