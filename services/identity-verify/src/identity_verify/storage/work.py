"""What waits for people in identity-verify, as counted queries (see `common.work_list`)."""

from __future__ import annotations

from typing import Final

from common.actor import Role
from common.work_list import PARKED, Kind, moment

__all__ = ["WORK"]

_POLICE: Final = (Role.COMMUNE_POLICE,)
_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_CORRECTORS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER)  # the department has no dossiers of its own
_LIST: Final = ("GET", "/v1/verification/work-list")
# The subject is looked up one by one: the unclear are few, and a join would read the whole province for them.
_UNCLEAR: Final = (
    "verification AS w WHERE w.verdict IN ('REVIEW', 'SUSPECTED_IDENTITY', 'NOT_FOUND') AND w.decided IS NULL AND w.fingerprint ="
    " (SELECT s.fingerprint FROM subject AS s WHERE s.beneficiary_id = w.beneficiary_id AND s.subject_id = w.subject_id AND s.active)"
)
# Few, by the index on verdicts. Over once the right has ended, or the identity was corrected and is being asked about.
_DEAD_COLLECTOR: Final = (
    "verification AS w WHERE w.verdict = 'DECEASED' AND w.subject_id <> w.beneficiary_id AND w.fingerprint ="
    " (SELECT s.fingerprint FROM subject AS s WHERE s.beneficiary_id = w.beneficiary_id AND s.subject_id = w.subject_id AND s.active)"
)
_PROPOSED: Final = (
    "EXISTS (SELECT FROM decision AS d WHERE d.beneficiary_id = w.beneficiary_id AND d.subject_id = w.subject_id"
    " AND d.verification_version = w.version AND d.confirmed_by IS NULL"
)
_FOR: Final = {"/beneficiary_id": "w.beneficiary_id"}  # who stands for several people: for whom
_MOVE: Final = ("POST", "/v1/verification/issue-requests/{request_id}/moves")
_ISSUES: Final = ("GET", "/v1/verification/issue-requests")

WORK: Final = (
    Kind(
        "mismatches", "Thông tin lệch với CSDL dân cư, chờ công an kết luận", "Mismatches with the population database to decide", _POLICE,
        f"{_UNCLEAR} AND NOT {_PROPOSED})", "w.checked_on", ("POST", "/v1/verifications/{subject_id}/decision"), _LIST,
        days=10, about=_FOR,
    ),
    Kind(
        "mismatches_to_confirm", "Kết luận về thông tin lệch, chờ người thứ hai", "Conclusions on mismatches to confirm", _POLICE,
        f"{_UNCLEAR} AND {_PROPOSED} AND d.proposed_by <> :me)", "w.checked_on",
        ("POST", "/v1/verifications/{subject_id}/decision"), _LIST, days=5, about=_FOR,
    ),
    Kind(
        "mismatches_to_correct", "Thông tin lệch: xã rà soát hồ sơ rồi hỏi lại", "Mismatches: correct the dossier, then ask again",
        _CORRECTORS,
        f"{_UNCLEAR} AND w.verdict <> 'SUSPECTED_IDENTITY'", "w.checked_on", ("POST", "/v1/verifications/{subject_id}/question"), _LIST,
        days=10, about=_FOR,
    ),
    Kind(
        "collectors_dead", "Người nhận thay đã mất theo CSDL dân cư: chấm dứt và cử người khác, hoặc hỏi lại",
        "Collectors found dead: end the right and appoint another, or ask again", _CORRECTORS, _DEAD_COLLECTOR, "w.checked_on",
        ("POST", "/v1/verifications/{subject_id}/question"), ("GET", "/v1/verifications"), days=5, about=_FOR,
    ),
    Kind(
        "number_conflicts", "Một số định danh, nhiều hồ sơ", "One number, several dossiers", (*_OFFICERS, *_POLICE),
        "number_conflict AS w WHERE w.state = 'OPEN' AND EXISTS (SELECT FROM number_conflict_member AS m"
        " JOIN subject AS s ON s.beneficiary_id = m.beneficiary_id AND s.subject_id = m.beneficiary_id"
        " WHERE m.conflict_id = w.conflict_id AND m.left_at IS NULL AND {scope})", "w.seen_on",
        ("GET", "/v1/verification/number-conflicts"), unit="s.unit_path", days=5,
    ),
    Kind(
        "identity_cards", "Đề nghị cấp CCCD, chờ công an", "Requests for an identity card", _POLICE,
        "issue_request AS w WHERE w.state IN ('REQUESTED', 'ACCEPTED', 'VISITED')", "w.business_date", _MOVE, _ISSUES,
        deadline="coalesce(w.visit_on, w.business_date + 15)",
    ),
    Kind(
        "identity_cards_issued", "CCCD đã cấp, chờ xã cập nhật hồ sơ", "Cards issued: enter the number", _OFFICERS,
        "issue_request AS w WHERE w.state = 'ISSUED'", moment("w.updated_at"), _MOVE, _ISSUES, days=5,
    ),
    Kind(
        "police_lists", "Danh sách gửi công an, chờ trả lời", "Lists with the police, waiting for the answer",
        (Role.COMMUNE_POLICE, Role.DEPARTMENT_OFFICER), "exchange AS w WHERE w.state = 'OPEN'"
        " AND NOT EXISTS (SELECT FROM exchange_answer AS a WHERE a.exchange_id = w.exchange_id AND a.state IN ('CHECKED', 'APPROVED'))",
        "w.business_date", ("POST", "/v1/verification/exchanges/{exchange_id}/answers"), ("GET", "/v1/verification/exchanges"), days=10,
    ),
    Kind(
        "police_answers", "Trả lời của công an, chờ duyệt", "Answers of the police to approve", (Role.APPROVER,),
        "exchange_answer AS w JOIN exchange AS e USING (exchange_id) WHERE w.state = 'CHECKED'", moment("w.uploaded_at"),
        ("POST", "/v1/verification/answers/{answer_id}/approve"), ("GET", "/v1/verification/exchanges"), unit="e.unit_path",
        maker="w.uploaded_by", days=3,
    ),
    Kind(
        "grace_periods", "Thời gian ân hạn, chờ duyệt", "Grace periods to approve", (Role.APPROVER,),
        "grace_period AS w WHERE w.state = 'PROPOSED'", moment("w.proposed_at"),
        ("POST", "/v1/verification/grace-periods/{grace_id}/approve"), ("GET", "/v1/verification/grace-periods"), unit=None,
        maker="w.proposed_by", days=1,
    ),
    *PARKED,
)  # fmt: skip
"""Kinds of work, in the order they are asked for."""
