"""What must always hold of the checks against the population database."""

from __future__ import annotations

from typing import Final

from common.invariants import Invariant

__all__ = ["INVARIANTS"]

INVARIANTS: Final = (
    Invariant(
        "everyone_is_asked_about",
        "Every active person has an answer or a question on its way",
        "Mọi người đang hưởng đã được xác thực hoặc đang chờ xác thực",
        "SELECT concat_ws('/', s.beneficiary_id, s.subject_id) AS offender FROM subject s WHERE s.active"
        " AND NOT EXISTS (SELECT FROM check_request c WHERE (c.beneficiary_id, c.subject_id) = (s.beneficiary_id, s.subject_id))"
        " AND NOT EXISTS (SELECT FROM verification v WHERE (v.beneficiary_id, v.subject_id) = (s.beneficiary_id, s.subject_id))",
    ),
    Invariant(
        "questions_move",
        "No question has been due for an hour (a population database that is away for longer shows here)",
        "Không câu hỏi nào quá hạn một giờ (kể cả khi cơ sở dữ liệu dân cư ngừng trả lời)",
        "SELECT concat_ws('/', beneficiary_id, subject_id) AS offender FROM check_request"
        " WHERE state = 'PENDING' AND next_try_at < now() - interval '1 hour'",
    ),
    Invariant(
        "verdicts_have_evidence",
        "Every verdict stands on kept evidence or on two people's decision",
        "Mọi kết luận có bằng chứng lưu hoặc quyết định của hai người",
        "SELECT concat_ws('/', v.beneficiary_id, v.subject_id) AS offender FROM verification v"
        " WHERE v.verdict NOT IN ('NO_ID', 'UNANSWERED') AND v.decided_by IS NULL"
        " AND NOT EXISTS (SELECT FROM evidence e WHERE (e.beneficiary_id, e.subject_id) = (v.beneficiary_id, v.subject_id))",
        minutes=10,
    ),
)
