"""Questions the law leaves open, with the answer in force: asked in `catalogue/policy_settings.csv`, answered by people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from common.db import Tx

__all__ = ["load_questions", "page"]

_MERGE: Final = """
INSERT INTO policy_setting AS t (code, value, allowed, question_vi, question_en, legal_ref)
SELECT code, value, allowed, question_vi, question_en, legal_ref FROM load_setting
ON CONFLICT (code) DO UPDATE SET
    value = CASE WHEN t.decided_by IS NULL THEN excluded.value ELSE t.value END, allowed = excluded.allowed,
    question_vi = excluded.question_vi, question_en = excluded.question_en, legal_ref = excluded.legal_ref, version = t.version + 1
WHERE (t.allowed, t.question_vi, t.question_en, t.legal_ref)
      IS DISTINCT FROM (excluded.allowed, excluded.question_vi, excluded.question_en, excluded.legal_ref)
   OR (t.decided_by IS NULL AND t.value <> excluded.value)
"""


async def load_questions(tx: Tx, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Questions follow the file; an answer somebody has given stays as it was given. The number of questions that changed."""
    await tx.execute(f"CREATE TEMP TABLE load_setting ON COMMIT DROP AS SELECT {', '.join(columns)} FROM policy_setting WITH NO DATA")
    await tx.copy("load_setting", columns, rows)
    return await tx.execute(_MERGE)


async def page(tx: Tx) -> Sequence[Any]:
    """All questions, by code."""
    return await tx.rows(
        "SELECT code, value, allowed, question_vi, question_en, legal_ref, decided_by, decided_on, version"
        " FROM policy_setting ORDER BY code"
    )
