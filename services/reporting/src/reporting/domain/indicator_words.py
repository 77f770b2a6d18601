"""What the indicators are called and what they count, in Vietnamese and English."""

from __future__ import annotations

from typing import Final

from reporting.domain.states import Words

__all__ = ["COLUMN_WORDS", "RATE_WORDS", "STANDING_WORDS", "Words"]

STANDING_WORDS: Final = {
    "beneficiaries": Words("Người đang hưởng trợ cấp", "People with an allowance, alive"),
    "collected_people": Words(
        "Đã thu thập thông tin (đã trả lời khảo sát hoặc có tài khoản)", "Information collected (survey answered, or an account known)"
    ),
    "wants_people": Words("Có nhu cầu nhận qua tài khoản", "Want an account"),
    "declines_people": Words("Không có nhu cầu nhận qua tài khoản", "Decline an account"),
    "force_majeure_people": Words("Bất khả kháng", "Force majeure: cannot use an account"),
    "no_answer_people": Words("Chưa khảo sát", "Not yet asked"),
    "opened_people": Words("Đã mở tài khoản (nhà cung cấp xác nhận có, chưa đóng)", "Have an account that its provider knows, not closed"),
    "registered_people": Words("Đã đăng ký nhận qua tài khoản", "Registered to be paid by account"),
    "registered_fm_people": Words("Đăng ký nhận qua tài khoản, thuộc diện bất khả kháng", "Registered, although force majeure"),
    "not_registered_people": Words("Chưa đăng ký: nhận tiền mặt", "Not registered: paid in cash"),
    "verified_people": Words("Đã xác thực với CSDL quốc gia về dân cư", "Verified in the population database"),
    "account_verified_people": Words("Đăng ký và tài khoản đã xác minh", "Registered, and the account is verified"),
    "clean_people": Words("Dữ liệu sạch (đã xác thực, không nghi trùng)", "Clean data (verified, no open duplicate)"),
    "no_number_people": Words("Chưa có số định danh", "Without an identity number"),
    "not_in_database_people": Words("Không có trong CSDL quốc gia về dân cư", "Not in the population database"),
    "no_number_or_not_in_database_people": Words(
        "Chưa có số định danh hoặc chưa có trong CSDL dân cư", "Without a number, or not in the population database"
    ),
}
"""Code → words. People of a group at the end of the period."""

COLUMN_WORDS: Final = {
    "due": Words("Được chi trả trong tháng (trong danh sách hoặc tạm giữ; không tính người đã mất)", "Due: listed or held"),
    "due_fm": Words("Được chi trả, thuộc diện bất khả kháng", "Due, force majeure"),
    "listed": Words("Trong danh sách chi trả", "On a payment list"),
    "in_progress": Words("Đang chi trả", "Being paid"),
    "unknown": Words("Chưa rõ kết quả, đang tra soát", "Outcome not known"),
    "paid": Words("Đã chi trả", "Paid"),
    "by_account": Words("Đã chi trả qua tài khoản (ngân hàng, ví, tiền di động)", "Paid by account (bank, wallet, mobile money)"),
    "by_account_fm": Words("Đã chi trả qua tài khoản, thuộc diện bất khả kháng", "Paid by account, force majeure"),
    "bank": Words("Đã chi trả qua tài khoản ngân hàng", "Paid to a bank account"),
    "wallet": Words("Đã chi trả qua ví điện tử", "Paid to an e-wallet"),
    "mobile_money": Words("Đã chi trả qua tiền di động", "Paid to mobile money"),
    "post": Words("Đã nhận tiền mặt tại bưu điện", "Paid in cash at the post office"),
    "home": Words("Đã nhận tiền mặt tại nhà", "Paid in cash at home"),
    "failed": Words("Chi trả không thành công", "Failed"),
    "returned": Words("Tiền bị hoàn trả", "Returned"),
    "uncollected": Words("Chưa đến nhận", "Not collected"),
    "cancelled": Words("Lệnh chi đã hủy", "Cancelled"),
    "held": Words("Tạm giữ (không tính người đã mất)", "Held (the deceased not counted)"),
    "released": Words("Đã gỡ tạm giữ, chờ danh sách sau", "Released, waits for the next list"),
    "unpaid": Words("Đến nay chưa nhận đủ", "Not paid in full to this day"),
    "unpaid_at_end": Words("Chưa nhận đủ khi hết tháng (hết kỳ)", "Not paid in full when the month, or the period, ended"),
    "carried_over": Words(
        "Chuyển kỳ sau: các danh sách của kỳ đến nay chưa trả được", "Carried over: not paid to this day by the lists of the period"
    ),
    "overdue": Words(
        "Quá hạn: qua ngày quy định mà chưa trả, kể cả bằng danh sách sau", "Overdue: past the day, and no later list paid it"
    ),
}
"""Stem → words. Lines of the period's months."""

RATE_WORDS: Final = {
    "collected_rate": Words("Tỷ lệ đã thu thập thông tin", "Information collected, of beneficiaries"),
    "opened_rate": Words("Tỷ lệ đã mở tài khoản", "Accounts opened, of beneficiaries"),
    "registered_rate": Words("Tỷ lệ đăng ký nhận qua tài khoản", "Registered, of beneficiaries"),
    "registered_rate_without_fm": Words("Tỷ lệ đăng ký, không tính bất khả kháng", "Registered, without force majeure"),
    "verified_rate": Words("Tỷ lệ đã xác thực", "Verified, of beneficiaries"),
    "data_quality_rate": Words("Tỷ lệ dữ liệu sạch", "Clean data, of beneficiaries"),
    "by_account_rate": Words("Tỷ lệ chi trả qua tài khoản", "Paid by account, of people due"),
    "by_account_rate_without_fm": Words("Tỷ lệ chi trả qua tài khoản, không tính bất khả kháng", "Paid by account, without force majeure"),
    "by_account_lines_rate": Words("Tỷ lệ chi trả qua tài khoản theo dòng trợ cấp", "Paid by account, of benefit lines due"),
    "paid_rate": Words("Tỷ lệ đã chi trả", "Paid, of people due"),
}
