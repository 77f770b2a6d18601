"""What the worked examples of accounts need beyond schema and path: files, and whom of the sample data they are about."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From, New

__all__ = ["EXAMPLES"]

_ACCOUNT: Final = From("GET /v1/accounts?limit=200", "/items/*/account_id")
_HOLDER: Final = From("GET /v1/accounts?limit=200", "/items/*/payee_id")
_UNIT: Final = From("GET /v1/accounts?limit=200", "/items/*/unit_code")
_MAPPED: Final = "the sample's lists carry headers that are known, so that no mapping is asked or kept"
_BANK: Final = "the bank fills in the file of an opening batch outside the platform"
_LIST: Final = (
    "dang-ky-tai-khoan.csv",
    (
        "STT;Mã hồ sơ;Họ và tên người hưởng;Người nhận;Hình thức nhận;Ngân hàng / nhà cung cấp;Số tài khoản;Tên chủ tài khoản\n"
        "1;VD-22924-########;Nguyễn Thị Hoà;Bản thân;Tài khoản;Agribank;48002050#####;NGUYEN THI HOA\n"
    ),
)

EXAMPLES: Final = Examples(
    operations={
        "POST /v1/imports": Example(body={"unit_code": "22924", "business_date": "2024-08-20", "source": "IMPORT"}, file=_LIST),
        "POST /v1/imports/approve": Example(sources={"/import_ids/0": From("POST /v1/imports", "/import_id", wait=True)}),
        "PUT /v1/beneficiaries/{beneficiary_id}/account-order": Example(
            body={"account_ids": [""]},
            sources={"/account_ids/0": From("GET /v1/beneficiaries/{beneficiary_id}/accounts", "/0/account_id")},
        ),
        "POST /v1/beneficiaries/{beneficiary_id}/accounts": Example(sources={"/account_number": New("48002050#####")}),
        "POST /v1/webhooks/openings/{partner}/{provider_code}": Example(
            values={"partner": "agribank", "provider_code": "AGRIBANK"}, cannot="a partner signs each notice with its own secret"
        ),
        "GET /v1/lists/{programme}/{payee}": Example(
            values={"programme": "SOCIAL_ASSISTANCE", "payee": "self"}, sources={"unit_code": _UNIT}
        ),
        "GET /v1/providers/{code}": Example(values={"code": "AGRIBANK"}),
        "POST /v1/imports/{import_id}/approve": Example(sources={"import_id": From("POST /v1/imports", "/import_id", wait=True)}),
        "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/imports", "/job_id")}),
        "GET /v1/counters": Example(sources={"unit_code": _UNIT}),
        "POST /v1/imports/{import_id}/dismiss": Example(
            sources={
                "import_id": From("GET /v1/imports/waiting", "/items/*/import_id"),
                "/rows": From("GET /v1/imports/waiting?import_id={import_id}", "/items/0/row_number", many=True),
            }
        ),
        "PUT /v1/imports/{import_id}/mapping": Example(cannot=_MAPPED),
        "DELETE /v1/imports/mappings/{mapping_id}": Example(cannot=_MAPPED),
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
        "POST /v1/opening-batches": Example(sources={"/unit_code": _UNIT}),
        "POST /v1/opening-results": Example(cannot=_BANK),
        "POST /v1/opening-results/{result_id}/decision": Example(cannot=_BANK),
        "PUT /v1/fee-complaints/{complaint_id}": Example(body={"state": "WITH_PROVIDER"}),
        "POST /v1/openings": Example(sources={"/unit_code": _UNIT}),
    },
    paths={"/v1/beneficiaries/{beneficiary_id}": _HOLDER, "/v1/accounts/{account_id}": _ACCOUNT},
    fields={"beneficiary_id": _HOLDER, "account_id": _ACCOUNT},
)
