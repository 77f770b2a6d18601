"""What comes next after each reason code: for the person named by the reason, and in accounts (pure).

`ACCOUNT_BECOMES` repeats what the accounts service makes of a FAILED or RETURNED payment's account when it hears the event.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ACCOUNT_BECOMES", "NEXT_STEPS", "next_step"]

_NEW_ACCOUNT: Final = (
    "Ask the person for another account or cash; accounts takes this one out of use. Then re-issue.",
    "Hỏi lại người hưởng để đăng ký tài khoản khác hoặc nhận tiền mặt; tài khoản này ngừng dùng. Sau đó chi lại.",
)
_NAME: Final = (
    "Compare the holder with the payee's papers; correct the account or register another. Then re-issue.",
    "Đối chiếu chủ tài khoản với giấy tờ người nhận; sửa hoặc đăng ký tài khoản khác. Sau đó chi lại.",
)
_WAIT: Final = (
    "Nothing now: it is inquired on the partner's schedule. Past the limit it stands in GET /v1/unknown-payments.",
    "Chưa phải làm gì: hệ thống tự tra soát. Quá hạn thì có trong danh sách khoản chưa rõ kết quả.",
)
_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "ACCOUNT_CLOSED": _NEW_ACCOUNT,
    "ACCOUNT_NOT_FOUND": _NEW_ACCOUNT,
    "ACCOUNT_BLOCKED": (
        "Ask the person to have the bank unlock it, or for another account or cash. Then re-issue.",
        "Đề nghị người hưởng mở khóa tại ngân hàng, hoặc đổi tài khoản, nhận tiền mặt. Sau đó chi lại.",
    ),
    "NAME_DIFFERS": _NAME,
    "ID_DIFFERS": (
        "Ask the person to update the identity number at the bank (old CMND), or for another account. Then re-issue.",
        "Đề nghị người hưởng cập nhật số định danh tại ngân hàng (đang dùng CMND cũ), hoặc đổi tài khoản. Sau đó chi lại.",
    ),
    "NOT_UPGRADED": (
        "Ask the person to upgrade the wallet with ID and biometrics, or for another way. Then re-issue.",
        "Đề nghị người hưởng nâng cấp tài khoản (CCCD, sinh trắc), hoặc chọn hình thức khác. Sau đó chi lại.",
    ),
    "LIMIT_EXCEEDED": (
        "Agree a higher limit with the provider or pay through another channel. Then re-issue.",
        "Thỏa thuận hạn mức với đơn vị cung ứng hoặc chi qua kênh khác. Sau đó chi lại.",
    ),
    "PROVIDER_UNSUPPORTED": (
        "Route this provider to another partner in the accounts directory. Then re-issue.",
        "Chuyển nhà cung cấp này sang đơn vị chi trả khác trong danh mục. Sau đó chi lại.",
    ),
    "PAYEE_DECEASED": (
        "Check with the family and the population database; record the death, or register another payee. Then re-issue what is due.",
        "Xác minh với gia đình và CSDL dân cư; ghi nhận việc chết hoặc đổi người nhận. Sau đó chi lại phần còn được hưởng.",
    ),
    "PARTNER_REFUSED": ("Ask the partner why; correct what it names. Then re-issue.", "Hỏi đơn vị chi trả lý do, sửa. Sau đó chi lại."),
    "NOT_COLLECTED": (
        "Visit or call the person. The money rolls over to the next list; three months in a row lead to a suspension proposal.",
        "Liên hệ người hưởng. Tiền chuyển kỳ sau; ba kỳ liên tiếp không nhận thì đề nghị tạm dừng.",
    ),
    "RETURNED_BY_PROVIDER": _NEW_ACCOUNT,
    "NO_ANSWER": _WAIT,
    "ANSWER_UNREADABLE": _WAIT,
    "PARTNER_ERROR": _WAIT,
    "TAKEN_OVER": _WAIT,
    "ALREADY_KNOWN": _WAIT,
    "UNRECOGNISED_CODE": (
        "Ask the partner what its code means, have it added to the map, and accept or dismiss the word in quarantine.",
        "Hỏi đơn vị chi trả ý nghĩa mã, bổ sung bảng mã, rồi công nhận hoặc bác thông tin.",
    ),
    "ACCOUNT_CHANGED": (
        "Nothing: the person comes on the next or a supplementary list with the new account.",
        "Không phải làm gì: người hưởng vào danh sách kỳ sau hoặc bổ sung với tài khoản mới.",
    ),
    "ACCOUNT_LIMIT_EXCEEDED": (
        "Open a supplementary list: it pays this in cash; or agree a higher limit with the provider.",
        "Lập danh sách bổ sung: phần này được chi tiền mặt; hoặc thỏa thuận mức cao hơn với nơi mở tài khoản.",
    ),
    "PAYMENT_DISPUTED": (
        "Ask the partner in writing. Paid: end the difference PAID (or accept the word). Not paid: end it NOT_PAID; the next list pays.",
        "Hỏi đơn vị chi trả bằng văn bản. Đã chi: kết thúc chênh lệch PAID (hoặc công nhận). Chưa chi: NOT_PAID; danh sách sau sẽ chi.",
    ),
    "DECEASED": ("Record the death and its month in the registry.", "Ghi nhận việc chết và tháng thôi hưởng."),
    "DATA_PARKED": ("Repair and replay the parked events, or restore the key.", "Xử lý và phát lại dữ liệu bị chặn, hoặc khôi phục khóa."),
    "REFERENCE_UNKNOWN": (
        "Ask the partner whose payment it is; dismiss the word with the answer.",
        "Hỏi đơn vị chi trả về khoản này; bác thông tin kèm trả lời.",
    ),
    "PARTNER_DIFFERS": (
        "Ask both partners; never accept it without a statement of the one that was instructed.",
        "Hỏi cả hai đơn vị; không công nhận khi chưa có sao kê của đơn vị được giao.",
    ),
    "AMOUNT_DIFFERS": (
        "Compare with the partner's statement. Accept only if the person got our amount; else open an investigation.",
        "Đối chiếu sao kê. Chỉ công nhận khi người hưởng nhận đủ số tiền của hệ thống; nếu không thì tra soát.",
    ),
    "CURRENCY_DIFFERS": (
        "Have the partner correct its notice; accept only with its statement in đồng.",
        "Yêu cầu đơn vị sửa thông báo; chỉ công nhận khi có sao kê bằng đồng.",
    ),
    "CONTRADICTION": (
        "Ask the partner in writing which word is true; accept or dismiss with its letter. Dismissed, months kept closed are paid again.",
        "Hỏi bằng văn bản thông tin nào đúng; công nhận hoặc bác kèm công văn trả lời. Nếu bác, các tháng đang giữ sẽ được chi lại.",
    ),
    "NOT_SENT": (
        "Ask the partner how it knows a payment that was never sent; tell the security officer.",
        "Hỏi đơn vị vì sao có khoản chưa gửi; báo cán bộ an toàn thông tin.",
    ),
    "WRONG_CHANNEL": (
        "Have the partner correct its notice; accept what really happened.",
        "Yêu cầu đơn vị sửa thông báo; công nhận đúng thực tế.",
    ),
    "UNREADABLE": ("Send the partner its notice back with what is wrong.", "Báo đơn vị chi trả lỗi của thông báo để gửi lại."),
    "REQUEST_UNREADABLE": (
        "Restore the key or the row from the backup: the batch then goes on by itself.",
        "Khôi phục khóa hoặc dữ liệu từ bản sao lưu: lô tự chạy tiếp.",
    ),
    "PARTNER_GONE": (
        "Put the partner back into the partners file until its payments have ended: they then go on by themselves.",
        "Đưa đối tác trở lại tệp cấu hình cho đến khi các khoản chi có kết quả: hệ thống tự chạy tiếp.",
    ),
    "NOTICE_ID_REUSED": (
        "Ask the partner which content is right; it must send the other under an id of its own.",
        "Hỏi đơn vị nội dung nào đúng; nội dung kia phải gửi lại với mã mới.",
    ),
    "LOST_BY_PARTNER": (
        "Open an investigation: the partner accepted it and must say what became of it.",
        "Lập hồ sơ tra soát: đơn vị đã nhận lệnh, phải trả lời kết quả.",
    ),
    "EFFECT_MISMATCH": (
        "A defect: find out why the months do not add up to the payment and repair them; then the word is applied or accepted.",
        "Lỗi dữ liệu: tìm nguyên nhân các tháng không khớp khoản chi và sửa; sau đó kết quả được ghi nhận.",
    ),
    "AWAITING_ACKNOWLEDGEMENT": (
        "Nothing until the acknowledgement or statement comes; past the limit ask the partner.",
        "Chờ xác nhận hoặc sao kê; quá hạn thì hỏi đơn vị chi trả.",
    ),
    "FILE_WAITS": ("Hand the file to the partner and record that you did.", "Giao tệp cho đơn vị chi trả và ghi nhận đã giao."),
    "FILE_INVALID": ("Correct what the message names, then it is built again.", "Sửa nội dung được nêu; tệp sẽ được lập lại."),
    "REJECTED_AFTER_RESEND": (
        "Ask the partner in writing which handing-over it rejected; then accept or dismiss.",
        "Hỏi bằng văn bản lần giao nào bị từ chối; rồi công nhận hoặc bác.",
    ),
    "PAYER_MISSING": ("Add the paying account to the partners file.", "Bổ sung tài khoản chi vào tệp cấu hình."),
    "BUDGET_CODES_MISSING": ("Have budget codes approved for this programme and day.", "Trình duyệt mã ngân sách cho chương trình."),
}
NEXT_STEPS: Final = _TEXTS
"""Reason code → (English, Vietnamese)."""

ACCOUNT_BECOMES: Final[dict[str, str]] = {
    "ACCOUNT_CLOSED": "CLOSED",
    "ACCOUNT_NOT_FOUND": "REJECTED",
    "ACCOUNT_BLOCKED": "DORMANT",
    "NAME_DIFFERS": "REJECTED",
    "ID_DIFFERS": "REJECTED",
    "NOT_UPGRADED": "NOT_UPGRADED",
}
"""Reason code → the account's status in accounts; a person without a usable account is then paid in cash."""

_LOOK: Final = ("Look at what is said, and ask the partner.", "Xem nội dung và hỏi đơn vị chi trả.")


def next_step(code: str) -> tuple[str, str]:
    """(English, Vietnamese) of a reason code; a general word for a code that has none of its own."""
    return NEXT_STEPS.get(code, _LOOK)
