"""What must always hold of payout accounts and methods."""

from __future__ import annotations

from typing import Final

from common.invariants import Invariant

__all__ = ["INVARIANTS"]

INVARIANTS: Final = (
    Invariant(
        "methods_pay_their_payee",
        "The account money goes to belongs to the payee it is meant for",
        "Tài khoản nhận tiền thuộc đúng người nhận",
        "SELECT m.beneficiary_id::text AS offender FROM payout_method m JOIN account a USING (account_id) WHERE a.payee_id <> m.payee_id",
    ),
    Invariant(
        "name_checks_move",
        "No account has waited for its name check for an hour past its time (a partner that is away for longer shows here)",
        "Không tài khoản nào quá hạn kiểm tra tên một giờ (kể cả khi đơn vị ngừng trả lời)",
        "SELECT account_id::text AS offender FROM account WHERE check_due AND next_try_at < now() - interval '1 hour'",
    ),
    Invariant(
        "imports_move",
        "Every list sent in is checked, and every approved one applied, within two hours",
        "Mọi danh sách gửi lên được kiểm tra, đã duyệt được nhập, trong hai giờ",
        "SELECT import_id::text AS offender FROM import_file WHERE (state = 'RECEIVED' AND created_at < now() - interval '2 hours')"
        " OR (state = 'APPROVED' AND approved_at < now() - interval '2 hours')",
    ),
)
