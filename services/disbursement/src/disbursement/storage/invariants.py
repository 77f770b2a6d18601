"""What must always hold of money here.

Where a check would grow with the years it looks at cycles that are open or were closed less than 45 days ago: older ones no longer move.
"""

from __future__ import annotations

from typing import Final

from common.contracts.disbursement_v1 import PaymentStatus
from common.invariants import Invariant
from disbursement.domain.ledger import CORRECTION, CORRECTION_OF_WAITING, MONEY_POSTINGS, POSTINGS, LedgerAccount, TransferKind
from disbursement.domain.payment import DEAD, OPEN, PAID, TRANSITIONS
from disbursement.domain.recovery import LIVING

__all__ = ["INVARIANTS"]

_S = PaymentStatus


def _listed(values: object) -> str:
    return ", ".join(f"'{value}'" for value in sorted(map(str, values)))  # type: ignore[call-overload]


_LIVE: Final = "SELECT cycle_id FROM payment_cycle WHERE state <> 'CLOSED' OR closed_at > now() - interval '45 days'"
_KEY: Final = "beneficiary_id, programme, funding_source, benefit_line, month"
_MONTH: Final = "concat_ws('/', beneficiary_id, programme, benefit_line, to_char(month, 'YYYY-MM'))"


def _weights() -> dict[TransferKind, int]:
    """A digit for each kind of transfer of a payment: their sum says which there are, and that there is one of each."""
    kinds = sorted({posting.kind for posting in POSTINGS.values()})
    weights = {kind: 10**place for place, kind in enumerate(kinds)}
    # Each correction undoes a return.
    return weights | {TransferKind.CORRECT: -weights[TransferKind.RETURN]}


def _ended_dead() -> str:
    """What the transfers of a corrected payment lack of one that arrived, where its first correction undid no return.

    It has both: what was posted when it died, and what makes it one that arrived. What was withdrawn never left us.
    """
    weights = _weights()
    arrived = weights[TransferKind.SETTLE] + weights[TransferKind.RETURN]
    never_sent = {TransferKind.CANCEL: weights[TransferKind.SEND]}
    return " ".join(
        f"WHEN bool_or(t.kind = '{kind}') THEN {arrived + never_sent.get(kind, 0) - weights[kind]}"
        for kind in (TransferKind.FAIL, TransferKind.CANCEL, TransferKind.UNCOLLECT)
    )


def _way(status: PaymentStatus) -> set[PaymentStatus]:
    """The statuses with a transfer that a payment passes on its way to this one; SENT is passed by all that left us."""
    if status is _S.APPROVED:
        return {_S.APPROVED}
    if status is _S.CANCELLED:
        return {_S.APPROVED, _S.CANCELLED}
    if status is _S.RETURNED:
        return {_S.APPROVED, _S.SUBMITTING, _S.SETTLED, _S.RETURNED}
    return {_S.APPROVED, _S.SUBMITTING} | ({status} & set(POSTINGS))


_STATUSES: Final = {status for move in TRANSITIONS for status in move}
_WEIGHT: Final = " ".join(f"WHEN '{kind}' THEN {weight}" for kind, weight in _weights().items())
_EXPECTED: Final = " ".join(
    f"WHEN '{status}' THEN {sum(_weights()[POSTINGS[passed].kind] for passed in _way(status))}" for status in sorted(_STATUSES)
)
_CHART: Final = ", ".join(
    f"('{posting.kind}', '{debit}', '{credit}')"
    for posting in (*POSTINGS.values(), CORRECTION, CORRECTION_OF_WAITING, *MONEY_POSTINGS.values())
    for debit, credit in ((posting.debit, posting.credit), (posting.credit, posting.debit))
    # Only what follows no payment's status may be taken back by the same kind the other way round.
    if (debit, credit) == (posting.debit, posting.credit) or posting.kind in MONEY_POSTINGS
)
_OF_PAYMENTS: Final = _listed((LedgerAccount.RESERVED, LedgerAccount.IN_TRANSIT, LedgerAccount.SETTLED, LedgerAccount.UNCOLLECTED))

INVARIANTS: Final = (
    Invariant(
        "paid_within_due",
        "Paid + committed of a person's month never exceeds what was due when it was committed",
        "Đã chi + đã cam kết của mỗi tháng không vượt khoản phải chi khi cam kết",
        # A month that was paid again because we held dead what a partner had paid was put right by two people: a recovery case follows.
        f"SELECT {_MONTH} AS offender FROM due_month_position p WHERE paid - repaid + committed > due_at_commit"
        " AND paid - repaid + committed > due_at_commit + (SELECT coalesce(sum(a.amount), 0) FROM payment y"
        " JOIN allocation a ON a.line_id = y.line_id AND a.state = 'PAID' WHERE y.beneficiary_id = p.beneficiary_id"
        " AND EXISTS (SELECT FROM manual_result m WHERE m.payment_id = y.payment_id AND m.correction AND m.state = 'CONFIRMED')"
        " AND a.programme = p.programme AND a.funding_source = p.funding_source AND a.benefit_line = p.benefit_line AND a.month = p.month)",
        minutes=10,
    ),
    Invariant(
        "months_are_their_allocations",
        "What a month says is committed and paid is the sum of the allocations to it",
        "Số cam kết và đã chi của mỗi tháng bằng tổng các khoản phân bổ",
        f"SELECT {_MONTH} AS offender FROM due_month_position p FULL JOIN (SELECT {_KEY},"
        " sum(amount) FILTER (WHERE state = 'COMMITTED') AS committed, sum(amount) FILTER (WHERE state = 'PAID') AS paid"
        f" FROM allocation GROUP BY {_KEY}) a USING ({_KEY})"
        " WHERE coalesce(p.committed, 0) <> coalesce(a.committed, 0) OR coalesce(p.paid, 0) <> coalesce(a.paid, 0)"
        # What people gave back is taken off what is paid: it must be what their cases say.
        f" UNION ALL SELECT {_MONTH} FROM (SELECT {_KEY}, repaid FROM due_month_position WHERE repaid > 0) p FULL JOIN (SELECT {_KEY},"
        " sum(s.amount) AS repaid FROM recovery_share s JOIN recovery_case c USING (recovery_id) WHERE s.kind = 'REPAID'"
        f" GROUP BY {_KEY}) r USING ({_KEY}) WHERE p.repaid IS DISTINCT FROM r.repaid",
        minutes=60,
    ),
    Invariant(
        "allocations_follow_payments",
        "A payment's allocations are its amount; committed while it is open, paid when it arrived, released once it is dead",
        "Phân bổ của khoản chi bằng số tiền và đúng trạng thái của nó",
        "SELECT p.payment_id::text AS offender FROM payment p LEFT JOIN allocation a ON a.line_id = p.line_id"
        f" WHERE p.cycle_id IN ({_LIVE}) AND NOT EXISTS (SELECT FROM payment n WHERE n.line_id = p.line_id AND n.attempt > p.attempt)"
        " GROUP BY p.payment_id HAVING coalesce(sum(a.amount), 0) <> p.amount OR bool_or(a.state <> CASE"
        f" WHEN p.status IN ({_listed(PAID)}) THEN 'PAID' WHEN p.status IN ({_listed(DEAD)}) THEN 'RELEASED' ELSE 'COMMITTED' END)",
    ),
    Invariant(
        "ledger_follows_payments",
        "The ledger holds exactly the transfers of each payment's state, each once and over its amount",
        "Sổ cái có đúng các bút toán theo trạng thái của mỗi khoản chi",
        "SELECT p.payment_id::text AS offender FROM payment p LEFT JOIN ledger_transfer t ON t.payment_id = p.payment_id"
        f" AND t.kind IN ({_listed(_weights())}) WHERE p.cycle_id IN ({_LIVE})"
        f" GROUP BY p.payment_id HAVING coalesce(sum(CASE t.kind {_WEIGHT} END), 0)"
        f" + CASE WHEN NOT bool_or(t.kind = 'CORRECT') THEN 0 {_ended_dead()} ELSE 0 END"
        f" <> CASE p.status {_EXPECTED} END"
        " OR bool_or(t.amount <> p.amount)",
    ),
    Invariant(
        "ledger_in_its_chart",
        "Every transfer moves between the two accounts that its kind names",
        "Mọi bút toán đúng cặp tài khoản theo loại",
        "SELECT transfer_id::text AS offender FROM ledger_transfer"
        f" WHERE (cycle_id IS NULL OR cycle_id IN ({_LIVE})) AND (kind, debit_account, credit_account) NOT IN (VALUES {_CHART})",
    ),
    Invariant(
        "ledger_balances",
        "Debits equal credits, and no account of a cycle's payments gives more than it received",
        "Nợ bằng có; không tài khoản nào của kỳ chi âm",
        "SELECT concat_ws('/', cycle_id, account) AS offender FROM (SELECT cycle_id, account,"
        " sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) AS balance FROM ledger_entry"
        f" WHERE cycle_id IN ({_LIVE}) GROUP BY 1, 2) b WHERE account IN ({_OF_PAYMENTS}) AND balance < 0"
        " UNION ALL SELECT 'debits - credits = ' || difference FROM (SELECT sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)"
        f" AS difference FROM ledger_entry WHERE cycle_id IN ({_LIVE})) s WHERE difference <> 0",
    ),
    Invariant(
        "lists_are_whole",
        "A list's lines and holds are those that were counted when it was computed: listed + held = owed",
        "Số dòng và số tạm giữ của danh sách đúng như khi tính: dòng + tạm giữ = phải chi",
        "SELECT l.list_id::text AS offender FROM payment_list l JOIN payment_cycle c ON c.list_id = l.list_id,"
        " LATERAL (SELECT count(*) AS n, coalesce(sum(amount), 0) AS amount FROM list_line i WHERE i.list_id = l.list_id) i,"
        " LATERAL (SELECT count(*) AS n, coalesce(sum(amount), 0) AS amount FROM hold h WHERE h.list_id = l.list_id"
        " AND h.stage = 'COMPUTE') h"
        f" WHERE c.cycle_id IN ({_LIVE}) AND l.state IN ('COMPUTED', 'SUBMITTED', 'APPROVED')"
        " AND (l.lines, l.total_amount, l.held, l.held_amount) <> (i.n, i.amount, h.n, h.amount)",
    ),
    Invariant(
        "approved_lines_are_paid_or_held",
        "Every line of an approved list has a payment or is held",
        "Mọi dòng của danh sách đã duyệt có khoản chi hoặc đang tạm giữ",
        "SELECT i.line_id::text AS offender FROM list_line i JOIN payment_list l USING (list_id)"
        f" WHERE l.state = 'APPROVED' AND i.state = 'LISTED' AND l.cycle_id IN ({_LIVE})"
        " AND NOT EXISTS (SELECT FROM payment p WHERE p.line_id = i.line_id)",
    ),
    Invariant(
        "one_living_attempt",
        "A line has at most one payment that is on its way or paid",
        "Mỗi dòng có nhiều nhất một khoản chi đang đi hoặc đã chi",
        f"SELECT line_id::text AS offender FROM payment WHERE cycle_id IN ({_LIVE}) AND status NOT IN ({_listed(DEAD)})"
        " GROUP BY line_id HAVING count(*) > 1",
    ),
    Invariant(
        "open_payments_are_asked_about",
        "Every accepted or unknown payment has a time at which its partner is asked about it",
        "Mọi khoản chi đã gửi hoặc chưa rõ đều có lịch hỏi lại đơn vị chi trả",
        f"SELECT payment_id::text AS offender FROM payment WHERE status IN ('{_S.SUBMITTED}', '{_S.UNKNOWN}') AND inquire_at IS NULL",
    ),
    Invariant(
        "sends_end",
        "No batch is under way ten minutes after its claim ran out",
        "Không lô nào còn đang gửi mười phút sau khi hết hạn giữ",
        "SELECT batch_id::text AS offender FROM payment_batch WHERE lease_until < now() - interval '10 minutes'"
        " OR (state = 'SENDING' AND lease_until IS NULL)",
    ),
    Invariant(
        "notices_are_applied",
        "Every notice of a partner is applied within fifteen minutes",
        "Mọi thông báo của đơn vị chi trả được áp dụng trong mười lăm phút",
        "SELECT notice_id::text AS offender FROM partner_notice WHERE state = 'RECEIVED' AND received_at < now() - interval '15 minutes'",
    ),
    Invariant(
        "budgets_are_their_movements",
        "What a budget says is reserved and spent is the sum of its movements",
        "Số giữ chỗ và đã chi của dự toán bằng tổng các biến động",
        "SELECT b.budget_id::text AS offender FROM budget b LEFT JOIN (SELECT budget_id,"
        " sum(CASE kind WHEN 'RESERVE' THEN amount WHEN 'RELEASE' THEN -amount WHEN 'SPEND' THEN -amount ELSE 0 END) AS reserved,"
        " sum(amount) FILTER (WHERE kind = 'SPEND') AS spent FROM budget_movement GROUP BY 1) m USING (budget_id)"
        " WHERE b.reserved <> coalesce(m.reserved, 0) OR b.spent <> coalesce(m.spent, 0)",
    ),
    Invariant(
        "overpaid_is_claimed_back",
        "Who was paid more than is due now has a recovery case, or is about to be looked at",
        "Người đã nhận quá khoản phải chi có hồ sơ thu hồi hoặc đang chờ xét",
        "SELECT DISTINCT o.beneficiary_id::text AS offender FROM (SELECT p.beneficiary_id, p.programme, p.funding_source,"
        " sum(p.paid - p.repaid - p.waived - coalesce(i.amount, 0)) AS amount FROM due_month_position p LEFT JOIN due_interval i"
        " ON i.beneficiary_id = p.beneficiary_id AND i.programme = p.programme AND i.funding_source = p.funding_source"
        " AND i.benefit_line = p.benefit_line AND i.from_month <= p.month AND coalesce(i.to_month, 'infinity') >= p.month"
        " WHERE p.paid - p.repaid - p.waived > coalesce(i.amount, 0) AND i.status IS DISTINCT FROM 'RATE_MISSING' GROUP BY 1, 2, 3) o"
        " WHERE NOT EXISTS (SELECT FROM recovery_check c WHERE c.beneficiary_id = o.beneficiary_id)"
        " AND NOT EXISTS (SELECT FROM recovery_case r WHERE r.beneficiary_id = o.beneficiary_id AND r.programme = o.programme"
        f" AND r.funding_source = o.funding_source AND r.state IN ({_listed(LIVING)}))",
        minutes=60,
    ),
    Invariant(
        "closed_cycles_have_ended",
        "A closed cycle has no payment on its way",
        "Kỳ đã đóng không còn khoản chi đang đi",
        "SELECT p.payment_id::text AS offender FROM payment p JOIN payment_cycle c USING (cycle_id)"
        f" WHERE c.state = 'CLOSED' AND c.closed_at > now() - interval '45 days' AND p.status IN ({_listed(OPEN)})",
    ),
)
