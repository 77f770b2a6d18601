"""What waits for people in accounts, as counted queries (see `common.work_list`)."""

from __future__ import annotations

from typing import Final

from common.actor import Role
from common.lists.work import IMPORT_WORK
from common.work_list import PARKED, Kind, moment

__all__ = ["WORK"]

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_CHECKERS: Final = (Role.APPROVER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_DEPARTMENT: Final = (Role.DEPARTMENT_OFFICER,)

WORK: Final = (
    *IMPORT_WORK,
    Kind(
        "account_reviews", "Tài khoản cần xem xét", "Accounts to look at", _OFFICERS,
        "account AS w WHERE (w.status = 'NEEDS_REVIEW' OR w.ask_officer IS NOT NULL)"
        " AND NOT EXISTS (SELECT FROM account_review AS r WHERE r.account_id = w.account_id AND r.state = 'PROPOSED')",
        moment("w.updated_at"), ("POST", "/v1/accounts/{account_id}/reviews"), ("GET", "/v1/reviews"), days=10,
    ),
    Kind(
        "account_decisions", "Đề xuất về tài khoản, chờ người thứ hai", "Proposals on accounts to decide", _CHECKERS,
        "account_review AS w JOIN account AS a USING (account_id) WHERE w.state = 'PROPOSED'", moment("w.proposed_at"),
        ("POST", "/v1/reviews/{review_id}/decision"), ("GET", "/v1/reviews"), unit="a.unit_path", maker="w.proposed_by", days=5,
    ),
    Kind(
        "fraud_alerts", "Cảnh báo gian lận, chờ Sở xem", "Fraud alerts to judge", _DEPARTMENT,
        "alert AS w WHERE w.state = 'OPEN' AND EXISTS (SELECT FROM unnest(w.unit_paths) AS u (path) WHERE {scope})", "w.opened_on",
        ("POST", "/v1/alerts/{alert_id}/decision"), ("GET", "/v1/alerts"), unit="u.path", days=5,
    ),
    Kind(
        "fraud_suspicions", "Nghi gian lận, chờ người thứ hai kết luận", "Suspicions to confirm or clear", _DEPARTMENT,
        "alert AS w WHERE w.state = 'SUSPECTED' AND EXISTS (SELECT FROM unnest(w.unit_paths) AS u (path) WHERE {scope})", "w.opened_on",
        ("POST", "/v1/alerts/{alert_id}/decision"), ("GET", "/v1/alerts"), unit="u.path", maker="w.suspected_by", days=5,
    ),
    Kind(
        "provider_changes", "Thay đổi tổ chức, hợp đồng, thiết lập, chờ duyệt", "Changes of providers, contracts, settings to decide",
        _CHECKERS, "change_request AS w WHERE w.state = 'PROPOSED' AND (:of_a_province OR w.body ->> 'unit_path' IS NOT NULL)",
        moment("w.proposed_at"),
        ("POST", "/v1/change-requests/{request_id}/decision"), ("GET", "/v1/change-requests"), unit="w.body ->> 'unit_path'",
        or_none=True, maker="w.proposed_by", days=5,
    ),
    Kind(
        "openings_to_send", "Đăng ký mở tài khoản chưa gửi ngân hàng", "Requests for accounts to send to the provider", _OFFICERS,
        "opening_request AS w WHERE w.status = 'REQUESTED'", "w.business_date", ("POST", "/v1/opening-batches"), ("GET", "/v1/openings"),
        days=10, about={"/provider_code": "w.provider_code", "/unit_code": "w.unit_code"},
    ),
    Kind(
        "opening_results", "Kết quả mở tài khoản, chờ duyệt", "Results of openings to decide", _CHECKERS,
        "opening_result AS w WHERE w.state = 'PROPOSED'", moment("w.received_at"), ("POST", "/v1/opening-results/{result_id}/decision"),
        unit=None, maker="w.sent_by", days=5,
    ),
    Kind(
        "fee_complaints", "Phản ánh về phí", "Complaints about fees", _OFFICERS,
        "fee_complaint AS w WHERE w.state IN ('RECEIVED', 'WITH_PROVIDER')", "w.business_date",
        ("PUT", "/v1/fee-complaints/{complaint_id}"),
        ("GET", "/v1/fee-complaints"), days=15,
    ),
    *PARKED,
)  # fmt: skip
"""Kinds of work, in the order they are asked for."""
