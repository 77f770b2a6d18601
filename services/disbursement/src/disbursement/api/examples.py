"""What the worked examples of disbursement need beyond schema and path: which cycle, list, payment of the sample data they are about."""

from __future__ import annotations

from typing import Final

from common.openapi import Example, Examples, From, New

__all__ = ["EXAMPLES"]

_DISTRICT: Final = From("GET /v1/units?on=2024-09-01&parent=60&limit=200", "/items/*/code", service="registry")
_COMMUNE: Final = From("GET /v1/units?on=2024-09-01&parent=60/593&limit=200", "/items/*/code", service="registry")
_CYCLE: Final = From("GET /v1/cycles", "/items/*/cycle_id")
_COMPUTED: Final = From("POST /v1/cycles/{cycle_id}/compute", "/cycle_id", wait=True)
_SUBMITTED: Final = From("POST /v1/cycles/{cycle_id}/submit", "/cycle_id")
_HASH: Final = From("GET /v1/cycles/{cycle_id}", "/list_hash")
_COMPUTED_HASH: Final = From("GET /v1/cycles/{cycle_id}", "/list_hash", wait=True)
_PAYMENT: Final = From("GET /v1/payments?limit=200", "/items/*/payment_id")
_CASE: Final = From("POST /v1/payments/{payment_id}/cases", "/case_id")
_COMPLAINT: Final = From("POST /v1/payments/{payment_id}/complaints", "/complaint_id")
_SHEET: Final = From("POST /v1/cycles/{cycle_id}/telling-sheets", "/sheet_id")
_BREAK: Final = From("GET /v1/breaks?business_date=2024-09-10&state=OPEN&limit=100", "/items/0/break_id", wait=True)
_RECOVERY: Final = From("GET /v1/recoveries", "/items/*/recovery_id")
_NO_QUARANTINE: Final = "in the sample month no partner says anything that is not believed"
_NO_UNKNOWN: Final = "the sample month ends with every payment known"
_NO_FILES: Final = "the sample's partners take signed JSON: no batch of theirs is a file"

_CYCLES: Final = {
    "POST /v1/cycles": Example(
        body={
            "month": "2024-10",
            "programme": "SOCIAL_ASSISTANCE",
            "funding_source": "LOCAL_BUDGET",
            "unit_code": "60",
            "business_date": "2024-09-20",
        },
        sources={"/unit_code": From("GET /v1/payments?limit=200", "/items/*/unit_code")},
    ),
    "POST /v1/cycles/{cycle_id}/cut-off": Example(sources={"cycle_id": From("POST /v1/cycles", "/cycle_id")}),
    "POST /v1/cycles/{cycle_id}/compute": Example(sources={"cycle_id": From("POST /v1/cycles/{cycle_id}/cut-off", "/cycle_id", wait=True)}),
    "POST /v1/cycles/{cycle_id}/submit": Example(sources={"cycle_id": _COMPUTED}),
    "POST /v1/cycles/{cycle_id}/reject": Example(
        body={"reason": "Số tiền của 3 người chưa đúng", "reasons": ["AMOUNT_WRONG"], "business_date": "2024-09-21"},
        sources={"cycle_id": _SUBMITTED},
    ),
    "POST /v1/cycles/{cycle_id}/approve": Example(
        body={"list_hash": "0" * 64, "business_date": "2024-09-21"}, sources={"cycle_id": _SUBMITTED, "/list_hash": _HASH}
    ),
    "POST /v1/cycles/{cycle_id}/precheck/read": Example(
        body={"list_hash": "0" * 64}, sources={"cycle_id": _COMPUTED, "/list_hash": _COMPUTED_HASH}
    ),
    "POST /v1/cycles/{cycle_id}/close": Example(
        sources={"cycle_id": From("GET /v1/payments?limit=200", "/items/0/cycle_id")},
        cannot="a cycle closes when its last answer is in; the sample month's are closed",
        refused="illegal-cycle-move",
    ),
    "GET /v1/rulings/settings": Example(values={"on": "2024-09-01"}),
    "GET /v1/cycles/{cycle_id}/precheck/paper": Example(values={"on": "2024-09-01"}),
    "POST /v1/take-overs": Example(
        body={"unit_code": "593", "programme": "SOCIAL_PENSION", "first_month": "2025-07", "business_date": "2025-06-20"},
        sources={"/unit_code": _DISTRICT},
    ),
    "GET /v1/cycles/{cycle_id}/cash-list": Example(values={"unit_code": "60"}),
}
_MONEY: Final = {
    "POST /v1/cash-evidence": Example(body={"cycle_id": "", "unit_code": "22924"}, file=("ky-nhan.pdf", "%PDF-1.4\n% ########\n%%EOF\n")),
    "GET /v1/payment-cases/{case_id}": Example(sources={"case_id": _CASE}),
    "POST /v1/payment-cases/{case_id}/letter": Example(sources={"case_id": _CASE}),
    "GET /v1/payment-cases/{case_id}/letter": Example(sources={"case_id": From("POST /v1/payment-cases/{case_id}/letter", "/case_id")}),
    "POST /v1/payment-cases/{case_id}/cancel": Example(sources={"case_id": _CASE}),
    "POST /v1/payment-cases/{case_id}/close": Example(sources={"case_id": From("POST /v1/payment-cases/{case_id}/answer", "/case_id")}),
    "POST /v1/payment-cases/{case_id}/answer": Example(sources={"case_id": From("POST /v1/payment-cases/{case_id}/letter", "/case_id")}),
    "POST /v1/payment-cases/{case_id}/reminders": Example(
        body={"due_on": "2024-09-24", "note": "Đã gọi điện cho ngân hàng"},
        sources={"case_id": From("POST /v1/payment-cases/{case_id}/letter", "/case_id")},
    ),
    "POST /v1/pauses/{pause_id}/resume/decision": Example(sources={"pause_id": From("POST /v1/pauses/{pause_id}/resume", "/pause_id")}),
    **{
        f"{verb} /v1/complaints/{{complaint_id}}{rest}": Example(sources={"complaint_id": _COMPLAINT})
        for verb, rest in (("GET", ""), ("POST", "/investigation"), ("POST", "/withdrawal"))
    },
    "POST /v1/complaints/{complaint_id}/outcome": Example(
        sources={"complaint_id": From("POST /v1/complaints/{complaint_id}/investigation", "/complaint_id")}
    ),
    "POST /v1/complaints/{complaint_id}/outcome/decision": Example(
        sources={"complaint_id": From("POST /v1/complaints/{complaint_id}/outcome", "/complaint_id")}, by="approver"
    ),
    "POST /v1/cycles/{cycle_id}/telling-sheets": Example(
        sources={
            "cycle_id": From("GET /v1/payments?limit=200", "/items/*/cycle_id"),
            "/unit_code": From("GET /v1/payments?cycle_id={cycle_id}&limit=200", "/items/*/unit_code"),
        }
    ),
    "GET /v1/telling-sheets/{sheet_id}/paper": Example(sources={"sheet_id": _SHEET}),
    **{
        f"POST /v1/rulings/{{ruling_id}}/{verdict}": Example(sources={"ruling_id": From("POST /v1/rulings/calendar-days", "/ruling_id")})
        for verdict in ("approve", "reject")
    },
    "POST /v1/rulings/calendar-days": Example(
        body={"business_date": "2024-08-20", "valid_from": "2024-09-01", "day_kind": "HOLIDAY", "name_vi": "Nghỉ bù của tỉnh"},
        sources={"/valid_from": New("2026-0?-1?")},
    ),
    "POST /v1/budget-codes": Example(sources={"/valid_from": New("203?-0?-1?")}),
    "POST /v1/budget-codes/{code_id}/decision": Example(sources={"code_id": From("POST /v1/budget-codes", "/code_id")}),
    # A programme that the sample's units do not pay through the platform yet.
    "POST /v1/shadow-months": Example(
        body={
            "unit_code": "22924",
            "programme": "SOCIAL_PENSION",
            "funding_source": "LOCAL_BUDGET",
            "month": "2025-07",
            "business_date": "2025-06-20",
        },
        file=("chi-tra-thang-7.csv", "STT;Mã hồ sơ;Họ và tên;Số tiền;Hình thức nhận\n1;VD-########;Nguyễn Thị Hoà;500.000;Tiền mặt\n"),
        sources={"/unit_code": _COMMUNE},
    ),
    "POST /v1/shadow-months/{shadow_id}/go-live": Example(
        body={"first_month": "2025-07", "note": "1 chênh lệch, đã làm rõ với xã", "business_date": "2025-06-20"},
        sources={"shadow_id": From("POST /v1/shadow-months", "/shadow_id")},
    ),
    "POST /v1/shadow-months/{shadow_id}/go-live/decision": Example(
        body={"approve": True, "list_hash": "0" * 64, "note": "Đã xem bản đối chiếu"},
        sources={
            "shadow_id": From("POST /v1/shadow-months/{shadow_id}/go-live", "/shadow_id"),
            "/list_hash": From("GET /v1/shadow-months/{shadow_id}", "/list_hash"),
        },
    ),
    # A cycle is settled once with each partner: of some payment, its cycle with its partner.
    "POST /v1/settlements": Example(
        sources={
            "payment": From("GET /v1/payments?status=SETTLED&limit=200", "/items/*/payment_id"),
            "/cycle_id": From("GET /v1/payments/{payment}", "/cycle_id"),
            "/partner": From("GET /v1/payments/{payment}", "/partner"),
            "/number": New("09/2024/QT-######"),
        }
    ),
    "POST /v1/cash-proofs": Example(
        sources={
            "payment": From("GET /v1/payments?status=COLLECTED&limit=200", "/items/*/payment_id"),
            "/cycle_id": From("GET /v1/payments/{payment}", "/cycle_id"),
            "/proofs/0/reference": From("GET /v1/payments/{payment}", "/reference"),
        }
    ),
    "POST /v1/breaks/{break_id}/resolution": Example(
        body={
            "evidence": "CV 214/NHNo ngày 10/9/2024",
            "note": "Không phải khoản chi của tỉnh; ngân hàng trả lại ngày 12/9",
            "resolution": "PARTNER_RETURNS",
            "business_date": "2024-09-10",
        },
        sources={"statement": From("POST /v1/statements", "/statement_id"), "break_id": _BREAK},
    ),
    "POST /v1/breaks/{break_id}/resolution/decision": Example(
        sources={"break_id": From("POST /v1/breaks/{break_id}/resolution", "/break_id")}
    ),
    "POST /v1/recoveries/{recovery_id}/waiver/decision": Example(
        sources={"recovery_id": From("POST /v1/recoveries/{recovery_id}/waiver", "/recovery_id")}, by="approver"
    ),
    "POST /v1/suspension-proposals/{proposal_id}/close": Example(
        cannot="it takes three months in a row that nobody collects", refused="not-found"
    ),
    "GET /v1/jobs/{job_id}": Example(sources={"job_id": From("POST /v1/cycles/{cycle_id}/compute", "/job_id")}),
}
_PARTNERS: Final = {
    # One booking that is nobody's, on a day before the sample: a difference to look into.
    "POST /v1/statements": Example(
        body={"partner": "agribank", "business_date": "2024-09-10"},
        file=("sao-ke.csv", "Ngày giao dịch;Số bút toán;Ghi nợ;Diễn giải\n02/01/2024;VD-########;500.000;Chi thử\n"),
    ),
    "GET /v1/cash-evidence/{evidence_id}": Example(values={"purpose": "Kiểm tra chứng từ"}),
    "POST /v1/telling-sheets/{sheet_id}/proof": Example(
        body={"handed_over_on": "2024-09-12"}, file=("bien-ban.pdf", "%PDF-1.4\n% ########\n%%EOF\n"), sources={"sheet_id": _SHEET}
    ),
    "POST /v1/telling-sheets/{sheet_id}/proof/corrections": Example(
        body={"handed_over_on": "2024-09-12", "reason": "Nộp nhầm bản của thôn khác"},
        file=("bien-ban.pdf", "%PDF-1.4\n% ########\n%%EOF\n"),
        values={"If-Match": '"2"'},
        sources={"sheet_id": _SHEET, "proved": From("POST /v1/telling-sheets/{sheet_id}/proof", "")},
        by="department.officer2",
    ),
    "GET /v1/telling-sheets/{sheet_id}/proof": Example(
        values={"purpose": "Kiểm tra biên bản"},
        sources={"sheet_id": _SHEET, "proved": From("POST /v1/telling-sheets/{sheet_id}/proof", "")},
    ),
    "GET /v1/webhooks/partners/{partner}": Example(
        values={"partner": "momo"},
        cannot="it is there for partners whose contract asks by GET; none of the sample's does",
        refused="method-not-allowed",
    ),
    "GET /v1/partners/{partner}/totals": Example(values={"partner": "agribank"}),
    "GET /v1/partners/{partner}/lane": Example(values={"partner": "agribank"}),
    "POST /v1/rulings/lanes": Example(
        sources={
            "partner": New("agribank"),
            "/version": From("GET /v1/partners/{partner}/lane", "/version"),
            "/settings": From("GET /v1/partners/{partner}/lane", "/settings"),
        }
    ),
    "GET /v1/custody/balance": Example(values={"partner": "vnpost"}),
    "POST /v1/webhooks/partners/{partner}": Example(
        values={"partner": "agribank"},
        cannot="a partner signs each notice with its own secret; docs/partner shows how",
        refused="bad-signature",
    ),
    "POST /v1/webhooks/partners/{partner}/statements": Example(
        values={"partner": "agribank"},
        cannot="a partner signs each statement with its own secret; docs/partner shows how",
        refused="bad-signature",
    ),
    "GET /v1/batches/{batch_id}/file": Example(cannot=_NO_FILES, refused="batch-not-found"),
    "GET /v1/batches/{batch_id}/payment-order": Example(cannot=_NO_FILES, refused="batch-not-found"),
    "POST /v1/batches/{batch_id}/upload": Example(cannot=_NO_FILES, refused="batch-not-found"),
    "POST /v1/batches/{batch_id}/acknowledgement": Example(cannot=_NO_FILES, refused="batch-not-found"),
    "POST /v1/batches/{batch_id}/acknowledgement/decision": Example(cannot=_NO_FILES, refused="batch-not-found"),
    "POST /v1/quarantine/{quarantine_id}/dismiss": Example(cannot=_NO_QUARANTINE, refused="not-found"),
    "POST /v1/quarantine/{quarantine_id}/acceptance": Example(cannot=_NO_QUARANTINE, refused="not-found"),
    "POST /v1/payments/{payment_id}/manual-results": Example(cannot=_NO_UNKNOWN, refused="payment-not-found"),
    "POST /v1/payments/{payment_id}/corrections": Example(
        cannot="no partner of the sample tells of a failure that is none", refused="payment-not-found"
    ),
    "POST /v1/manual-results/{manual_id}/decision": Example(cannot=_NO_UNKNOWN, refused="not-found"),
}
EXAMPLES: Final = Examples(
    operations={**_CYCLES, **_MONEY, **_PARTNERS},
    paths={
        "/v1/cycles/{cycle_id}": _CYCLE,
        "/v1/payments/{payment_id}": _PAYMENT,
        "/v1/people/{person_id}": From("GET /v1/payments?limit=200", "/items/*/beneficiary_id"),
        "/v1/recoveries/{recovery_id}": _RECOVERY,
    },
    fields={"cycle_id": _CYCLE, "payment_id": _PAYMENT},
)
