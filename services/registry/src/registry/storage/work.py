"""What waits for people in the registry, as counted queries (see `common.work_list`)."""

from __future__ import annotations

from typing import Final

from common.actor import Role
from common.lists.work import IMPORT_WORK
from common.work_list import PARKED, Kind, moment

__all__ = ["WORK"]

_OFFICERS: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_SENIORS: Final = (Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_CHECKERS: Final = (Role.APPROVER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER)
_DECIDERS: Final = (*_OFFICERS, Role.APPROVER)
_LAW: Final = (Role.DEPARTMENT_OFFICER, Role.APPROVER)
_UNIT_WORK: Final = (Role.COMMUNE_OFFICER, Role.DEPARTMENT_OFFICER)
_EXPIRING_DAYS: Final = 30
_ENDED_DAYS: Final = 90
"""So long a person without a collector waits in the inbox: who needs none is told of no longer."""

_LISTS: Final = (
    *IMPORT_WORK,
    Kind(
        "lists_received", "Danh sách cấp dưới gửi lên, chờ tiếp nhận", "Lists sent up, to receive or return", _SENIORS,
        "submitted_list AS w WHERE w.state IN ('SUBMITTED', 'RECEIVED')", "w.submitted_on",
        ("POST", "/v1/submitted-lists/{list_id}/receive"), ("GET", "/v1/submitted-lists"), unit="w.to_unit_path", deadline="w.due_on",
    ),
    Kind(
        "lists_returned", "Danh sách bị trả lại, cần sửa và gửi lại", "Lists returned, to mend and send again", _OFFICERS,
        "submitted_list AS w WHERE w.state = 'RETURNED'", moment("w.returned_at"), ("POST", "/v1/submitted-lists/{list_id}/submit"),
        ("GET", "/v1/submitted-lists"), deadline="w.due_on",
    ),
    Kind(
        "group_lists", "Danh sách hộ nghèo, nhóm đối tượng, chờ duyệt", "Lists of groups to approve", _CHECKERS,
        "group_list AS w WHERE w.state = 'PENDING'", "w.business_date", ("POST", "/v1/group-lists/{list_id}/approve"),
        ("GET", "/v1/group-lists"), maker="w.created_by", days=5,
    ),
    Kind(
        "insurance_answers", "Trả lời của bảo hiểm xã hội, chờ duyệt", "Answers of the social insurance to approve", _DECIDERS,
        "insurance_answer AS w JOIN insurance_list AS l USING (list_id) WHERE w.state = 'CHECKED'", "w.told_on",
        ("POST", "/v1/insurance-answers/{answer_id}/decision"), ("GET", "/v1/insurance-lists"), unit="l.unit_path", maker="w.created_by",
        days=5,
    ),
    Kind(
        "campaigns", "Danh sách chi một lần, chờ duyệt", "Campaign lists to decide", _CHECKERS,
        "campaign AS w WHERE w.state = 'LISTED'", "w.business_date", ("POST", "/v1/campaigns/{campaign_id}/decision"),
        ("GET", "/v1/campaigns"), maker="w.created_by", days=3,
    ),
    Kind(
        "campaign_late", "Bổ sung người vào đợt chi một lần, chờ duyệt", "People added late to campaigns to decide", _CHECKERS,
        "campaign_person AS w JOIN campaign AS c USING (campaign_id) WHERE w.state = 'PROPOSED'", "w.added_on",
        ("POST", "/v1/campaigns/{campaign_id}/late/{person_id}/decision"), ("GET", "/v1/campaigns"), maker="w.added_by",
        deadline="c.late_until",
    ),
)  # fmt: skip

_PEOPLE: Final = (
    Kind(
        "decisions", "Quyết định chờ duyệt", "Decisions to approve", _DECIDERS,
        "decision AS w JOIN person AS p USING (person_id) WHERE w.state = 'PROPOSED'", moment("w.made_at"),
        ("POST", "/v1/decisions/approve"), ("GET", "/v1/decisions"), unit="p.unit_path", also="w.authority_path", maker="w.maker", days=5,
        about={"/bulk_id": "w.bulk_id"},
    ),
    Kind(
        "uncollected", "Ba tháng không nhận trợ cấp: lập quyết định tạm dừng hoặc bác", "Three months uncollected: suspensions to propose",
        _OFFICERS, "suspension_proposal AS w JOIN person AS p ON p.person_id = w.beneficiary_id WHERE w.state = 'OPEN'"
        " AND NOT EXISTS (SELECT FROM decision AS d WHERE d.person_id = w.beneficiary_id AND d.kind = 'SUSPEND'"
        " AND d.state = 'PROPOSED')",
        "w.business_date", ("POST", "/v1/decisions"), ("GET", "/v1/suspension-proposals"), unit="p.unit_path", days=10,
        about={
            "/kind": "'SUSPEND'", "/reason": "'UNCOLLECTED'",
            "/items/0/entitlement_id": "(SELECT min(e.entitlement_id::text) FROM entitlement AS e"
            " WHERE e.person_id = w.beneficiary_id AND e.programme = w.programme AND e.status = 'GRANTED')",
        },
    ),
    Kind(
        "life_events", "Biến động (mất tích, đi tù, trở về) chờ xác nhận", "Life events to confirm", _DECIDERS,
        "life_event AS w JOIN person AS p USING (person_id) WHERE w.state = 'PROPOSED'", moment("w.made_at"),
        ("POST", "/v1/life-events/confirm"), ("GET", "/v1/life-events"), unit="p.unit_path", maker="w.maker", days=5,
        about={"/event_ids/0": "w.event_id"},
    ),
    Kind(
        "funerals", "Mai táng phí chờ duyệt", "Funeral support to approve", _DECIDERS,
        "funeral_support AS w JOIN person AS p ON p.person_id = w.deceased_id WHERE w.state = 'PROPOSED'", moment("w.made_at"),
        ("POST", "/v1/funerals/{funeral_id}/approve"), ("GET", "/v1/funerals"), unit="p.unit_path", maker="w.maker", days=3,
    ),
    Kind(
        "transfers", "Chuyển nơi hưởng, chờ nơi nhận", "Moves to receive or return", _DECIDERS,
        "transfer AS w WHERE w.state = 'SENT'", "w.sent_on", ("POST", "/v1/transfers/{transfer_id}/receive"), ("GET", "/v1/transfers"),
        unit="(CASE WHEN w.direction = 'OUT' THEN w.from_path ELSE w.to_path END)", maker="w.maker", days=5,
    ),
    Kind(
        "representatives", "Ủy quyền, giám hộ chờ xác nhận", "Authorisations and guardians to confirm", _DECIDERS,
        "representative_proposal AS w JOIN person AS p ON p.person_id = w.beneficiary_id WHERE w.state = 'PROPOSED'", moment("w.made_at"),
        ("POST", "/v1/representatives/proposals/{proposal_id}/decision"), ("GET", "/v1/representatives/proposals"), unit="p.unit_path",
        maker="w.maker", days=3,
    ),
    Kind(
        "authorisations_expiring", f"Ủy quyền hết hạn trong {_EXPIRING_DAYS} ngày", f"Authorisations that end within {_EXPIRING_DAYS} days",
        _OFFICERS, "representative AS w JOIN person AS p ON p.person_id = w.beneficiary_id WHERE w.revoked_on IS NULL"
        f" AND w.valid_to BETWEEN CAST(:day AS date) AND CAST(:day AS date) + {_EXPIRING_DAYS} AND p.status = 'ACTIVE'"
        " AND NOT EXISTS (SELECT FROM representative_proposal AS q WHERE q.beneficiary_id = w.beneficiary_id"
        " AND q.representative_id = w.representative_id AND q.state = 'PROPOSED')",
        f"least(w.valid_to - {_EXPIRING_DAYS}, CAST(:day AS date))",
        ("PATCH", "/v1/beneficiaries/{beneficiary_id}/representatives/{representative_id}"), ("GET", "/v1/representatives/expiring"),
        unit="p.unit_path", deadline="w.valid_to",
    ),
    Kind(
        "collectors_ended", "Ủy quyền, giám hộ đã hết hạn hoặc người nhận thay đã mất, chưa có ai thay",
        "Rights that ran out, or whose holder died, with nobody in their place",
        _OFFICERS, "representative AS w JOIN person AS p ON p.person_id = w.beneficiary_id"
        " WHERE w.revoked_why IN ('EXPIRED', 'REPRESENTATIVE_DIED') AND p.status = 'ACTIVE'"
        f" AND w.revoked_on BETWEEN CAST(:day AS date) - {_ENDED_DAYS} AND CAST(:day AS date)"
        " AND NOT EXISTS (SELECT FROM representative AS o WHERE o.beneficiary_id = w.beneficiary_id AND o.revoked_on IS NULL)"
        " AND NOT EXISTS (SELECT FROM representative_proposal AS q WHERE q.beneficiary_id = w.beneficiary_id AND q.state = 'PROPOSED')",
        "w.revoked_on", ("POST", "/v1/beneficiaries/{beneficiary_id}/representatives"), unit="p.unit_path", days=10,
    ),
    Kind(
        "duplicates", "Nghi trùng người hưởng, chờ xem xét", "Possible duplicates to judge", (*_OFFICERS, Role.COMMUNE_POLICE),
        "duplicate_candidate AS w JOIN person AS p ON p.person_id = w.a_id LEFT JOIN person AS o ON o.person_id = w.b_id"
        " WHERE w.state IN ('OPEN', 'CONFIRMED', 'UNDONE')"
        " AND NOT EXISTS (SELECT FROM duplicate_decision AS d WHERE d.candidate_id = w.candidate_id AND d.state = 'PROPOSED')",
        moment("w.created_at"), ("POST", "/v1/duplicates/{candidate_id}/proposal"), ("GET", "/v1/duplicates"),
        unit=("p.unit_path", "o.unit_path"), days=10,
    ),
    Kind(
        "duplicate_decisions", "Kết luận trùng, chờ người thứ hai", "Conclusions on duplicates to decide", _DECIDERS,
        "duplicate_decision AS w JOIN duplicate_candidate AS c USING (candidate_id) JOIN person AS p ON p.person_id = c.a_id"
        " LEFT JOIN person AS o ON o.person_id = c.b_id WHERE w.state = 'PROPOSED'",
        "w.business_date", ("POST", "/v1/duplicates/{candidate_id}/decision"), ("GET", "/v1/duplicates"), unit="p.unit_path",
        also="o.unit_path", maker="w.proposed_by", days=5,
    ),
    Kind(
        "change_requests", "Đề nghị sửa thông tin, báo tử, chờ duyệt", "Corrections and deaths reported, to decide", _DECIDERS,
        "change_request AS w JOIN person AS p USING (person_id) WHERE w.state = 'PENDING'", "w.business_date",
        ("POST", "/v1/change-requests/{request_id}/decision"), ("GET", "/v1/change-requests"), unit="p.unit_path",
        maker="w.requested_by", days=3,
    ),
    Kind(
        "death_differences", "Ngày mất theo CSDL dân cư khác ngày trong sổ, chờ trả lời",
        "Dates of death told otherwise than recorded, to answer", _OFFICERS,
        "death_difference AS w JOIN person AS p USING (person_id) WHERE w.state = 'OPEN' AND NOT EXISTS (SELECT FROM change_request AS r"
        " WHERE r.person_id = w.person_id AND r.kind = 'DEATH' AND r.state = 'PENDING')",
        "w.told_on", ("POST", "/v1/death-differences/{difference_id}/answer"), ("GET", "/v1/death-differences"), unit="p.unit_path", days=5,
    ),
    Kind(
        "self_registrations", "Người dân tự đăng ký, chờ tiếp nhận", "Self-registrations to answer", _OFFICERS,
        "self_registration AS w WHERE w.state = 'PENDING'", "w.business_date",
        ("POST", "/v1/self-registrations/{registration_id}/accept"), ("GET", "/v1/self-registrations"), days=3,
    ),
    Kind(
        "survey_tasks", "Hộ cần khảo sát nguyện vọng", "Households to ask for their wish", (*_OFFICERS, Role.COMMUNE_POLICE),
        "survey_task AS w JOIN survey AS s USING (survey_id) WHERE w.state = 'OPEN' AND (w.assigned_to IS NULL OR w.assigned_to = :me)",
        "s.started_on", ("POST", "/v1/survey-tasks/{task_id}/answers"), ("GET", "/v1/survey-tasks"), deadline="s.due_on",
        page="/pages/survey",
    ),
)  # fmt: skip

_LAW_AND_UNITS: Final = (
    Kind(
        "law_changes", "Thay đổi mức, quy định, chờ duyệt", "Changes of the law to approve", _LAW,
        "law_change AS w WHERE w.state = 'PROPOSED' AND NOT (:me = ANY (w.authors))",
        f"coalesce(w.business_date, ({moment('w.created_at')})::date)",
        ("POST", "/v1/law-changes/{change_id}/approve"), ("GET", "/v1/law-changes"), unit=None, maker="w.created_by", days=5,
    ),
    Kind(
        "group_requests", "Nhóm đối tượng mới, chờ duyệt", "New groups to approve", (Role.DEPARTMENT_OFFICER,),
        "group_request AS w WHERE w.state = 'PENDING'", moment("w.created_at"), ("POST", "/v1/groups/requests/{request_id}/approve"),
        ("GET", "/v1/groups"), unit=None, maker="w.created_by", days=5,
    ),
    Kind(
        "unit_changes", "Thay đổi đơn vị hành chính, chờ duyệt", "Changes of units to decide", _LAW,
        "unit_change AS w WHERE w.state = 'PROPOSED'", "w.business_date", ("POST", "/v1/units/changes/{change_id}/decision"),
        ("GET", "/v1/units/changes"), unit=None, maker="w.created_by", deadline="w.effective_on",
    ),
    Kind(
        "remaps", "Chuyển người sang đơn vị mới, chờ duyệt", "Re-mappings of people to approve", _LAW,
        "unit_remap AS w WHERE w.state = 'COUNTED'", "w.business_date", ("POST", "/v1/units/remaps/{remap_id}/approve"),
        ("GET", "/v1/units/remaps"), unit="w.scope_path", or_none=True, maker="w.created_by", days=3,
    ),
    Kind(
        "people_without_unit", "Người chưa phân về xã mới", "People to be given a new unit", _UNIT_WORK,
        "unit_work_item AS w WHERE w.state = 'OPEN'", "w.effective_on", ("POST", "/v1/units/work-list/proposals"),
        ("GET", "/v1/units/work-list"), unit="w.old_path", days=15,
        about={"/people/0/person_id": "w.person_id", "/effective_on": "w.effective_on"},
    ),
    Kind(
        "unit_proposals", "Đề xuất xã mới cho từng người, chờ duyệt", "Proposed new units of people to approve",
        (*_UNIT_WORK, Role.APPROVER), "unit_work_item AS w WHERE w.state = 'PROPOSED'", moment("w.proposed_at"),
        ("POST", "/v1/units/work-list/approve"), ("GET", "/v1/units/work-list"), unit=("w.old_path", "w.proposed_path"),
        maker="w.proposed_by", days=5, about={"/old_path": "w.old_path", "/effective_on": "w.effective_on"},
    ),
)  # fmt: skip

WORK: Final = (*_PEOPLE, *_LISTS, *_LAW_AND_UNITS, *PARKED)
"""Kinds of work, in the order they are asked for."""
