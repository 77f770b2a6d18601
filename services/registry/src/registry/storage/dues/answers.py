"""The answers to open questions of the law (`policy_setting`) as parameters of the engine's SQL."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx

__all__ = ["parameters"]

_YEARS_AHEAD: Final = 1  # yearly sums are said until the end of the next year; the first computation in a year adds one


async def parameters(tx: Tx, as_of: date, change_id: UUID | None = None) -> dict[str, Any]:
    """Everything the engine's SQL is told besides the people."""
    rows = await tx.rows(
        "SELECT s.code, coalesce(d.value, s.value) AS value FROM policy_setting s"
        " LEFT JOIN law_change_setting d ON d.code = s.code AND d.change_id = CAST(:change AS uuid)"
        " UNION ALL SELECT '', CAST(count(*) AS text) FROM provincial_top_up",
        change=change_id,
    )
    answer = {row["code"]: row["value"] for row in rows}
    return {
        "as_of": as_of,
        "change": change_id,
        "has_tops": answer[""] != "0",
        "birth_month": {"FIRST": 1, "LAST": 12}[answer["BIRTH_MONTH_UNKNOWN"]],
        "age_holds": answer["AGE_BELOW_MINIMUM"] == "AGE_HOLDS",
        "late_stop": answer["STOP_MONTH_AT_AGE"] == "MONTH_AFTER",
        "group_keep": answer["GROUP_NOT_RECORDED"] == "KEEP",
        "unknown_excludes": answer["PENSION_AMOUNT_UNKNOWN"] == "EXCLUDE",
        "lower_excludes": answer["PENSION_LOWER_THAN_SOCIAL_PENSION"] == "NONE",
        "leaving": 1 if answer["INSTITUTION_LEAVING_MONTH"] == "NOT_DUE" else 0,
        "pension_stays_out": answer["SOCIAL_PENSION_IN_INSTITUTION"] == "SET_ASIDE",
        "pension_excludes": answer["SINGLE_PARENT_WITH_SOCIAL_PENSION"] == "HIGHEST",
        "compare_total": answer["STACKING_COMPARES"] == "TOTAL",
        "yearly_month": int(answer["WORSHIP_MONTH"]) - 1,
        "last_year": as_of.year + _YEARS_AHEAD,
    }
