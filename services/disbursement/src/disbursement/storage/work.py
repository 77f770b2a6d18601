"""What waits for people in disbursement, as counted queries (see `common.work_list`)."""

from __future__ import annotations

from typing import Final

from common.actor import Role
from common.work_list import PARKED, Kind, moment

__all__ = ["WORK"]

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_DEPARTMENT: Final = (Role.DEPARTMENT_OFFICER,)
_APPROVER: Final = (Role.APPROVER,)
_CHECKERS: Final = (Role.APPROVER, Role.DEPARTMENT_OFFICER)
_TECHNICAL: Final = (Role.DEPARTMENT_OFFICER, Role.OPERATOR)

# List and money go to the payment organisation before the 25th of the month before (Decree 20/2021 Art. 34).
_BEFORE_25TH: Final = "w.month - interval '1 month' + interval '23 days'"
# The payment organisation reports before the 20th of the payment month (Circular 44/2022 Art. 8).
_BEFORE_20TH: Final = "w.month + interval '18 days'"

# The rule of `domain.approval.stages_for`: of the narrowest unit with a policy for this size, the one with the most stages; of the
# same limits the latest; one approver where nothing is settled. Who may stand in for an approver counts too.
_STAGES: Final = """
    SELECT z.stages FROM (
        SELECT DISTINCT ON (coalesce(r.unit_path, ''), r.body ->> 'over_amount', r.body ->> 'over_lines')
               r.body -> 'stages' AS stages, coalesce(r.unit_path, '') AS place,
               CAST(r.body ->> 'over_amount' AS bigint) AS over_amount, CAST(r.body ->> 'over_lines' AS bigint) AS over_lines
        FROM ruling AS r
        WHERE r.kind = 'APPROVAL_POLICY' AND r.state = 'APPROVED' AND r.valid_from <= CAST(:day AS date)
          AND (r.valid_to IS NULL OR r.valid_to >= CAST(:day AS date)) AND (r.programme IS NULL OR r.programme = w.programme)
          AND (r.unit_path IS NULL OR r.unit_path = w.unit_path OR w.unit_path LIKE r.unit_path || '/%')
        ORDER BY coalesce(r.unit_path, ''), r.body ->> 'over_amount', r.body ->> 'over_lines', r.programme IS NULL,
                 r.valid_from DESC, r.decided_at DESC, r.ruling_id DESC
    ) AS z
    WHERE (z.over_lines > 0 AND h.lines > z.over_lines) OR (h.total_amount > z.over_amount AND (z.over_amount > 0 OR z.over_lines = 0))
       OR (z.over_amount = 0 AND z.over_lines = 0)
    ORDER BY length(z.place) DESC, jsonb_array_length(z.stages) DESC LIMIT 1
"""
_MY_STAGE: Final = f"""
payment_cycle AS w JOIN payment_list AS h ON h.list_id = w.list_id
LEFT JOIN LATERAL ({_STAGES}) AS p ON TRUE
LEFT JOIN LATERAL (SELECT count(*) AS done FROM list_approval AS a WHERE a.list_id = h.list_id) AS g ON TRUE
LEFT JOIN LATERAL (
    SELECT coalesce(p.stages ->> (least(g.done::int + 1, jsonb_array_length(p.stages)) - 1), 'APPROVER') AS role) AS s ON TRUE
WHERE w.state = 'SUBMITTED'
  AND NOT EXISTS (SELECT FROM list_approval AS a WHERE a.list_id = h.list_id AND :me IN (a.approved_by, a.on_behalf_of))
  AND (s.role = ANY (CAST(:roles AS text[])) OR s.role = 'APPROVER' AND EXISTS (
      SELECT FROM ruling AS d, jsonb_array_elements_text(d.body -> 'unit_paths') AS u (path)
      WHERE d.kind = 'DELEGATION' AND d.state = 'APPROVED' AND d.body ->> 'delegate' = :me AND d.body ->> 'delegator' <> h.submitted_by
        AND d.valid_from <= CAST(:day AS date) AND d.valid_to >= CAST(:day AS date)
        AND (w.unit_path = u.path OR w.unit_path LIKE u.path || '/%')))
"""

_CYCLES: Final = (
    Kind(
        "cycles_open", "Kỳ chi chưa lập xong danh sách", "Cycles without a list", _DEPARTMENT,
        "payment_cycle AS w WHERE w.state = 'OPEN'", moment("w.opened_at"), ("POST", "/v1/cycles/{cycle_id}/compute"),
        ("GET", "/v1/cycles"), deadline=_BEFORE_25TH,
    ),
    Kind(
        "lists_to_submit", "Danh sách chi trả đã lập, chờ trình duyệt", "Payment lists to submit", _DEPARTMENT,
        "payment_cycle AS w WHERE w.state = 'COMPUTED'", moment("w.opened_at"), ("POST", "/v1/cycles/{cycle_id}/submit"),
        ("GET", "/v1/cycles"), deadline=_BEFORE_25TH,
    ),
    Kind(
        "lists_to_approve", "Danh sách chi trả chờ duyệt", "Payment lists to approve",
        (Role.APPROVER, Role.DEPARTMENT_OFFICER, Role.DISTRICT_OFFICER), _MY_STAGE, moment("h.submitted_at"),
        ("POST", "/v1/cycles/{cycle_id}/approve"), ("GET", "/v1/cycles"), deadline=_BEFORE_25TH, maker="h.submitted_by",
    ),
    Kind(
        "cycles_to_close", "Kỳ chi đã có đủ kết quả, chờ khóa", "Cycles to close", (Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.OPERATOR),
        "payment_cycle AS w WHERE w.state = 'SETTLING'", moment("w.opened_at"), ("POST", "/v1/cycles/{cycle_id}/close"),
        ("GET", "/v1/cycles"), deadline=_BEFORE_20TH,
    ),
    Kind(
        "holds", "Người bị tạm giữ chi trả, đến lượt bạn xử lý", "People held whose turn is yours",
        (*_OFFICERS, Role.APPROVER, Role.OPERATOR),
        "hold AS w JOIN payment_list AS l USING (list_id) WHERE w.released_at IS NULL AND w.actor = ANY (CAST(:roles AS text[]))"
        " AND l.state IN ('COMPUTED', 'SUBMITTED', 'APPROVED')", moment("l.computed_at"),
        ("GET", "/v1/cycles/{cycle_id}/holds"), ("GET", "/v1/cycles/{cycle_id}/holds"), days=10, page="/pages/people",
        about={"cycle_id": "l.cycle_id"},
    ),
    Kind(
        "take_overs", "Tháng đầu chi trên nền tảng, chờ duyệt", "Take-overs to decide", _APPROVER,
        "take_over AS w WHERE w.state = 'PROPOSED'", "w.business_date", ("POST", "/v1/take-overs/{take_over_id}/approve"),
        ("GET", "/v1/take-overs"), maker="w.proposed_by", days=5,
    ),
    Kind(
        "go_lives", "Tháng đối chiếu song song, chờ ký", "Shadow months to sign", _APPROVER,
        "shadow_month AS w WHERE w.state = 'PROPOSED'", moment("w.compared_at"), ("POST", "/v1/shadow-months/{shadow_id}/go-live/decision"),
        ("GET", "/v1/shadow-months"), maker="w.proposed_by", days=5,
    ),
    Kind(
        "rulings", "Quy định (thiết lập, tuyến chi, duyệt, ủy quyền duyệt) chờ duyệt", "Rulings to decide", _APPROVER,
        "ruling AS w WHERE w.state = 'PROPOSED' AND (:of_a_province OR w.unit_path IS NOT NULL OR w.kind = 'DELEGATION')",
        "w.business_date", ("POST", "/v1/rulings/{ruling_id}/approve"), ("GET", "/v1/rulings"),
        maker="w.proposed_by", or_none=True, days=5,
    ),
    Kind(
        "budget_codes", "Mã ngân sách chờ duyệt", "Budget codes to decide", _APPROVER,
        "budget_code AS w WHERE w.state = 'PROPOSED'", moment("w.created_at"), ("POST", "/v1/budget-codes/{code_id}/decision"),
        ("GET", "/v1/budget-codes"), unit=None, maker="w.proposed_by", days=5,
    ),
)  # fmt: skip

_MONEY: Final = (
    Kind(
        "unknown_payments", "Khoản chi chưa rõ kết quả, cần người xử lý", "Unknown payments that need a person", _DEPARTMENT,
        "payment AS w JOIN payment_history AS h ON h.payment_id = w.payment_id AND h.version = w.version"
        " LEFT JOIN partner_lane AS n ON n.partner = w.partner WHERE w.status = 'UNKNOWN'"
        " AND h.recorded_at <= now() - make_interval(secs => coalesce(n.person_after_seconds, 3600))"
        " AND NOT EXISTS (SELECT FROM manual_result AS m WHERE m.payment_id = w.payment_id AND m.state = 'PROPOSED')"
        " AND NOT EXISTS (SELECT FROM payment_case AS c WHERE c.payment_id = w.payment_id AND c.state NOT IN ('CLOSED', 'CANCELLED'))",
        moment("h.recorded_at"), ("POST", "/v1/payments/{payment_id}/manual-results"), ("GET", "/v1/unknown-payments"), days=2,
    ),
    Kind(
        "manual_results", "Kết quả ghi tay, chờ người thứ hai", "Results entered by hand to confirm", _CHECKERS,
        "manual_result AS w JOIN payment AS p USING (payment_id) WHERE w.state = 'PROPOSED'", moment("w.proposed_at"),
        ("POST", "/v1/manual-results/{manual_id}/decision"), ("GET", "/v1/manual-results"), unit="p.unit_path",
        maker="w.proposed_by", days=2,
    ),
    Kind(
        "quarantine", "Thông báo của đối tác bị cách ly", "Quarantined notices", _TECHNICAL, "quarantine AS w WHERE w.state = 'OPEN'",
        moment("w.created_at"), ("POST", "/v1/quarantine/{quarantine_id}/dismiss"), ("GET", "/v1/quarantine"), or_none=True, days=2,
    ),
    Kind(
        "differences", "Chênh lệch đối soát cần giải quyết", "Differences of reconciliation to resolve", _DEPARTMENT,
        "reconciliation_break AS w WHERE w.state = 'OPEN'", "w.opened_on", ("POST", "/v1/breaks/{break_id}/resolution"),
        ("GET", "/v1/breaks"), or_none=True, days=5,
    ),
    Kind(
        "difference_decisions", "Cách giải quyết chênh lệch, chờ người thứ hai", "Resolutions of differences to decide", _CHECKERS,
        "reconciliation_break AS w WHERE w.state = 'PROPOSED'", "w.opened_on", ("POST", "/v1/breaks/{break_id}/resolution/decision"),
        ("GET", "/v1/breaks"), maker="w.proposed_by", or_none=True, days=5,
    ),
    Kind(
        "fees", "Mức phí chi trả, chờ duyệt", "Fee agreements to decide", _APPROVER, "fee_agreement AS w WHERE w.state = 'PROPOSED'",
        "w.from_date", ("POST", "/v1/fees/{fee_id}/decision"), ("GET", "/v1/fees"), unit=None, maker="w.proposed_by", days=5,
    ),
    Kind(
        "money_movements", "Chuyển tiền với đối tác, chờ duyệt", "Movements of money to decide", _APPROVER,
        "money_movement AS w JOIN payment_cycle AS c USING (cycle_id) WHERE w.state = 'PROPOSED'", moment("w.proposed_at"),
        ("POST", "/v1/money-movements/{movement_id}/decision"), ("GET", "/v1/money-movements"), unit="c.unit_path",
        maker="w.proposed_by", days=2,
    ),
    Kind(
        "settlements", "Quyết toán với đối tác, chờ duyệt", "Settlements to decide", _APPROVER,
        "settlement AS w WHERE w.state = 'PROPOSED'", "w.business_date", ("POST", "/v1/settlements/{settlement_id}/decision"),
        ("GET", "/v1/settlements"), maker="w.proposed_by", days=5,
    ),
    Kind(
        "pauses", "Đối tác, kỳ chi đang tạm dừng gửi", "Lanes that stand still", (Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.OPERATOR),
        "lane_pause AS w WHERE w.state = 'ACTIVE'", moment("w.paused_at"), ("POST", "/v1/pauses/{pause_id}/resume"), ("GET", "/v1/pauses"),
        unit=None, days=1,
    ),
    Kind(
        "resumes", "Đề nghị gửi tiếp, chờ người thứ hai", "Resumptions to decide", (Role.DEPARTMENT_OFFICER, Role.APPROVER, Role.OPERATOR),
        "lane_pause AS w WHERE w.state = 'RESUME_PROPOSED'", moment("w.paused_at"), ("POST", "/v1/pauses/{pause_id}/resume/decision"),
        ("GET", "/v1/pauses"), unit=None, maker="w.resume_proposed_by", days=1,
    ),
    Kind(
        "unsigned_answers", "Tệp trả lời không ký báo chi không thành, chờ người thứ hai", "Unsigned answers to confirm", _CHECKERS,
        "partner_notice AS w JOIN payment_batch AS b USING (batch_id) JOIN payment_cycle AS c USING (cycle_id) WHERE w.state = 'WAITING'",
        moment("w.received_at"), ("POST", "/v1/batches/{batch_id}/acknowledgement/decision"), ("GET", "/v1/batches"), unit="c.unit_path",
        maker="w.brought_by", days=1, about={"/notice_id": "w.notice_id"},
    ),
    Kind(
        "files_unacknowledged", "Tệp chi đã lập, chờ nộp hoặc chờ biên nhận", "Payment files to upload or acknowledge", _TECHNICAL,
        "payment_batch AS w JOIN payment_cycle AS c USING (cycle_id) WHERE w.file_name IS NOT NULL AND w.state = 'UNCERTAIN'",
        moment("w.created_at"), ("POST", "/v1/batches/{batch_id}/acknowledgement"), ("GET", "/v1/batches"), unit="c.unit_path", days=1,
    ),
)  # fmt: skip

_CASES: Final = (
    Kind(
        "cases", "Tra soát, thu hồi lệnh chi: gửi công văn, nhắc, khép lại", "Tracing and recall cases to carry on", _DEPARTMENT,
        "payment_case AS w WHERE w.state IN ('OPEN', 'SENT', 'ANSWERED')", "w.opened_on", ("POST", "/v1/payment-cases/{case_id}/close"),
        ("GET", "/v1/payment-cases"), deadline="coalesce(w.due_on, w.opened_on + 2)",
    ),
    Kind(
        "complaints", "Khiếu nại về khoản chi cần xác minh", "Complaints to look into", _OFFICERS,
        "complaint AS w WHERE w.state IN ('OPEN', 'INVESTIGATING')", "w.opened_on", ("POST", "/v1/complaints/{complaint_id}/outcome"),
        ("GET", "/v1/complaints"), deadline="w.due_on",
    ),
    Kind(
        "complaint_outcomes", "Kết luận khiếu nại, chờ người thứ hai", "Outcomes of complaints to confirm",
        (Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.APPROVER), "complaint AS w WHERE w.state = 'OUTCOME_PROPOSED'", "w.opened_on",
        ("POST", "/v1/complaints/{complaint_id}/outcome/decision"), ("GET", "/v1/complaints"), deadline="w.due_on", maker="w.proposed_by",
    ),
    Kind(
        "recoveries", "Truy thu cần thông báo cho người nhận", "Recoveries to give notice of", _OFFICERS,
        "recovery_case AS w WHERE w.state = 'OPEN'", "w.opened_on", ("POST", "/v1/recoveries/{recovery_id}/notice"),
        ("GET", "/v1/recoveries"), days=15,
    ),
    Kind(
        "waivers", "Miễn truy thu, chờ duyệt", "Waivers of recoveries to decide", _CHECKERS,
        "recovery_case AS w WHERE w.state = 'WAIVER_PROPOSED'", moment("w.updated_at"),
        ("POST", "/v1/recoveries/{recovery_id}/waiver/decision"), ("GET", "/v1/recoveries"), maker="w.waiver_proposed_by", days=5,
    ),
    Kind(
        "repayments", "Tiền nộp lại, chờ xác nhận", "Repayments to confirm", _CHECKERS,
        "repayment AS w JOIN recovery_case AS c USING (recovery_id) WHERE w.state = 'PROPOSED'", "w.document_date",
        ("POST", "/v1/recoveries/{recovery_id}/repayments/{repayment_id}/decision"), ("GET", "/v1/recoveries"), unit="c.unit_path",
        maker="w.proposed_by", days=3,
    ),
    Kind(
        "tellings", "Người cần được báo bằng giấy, chờ in", "People to be told on paper, to print", _OFFICERS,
        "telling AS w WHERE w.state = 'TO_PRINT'", moment("w.created_at"), ("POST", "/v1/cycles/{cycle_id}/telling-sheets"),
        ("GET", "/v1/tellings"), days=5, about={"/unit_code": "w.unit_code"},
    ),
    Kind(
        "telling_sheets", "Phiếu báo đã in, chờ bản ký nhận", "Printed notices, waiting for the signed sheet", _OFFICERS,
        "telling_sheet AS w WHERE w.state = 'PRINTED'", "w.business_date", ("POST", "/v1/telling-sheets/{sheet_id}/proof"),
        ("GET", "/v1/telling-sheets"), days=10,
    ),
)  # fmt: skip

WORK: Final = (*_CYCLES, *_MONEY, *_CASES, *PARKED)
"""Kinds of work, in the order they are asked for."""
