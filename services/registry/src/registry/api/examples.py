"""What the worked examples of the registry need beyond schema and path: files, other bodies, and whom they are about in the sample data."""

from __future__ import annotations

from typing import Any, Final

from common.openapi import Example, Examples, From, New

__all__ = ["EXAMPLES"]

_ANYONE: Final = From("GET /v1/beneficiaries?status=ACTIVE&limit=200", "/items/*/beneficiary_id")
_SURVEYED: Final = From("POST /v1/surveys", "/survey_id")
_APPOINTED: Final = From("POST /v1/representatives/proposals/{proposal_id}/decision", "/beneficiary_id")
_REPRESENTATIVE: Final = From("GET /v1/beneficiaries/{beneficiary_id}", "/representatives/0/representative_id")
_DRAFTED: Final = From("POST /v1/law-changes/{change_id}/rows/{table}", "/change_id")
_COUNTED: Final = From("POST /v1/law-changes/{change_id}/what-if", "/job_id", wait=True)
_PROPOSED: Final = From("POST /v1/law-changes/{change_id}/propose", "/change_id")
_ASSISTED: Final = From("GET /v1/beneficiaries?status=ACTIVE&programme=SOCIAL_ASSISTANCE&limit=200", "/items/*/beneficiary_id")
_MERIT: Final = From("GET /v1/beneficiaries?status=ACTIVE&programme=MERIT&limit=200", "/items/*/beneficiary_id")
_REGISTERED: Final = From("POST /v1/beneficiaries", "/beneficiary_id")
_NUMBER: Final = New("06015#######")

_PEOPLE_LIST: Final = (
    "danh-sach-bao-tro.csv",
    (
        "Mã hồ sơ;Họ và tên;Ngày sinh;Giới tính;Số CCCD;Địa chỉ;Mã đơn vị;Loại đối tượng;Số quyết định;Ngày quyết định;Hưởng từ tháng\n"
        "VD-22924-########;Nguyễn Thị Hoà;25/02/1940;Nữ;06014#######;Thôn 2;22924;SA5C;2965/QĐ-UBND;13/05/2024;05/2024\n"
    ),
)
_REFUSED: Final = "Thiếu giấy tờ gốc"


def _decided(number: str, key: str, at: str, body: dict[str, Any]) -> Example:
    return Example(body=body, sources={key: From(number, at)})


_SUSPENSION: Final = {
    "kind": "SUSPEND",
    "reason": "DETAINED",
    "number": "45/QĐ-UBND",
    "decision_date": "2024-08-12",
    "signer": "Trần Văn Nam",
    "event_date": "2024-08-05",
    "business_date": "2024-08-20",
    "items": [{"entitlement_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"}],
}
_COLUMNS: Final = {
    "file_code": "A",
    "full_name": "B",
    "birth_date": "C",
    "sex": "D",
    "number": "E",
    "address": "F",
    "unit_code": "G",
    "category": "H",
    "decision_number": "I",
    "decision_date": "J",
    "from_month": "K",
}
_LISTS: Final = {
    "POST /v1/imports": Example(
        body={"unit_code": "22924", "business_date": "2024-08-20", "programme": "SOCIAL_ASSISTANCE"}, file=_PEOPLE_LIST
    ),
    "POST /v1/imports/approve": Example(sources={"/import_ids/0": From("POST /v1/imports", "/import_id", wait=True)}),
    "POST /v1/imports/{import_id}/approve": Example(sources={"import_id": From("POST /v1/imports", "/import_id", wait=True)}),
    "POST /v1/imports/{import_id}/dismiss": Example(
        sources={
            "import_id": From("GET /v1/imports/waiting", "/items/*/import_id"),
            "/rows": From("GET /v1/imports/waiting?import_id={import_id}", "/items/0/row_number", many=True),
        }
    ),
    "POST /v1/submitted-lists": Example(sources={"/import_id": From("POST /v1/imports", "/import_id", wait=True)}),
    "POST /v1/submitted-lists/{list_id}/submit": Example(
        sources={"list_id": From("POST /v1/submitted-lists/{list_id}/return", "/list_id")}
    ),
    "POST /v1/submitted-lists/{list_id}/return": Example(
        body={"reasons": [{"reason": "Thiếu giấy xác nhận khuyết tật", "row": 2}]},
    ),
    "PUT /v1/imports/{import_id}/mapping": Example(
        body={"columns": _COLUMNS, "header_row": 1, "save_as": "Mẫu của xã"},
        sources={"import_id": From("POST /v1/imports", "/import_id", wait=True), "/save_as": New("Mẫu của xã ######")},
    ),
    "DELETE /v1/imports/mappings/{mapping_id}": Example(
        sources={
            "saved": From("PUT /v1/imports/{import_id}/mapping", "/import_id"),
            "mapping_id": From("GET /v1/imports/mappings", "/items/0/mapping_id", wait=True),
        }
    ),
}
_PEOPLE: Final = {
    "POST /v1/beneficiaries": Example(sources={"/national_number": _NUMBER, "/file_code": New("VD-22924-A-########")}),
    "POST /v1/beneficiaries/search": Example(body={"national_number": "060150001234"}),
    "POST /v1/bulk/beneficiaries": Example(
        body={
            "items": [
                {
                    "programme": "SOCIAL_ASSISTANCE",
                    "unit_code": "22924",
                    "business_date": "2024-08-20",
                    "file_code": "VD-22924-B-00017",
                    "full_name": "Lê Văn Tư",
                    "birth_date": "1948",
                    "sex": "M",
                    "national_number": "060150001235",
                    "entitlements": [
                        {"category": "SA5C", "decision_number": "124/QĐ-UBND", "decision_date": "2024-08-10", "from_month": "2024-08"}
                    ],
                }
            ]
        },
        sources={"/items/0/national_number": _NUMBER, "/items/0/file_code": New("VD-22924-B-########")},
    ),
    "PATCH /v1/bulk/beneficiaries": Example(
        body={"items": [{"beneficiary_id": "", "version": 1, "changes": {"business_date": "2024-08-20", "preference": "DECLINES"}}]},
        sources={"/items/0/beneficiary_id": _REGISTERED},
    ),
    "POST /v1/beneficiaries/{beneficiary_id}/death": Example(sources={"beneficiary_id": _ANYONE}),
    "POST /v1/beneficiaries/{beneficiary_id}/change-requests": Example(sources={"beneficiary_id": _ANYONE, "/national_number": _NUMBER}),
    "GET /v1/change-requests/{request_id}": Example(
        sources={"request_id": From("POST /v1/beneficiaries/{beneficiary_id}/change-requests", "/request_id")}
    ),
    "POST /v1/change-requests/{request_id}/decision": Example(
        sources={"request_id": From("POST /v1/beneficiaries/{beneficiary_id}/change-requests", "/request_id")}
    ),
    "POST /v1/change-requests/{request_id}/withdraw": Example(
        sources={"request_id": From("POST /v1/beneficiaries/{beneficiary_id}/change-requests", "/request_id")}, by="department.officer"
    ),
    "POST /v1/merit-relations": Example(sources={"/relative_id": _ANYONE}),
    "POST /v1/self-registrations": Example(sources={"/national_number": New("06015###1234")}),
    "POST /v1/self-registrations/lookup": Example(
        body={"last_digits": "1234", "receipt_number": "TN-2408-7K2MPQ4XWT"},
        sources={"/receipt_number": From("POST /v1/self-registrations", "/receipt_number")},
    ),
    "POST /v1/self-registrations/{registration_id}/accept": Example(sources={"/file_code": New("VD-22924-C-########")}),
    "POST /v1/self-registrations/{registration_id}/refuse": Example(
        body={"business_date": "2024-08-25", "answer": "Chưa đủ điều kiện: thiếu giấy xác nhận khuyết tật"},
        sources={
            "receipt": From("POST /v1/self-registrations", "/receipt_number"),
            "registration_id": From("GET /v1/self-registrations?state=PENDING", "/items/*/registration_id"),
        },
    ),
    "POST /v1/duplicates/{candidate_id}/proposal": Example(
        sources={"candidate_id": From("GET /v1/duplicates", "/items/*/candidate_id")},
        body={"kind": "NOT_DUPLICATE", "note": "Hai người khác nhau, đã đối chiếu căn cước tại nhà", "business_date": "2024-08-20"},
    ),
    "POST /v1/duplicates/{candidate_id}/decision": Example(
        sources={"candidate_id": From("POST /v1/duplicates/{candidate_id}/proposal", "/candidate_id")}
    ),
}
_HOUSEHOLDS: Final = {
    "GET /v1/households": Example(values={"group_on": "2024-09-01"}),
    "GET /v1/beneficiaries": Example(values={"group": "POOR", "group_on": "2024-09-01"}),
    "POST /v1/households": Example(sources={"/members/0/beneficiary_id": _REGISTERED, "/code": New("VD-H-22924-######")}),
    "POST /v1/households/{household_id}/members": Example(sources={"/members/0/beneficiary_id": _REGISTERED}),
    "POST /v1/households/{household_id}/leave": Example(
        sources={"/beneficiary_id": From("GET /v1/households/{household_id}", "/members/0/beneficiary_id")}
    ),
    "POST /v1/households/{household_id}/split": Example(
        sources={"/members/0/beneficiary_id": From("GET /v1/households/{household_id}", "/members/0/beneficiary_id")},
        body={
            "business_date": "2024-08-20",
            "from_date": "2024-08-01",
            "members": [{"beneficiary_id": "", "relation": "Chủ hộ"}],
            "keep_groups": True,
        },
    ),
    "POST /v1/groups": Example(sources={"/code": New("VD_NHOM_######")}),
    "POST /v1/groups/requests/{request_id}/approve": Example(sources={"request_id": From("POST /v1/groups", "/request_id")}),
    "POST /v1/groups/requests/{request_id}/reject": Example(sources={"request_id": From("POST /v1/groups", "/request_id")}),
    "POST /v1/group-lists/file": Example(
        body={"unit_code": "22924", "from_date": "2024-01-01", "decision_number": "45/QĐ-UBND", "business_date": "2024-08-20"},
        file=("ra-soat.csv", "STT;Mã hộ;Họ tên chủ hộ;Diện;Biến động\n1;VD-H-######;Nguyễn Văn Một;Hộ nghèo;Vào\n"),
    ),
    "POST /v1/institutions": Example(sources={"/code": New("VD-BTXH-######")}),
    "POST /v1/institutions/{institution_id}/residents": Example(sources={"/beneficiary_id": _REGISTERED}),
    "POST /v1/institutions/{institution_id}/leave": Example(
        sources={
            "/beneficiary_id": From("POST /v1/institutions/{institution_id}/residents", "/beneficiary_id"),
        }
    ),
    "POST /v1/surveys": Example(
        body={"business_date": "2024-10-01", "due_on": "2024-10-31", "title": "Khảo sát quý IV/2024", "unit_code": "60"},
        sources={"somebody": From("POST /v1/bulk/beneficiaries", "")},  # whoever registers without a wish is asked
    ),
    "GET /v1/survey-tasks/{task_id}": Example(
        sources={"survey": _SURVEYED, "task_id": From("GET /v1/survey-tasks?survey_id={survey}&limit=100", "/items/0/task_id")}
    ),
    "POST /v1/survey-tasks/{task_id}/answers": Example(
        sources={
            "survey": _SURVEYED,
            "task_id": From("GET /v1/survey-tasks?survey_id={survey}&state=OPEN&limit=100", "/items/0/task_id"),
            "/answers/0/beneficiary_id": From("GET /v1/survey-tasks/{task_id}", "/people/0/beneficiary_id"),
        }
    ),
    "POST /v1/surveys/{survey_id}/results": Example(
        body={"business_date": "2024-10-20"},
        file=("khao-sat.csv", "Mã hồ sơ;Nguyện vọng;Ngày trả lời\nVD-22924-A-00000001;TM;05/10/2024\n"),
    ),
    "POST /v1/attachments": Example(
        body={"kind": "DECISION", "unit_code": "22924", "business_date": "2024-08-20"},
        file=("quyet-dinh.pdf", "%PDF-1.4\n% ########\n%%EOF\n"),
    ),
}
_DECISIONS: Final = {
    "PATCH /v1/beneficiaries/{beneficiary_id}/representatives/{representative_id}": Example(
        sources={"beneficiary_id": _APPOINTED, "representative_id": _REPRESENTATIVE}
    ),
    "POST /v1/beneficiaries/{beneficiary_id}/representatives/{representative_id}/revoke": Example(
        sources={"beneficiary_id": _APPOINTED, "representative_id": _REPRESENTATIVE}
    ),
    "POST /v1/funerals/{funeral_id}/reject": Example(body={"business_date": "2024-08-21", "reason": _REFUSED}),
    "GET /v1/beneficiaries/{beneficiary_id}/representatives/{representative_id}/form": Example(
        sources={"beneficiary_id": _APPOINTED, "representative_id": _REPRESENTATIVE}
    ),
    "GET /v1/beneficiaries/{beneficiary_id}/representatives/{representative_id}": Example(
        sources={"beneficiary_id": _APPOINTED, "representative_id": _REPRESENTATIVE}
    ),
    "POST /v1/decisions": Example(
        body=_SUSPENSION,
        sources={
            "person": _ASSISTED,
            "/items/0/entitlement_id": From("GET /v1/beneficiaries/{person}", "/entitlements/0/entitlement_id"),
        },
    ),
    "POST /v1/decisions/approve": _decided("POST /v1/decisions", "/bulk_id", "/bulk_id", {"bulk_id": "", "business_date": "2024-08-21"}),
    "POST /v1/decisions/reject": _decided(
        "POST /v1/decisions", "/bulk_id", "/bulk_id", {"bulk_id": "", "business_date": "2024-08-21", "reason": _REFUSED}
    ),
    "POST /v1/decisions/withdraw": Example(
        body={"bulk_id": "", "business_date": "2024-08-21"},
        sources={"/bulk_id": From("POST /v1/decisions", "/bulk_id")},
        by="department.officer",
    ),
    "POST /v1/transfers": Example(sources={"/beneficiary_id": _MERIT}),
    "POST /v1/transfers/arrivals": Example(sources={"/person/national_number": _NUMBER}),
    "POST /v1/transfers/{transfer_id}/receive": Example(body={"business_date": "2024-09-12"}),
    "POST /v1/transfers/{transfer_id}/return": Example(body={"business_date": "2024-09-12", "reason": _REFUSED}),
    "POST /v1/transfers/{transfer_id}/withdraw": Example(body={"business_date": "2024-09-12"}),
    "POST /v1/life-events": Example(sources={"/beneficiary_ids/0": _MERIT}),
    "POST /v1/life-events/confirm": Example(sources={"/event_ids/0": From("POST /v1/life-events", "/event_ids/0")}),
    "POST /v1/life-events/reject": Example(
        body={"event_ids": [""], "business_date": "2024-08-21", "reason": _REFUSED},
        sources={"/event_ids/0": From("POST /v1/life-events", "/event_ids/0")},
    ),
    "POST /v1/death-differences/{difference_id}/answer": Example(
        cannot="no date of death in the sample province differs from the population database's", refused="not-found"
    ),
    "POST /v1/funerals": Example(
        sources={
            "beneficiary_id": _ASSISTED,
            "death": From("POST /v1/beneficiaries/{beneficiary_id}/death", "/status"),
            "/beneficiary_id": From("GET /v1/beneficiaries/{beneficiary_id}", "/beneficiary_id"),
            "/organiser/national_number": New("06008#######"),
        }
    ),
    "POST /v1/beneficiaries/{beneficiary_id}/representatives": Example(
        sources={"beneficiary_id": _ASSISTED, "/person/national_number": New("06008#######")}
    ),
    "POST /v1/representatives/proposals/{proposal_id}/decision": Example(
        sources={"proposal_id": From("POST /v1/beneficiaries/{beneficiary_id}/representatives", "/proposal_id")}
    ),
}
_LAW: Final = {
    "POST /v1/law-changes": Example(sources={"/known_from": New("2026-0?-1#")}),  # two rows known on one day would contradict each other
    "POST /v1/law-changes/{change_id}/rows/{table}": Example(
        values={"table": "benefit_standard"},
        sources={"change_id": From("POST /v1/law-changes", "/change_id"), "If-Match": From("GET /v1/law-changes/{change_id}", "ETag")},
    ),
    "DELETE /v1/law-changes/{change_id}/rows/{table}": Example(
        values={"table": "benefit_standard"},
        sources={
            "change_id": From("POST /v1/law-changes/{change_id}/rows/{table}", "/change_id"),
            "If-Match": From("GET /v1/law-changes/{change_id}", "ETag"),
        },
    ),
    "POST /v1/law-changes/{change_id}/files/{table}": Example(
        values={"table": "benefit_standard"},
        body={},
        file=("muc-chuan.csv", "Mã mức chuẩn;Mức trợ cấp\nSA_STANDARD;540000\n"),
        sources={"change_id": From("POST /v1/law-changes", "/change_id"), "If-Match": From("GET /v1/law-changes/{change_id}", "ETag")},
    ),
    "GET /v1/law-changes/{change_id}/rows": Example(values={"table": "benefit_standard"}),
    "POST /v1/law-changes/{change_id}/propose": Example(sources={"change_id": _DRAFTED, "what_if": _COUNTED}),
    "POST /v1/law-changes/{change_id}/approve": Example(sources={"change_id": _PROPOSED}),
    "POST /v1/law-changes/{change_id}/reject": Example(sources={"change_id": _PROPOSED}),
    "POST /v1/law-changes/{change_id}/what-if": Example(sources={"change_id": _DRAFTED}),
    "GET /v1/law-changes/{change_id}/what-if": Example(sources={"change_id": _DRAFTED, "what_if": _COUNTED}),
    "GET /v1/law-changes/{change_id}/what-if/file": Example(sources={"change_id": _DRAFTED, "what_if": _COUNTED}),
    "POST /v1/campaigns": Example(
        body={"business_date": "2025-12-29", "code": "GIFT_418", "payee": "PERSON", "snapshot_on": "2025-12-28", "unit_path": "68"},
        cannot="the sample province's officers work for the units of before 1 July 2025; gifts with a resolution came later",
        refused="not-found",
    ),
    **{
        name: Example(cannot="follows from POST /v1/campaigns, see there", refused="not-found")
        for name in (
            "GET /v1/campaigns/{campaign_id}",
            "GET /v1/campaigns/{campaign_id}/people",
            "GET /v1/campaigns/{campaign_id}/people/file",
            "GET /v1/campaigns/{campaign_id}/progress",
            "POST /v1/campaigns/{campaign_id}/decision",
            "POST /v1/campaigns/{campaign_id}/late",
            "POST /v1/campaigns/{campaign_id}/late/{person_id}/decision",
        )
    },
    "POST /v1/insurance-lists": Example(body={"business_date": "2024-08-20", "programmes": ["SOCIAL_ASSISTANCE"], "unit_code": "60"}),
    "POST /v1/insurance-lists/{list_id}/answers": Example(
        body={"told_on": "2024-08-25"}, file=From("GET /v1/insurance-lists/{list_id}/file", "")
    ),
    "GET /v1/insurance-answers/{answer_id}": Example(
        sources={"answer_id": From("POST /v1/insurance-lists/{list_id}/answers", "/answer_id")}
    ),
    "POST /v1/insurance-answers/{answer_id}/decision": Example(
        sources={"answer_id": From("POST /v1/insurance-lists/{list_id}/answers", "/answer_id")}
    ),
    "GET /v1/changes": Example(values={"cursor": "0"}),
    "GET /v1/data-sets/{data_set_id}/parts/{part}": Example(
        values={"part": 1}, sources={"data_set_id": From("POST /v1/data-sets", "/data_set_id", wait=True)}
    ),
    "GET /v1/data-sets/{data_set_id}/file": Example(sources={"data_set_id": From("POST /v1/data-sets", "/data_set_id", wait=True)}),
    "GET /v1/lists/plan-152/{group}/{receiver}": Example(values={"group": "ASSISTANCE", "receiver": "SELF"}),
    "GET /v1/lists/plan-152/{group}/{receiver}/file": Example(values={"group": "ASSISTANCE", "receiver": "SELF"}),
    "GET /v1/history/{kind}/{key}": Example(values={"kind": "person"}, sources={"key": _ANYONE}),
    "GET /v1/history/{kind}/{key}/versions": Example(values={"kind": "person"}, sources={"key": _ANYONE}),
    "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/dues/recompute", "/job_id")}),
    "GET /v1/units/{code}": Example(values={"code": "22924"}),
    # Small places only, so that the other examples find their people where the sample put them.
    "POST /v1/units/remaps": Example(body={"business_date": "2025-07-05", "effective_on": "2025-07-01", "unit_path": "60/598/23110"}),
    "POST /v1/units/work-list/proposals": Example(
        body={"effective_on": "2025-07-01", "people": [{"person_id": "", "unit_code": "22924"}]}, sources={"/people/0/person_id": _ANYONE}
    ),
    "POST /v1/units/work-list/proposals/by-file": Example(
        body={"effective_on": "2025-07-01", "old_path": "60/593/22924"}, file=("thon.csv", "Mã hồ sơ;Thôn;Mã xã mới\nVD-########;;22924\n")
    ),
    "POST /v1/units/changes": Example(
        body={"effective_on": "2026-04-30", "legal_basis": "Nghị quyết 30/2026/QH16", "business_date": "2026-05-02"},
        file=(
            "don-vi.csv",
            "Mã đơn vị;Tên đơn vị;Cấp;Loại;Mã cấp trên;Hình thành từ mã\n68;Thành phố Lâm Đồng;Tỉnh;Thành phố trung ương;;68\n",
        ),
    ),
}
EXAMPLES: Final = Examples(
    operations={**_LISTS, **_PEOPLE, **_HOUSEHOLDS, **_DECISIONS, **_LAW},
    paths={
        "/v1/beneficiaries/{beneficiary_id}": _ANYONE,
        "/v1/history/person/{person_id}": _ANYONE,
    },
    fields={"beneficiary_id": _ANYONE, "person_id": _ANYONE},
)
