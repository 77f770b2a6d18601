"""What the worked examples of accounts need beyond schema and path: files, and whom of the sample data they are about."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From, New

__all__ = ["EXAMPLES"]

_ACCOUNT: Final = From("GET /v1/accounts?limit=200", "/items/*/account_id")
_HOLDER: Final = From("GET /v1/accounts?limit=200", "/items/*/payee_id")
_UNIT: Final = From("GET /v1/accounts?limit=200", "/items/*/unit_code")
_LIST: Final = (
    "dang-ky-tai-khoan.csv",
    (
        "STT;Mã hồ sơ;Họ và tên người hưởng;Người nhận;Hình thức nhận;Ngân hàng / nhà cung cấp;Số tài khoản;Tên chủ tài khoản\n"
        "1;VD-22924-########;Nguyễn Thị Hoà;Bản thân;Tài khoản;Agribank;48002050#####;NGUYEN THI HOA\n"
        "2;VD-22924-########;Trần Văn Tư;Bản thân;Tài khoản;Agribank;;TRAN VAN TU\n"
    ),
)

_COLUMNS: Final = {
    "file_code": "B",
    "beneficiary": "C",
    "payee": "D",
    "method": "E",
    "provider": "F",
    "account_number": "G",
    "holder": "H",
}
EXAMPLES: Final = Examples(
    operations={
        "POST /v1/imports": Example(body={"unit_code": "22924", "business_date": "2024-08-20", "source": "IMPORT"}, file=_LIST),
        "POST /v1/imports/approve": Example(sources={"/import_ids/0": From("POST /v1/imports", "/import_id", wait=True)}),
        "PUT /v1/beneficiaries/{beneficiary_id}/account-order": Example(
            body={"account_ids": [""]},
            sources={
                "If-Match": From("GET /v1/beneficiaries/{beneficiary_id}/accounts", "ETag"),
                "/account_ids/0": From("GET /v1/beneficiaries/{beneficiary_id}/accounts", "/0/account_id"),
            },
        ),
        "POST /v1/beneficiaries/{beneficiary_id}/accounts": Example(sources={"/account_number": New("48002050#####")}),
        "POST /v1/webhooks/openings/{partner}/{provider_code}": Example(
            values={"partner": "agribank", "provider_code": "AGRIBANK"},
            cannot="a partner signs each notice with its own secret",
            refused="notice-not-believed",
        ),
        "GET /v1/lists/{programme}/{payee}": Example(
            values={"programme": "SOCIAL_ASSISTANCE", "payee": "self"}, sources={"unit_code": _UNIT}
        ),
        "GET /v1/providers/{code}": Example(values={"code": "AGRIBANK"}),
        "POST /v1/imports/{import_id}/approve": Example(sources={"import_id": From("POST /v1/imports", "/import_id", wait=True)}),
        "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/imports", "/job_id")}),
        "GET /v1/counters": Example(sources={"unit_code": _UNIT}),
        "POST /v1/imports/{import_id}/dismiss": Example(
            body={"reason": "Đã chuyển đi nơi khác, không còn thuộc danh sách của xã", "rows": [3]},
            sources={"import_id": From("POST /v1/imports", "/import_id", wait=True)},
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
        "GET /v1/cut-offs/{cut_off_id}": Example(
            sources={"cut_off_id": From("GET /v1/cycles", "/items/0/cut_off_id", service="disbursement")}
        ),
        "POST /v1/change-requests": Example(
            body={
                "kind": "PROVIDER_TYPE",
                "business_date": "2024-08-20",
                "body": {"code": "VI_DU", "name_vi": "Ví dụ", "name_en": "Example", "account_kind": "BANK"},
            },
            sources={"/body/code": New("VD_######")},
        ),
        "POST /v1/accounts/{account_id}/reviews": Example(sources={"account_id": From("GET /v1/reviews", "/items/*/account_id")}),
        "POST /v1/reviews/{review_id}/decision": Example(
            sources={"review_id": From("POST /v1/accounts/{account_id}/reviews", "/review_id")}
        ),
        "POST /v1/opening-batches": Example(
            body={"business_date": "2024-08-20", "provider_code": "AGRIBANK", "unit_code": "60"},
            sources={"asked": From("POST /v1/openings", "/requested")},
        ),
        "POST /v1/opening-results": Example(
            file=("ket-qua.csv", "Mã yêu cầu;Kết quả;Số tài khoản;Lý do\n{request_id};Từ chối;;Thiếu giấy tờ ########\n"),
            sources={
                "asked": From("POST /v1/openings", "/requested"),
                "request_id": From("GET /v1/openings?limit=200", "/items/*/request_id"),
            },
        ),
        "POST /v1/opening-results/{result_id}/decision": Example(sources={"result_id": From("POST /v1/opening-results", "/result_id")}),
        "PUT /v1/fee-complaints/{complaint_id}": Example(body={"state": "WITH_PROVIDER"}),
        "POST /v1/openings": Example(sources={"/unit_code": _UNIT}),
    },
    paths={"/v1/people/{person_id}": _HOLDER, "/v1/beneficiaries/{beneficiary_id}": _HOLDER, "/v1/accounts/{account_id}": _ACCOUNT},
    fields={"beneficiary_id": _HOLDER, "account_id": _ACCOUNT},
)
