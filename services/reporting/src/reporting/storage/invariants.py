"""What must always hold of the picture that reports are made from."""

from __future__ import annotations

from typing import Final

from common.invariants import Invariant

__all__ = ["INVARIANTS"]

_CAUGHT_UP: Final = "NOT EXISTS (SELECT FROM consumer_position WHERE highwater > position)"

INVARIANTS: Final = (
    Invariant(
        "nobody_is_shown_paid_twice",
        "No one has two arrived payments in one cycle",
        "Không ai có hai khoản đã nhận trong cùng một kỳ",
        "SELECT concat_ws('/', cycle_id, beneficiary_id) AS offender FROM payment WHERE status IN ('SETTLED', 'COLLECTED')"
        " GROUP BY cycle_id, beneficiary_id HAVING count(*) > 1",
        minutes=10,
    ),
    Invariant(
        "closed_cycles_are_shown_ended",
        "Once everything is heard, a closed cycle has no payment on its way",
        "Khi đã nhận đủ sự kiện, kỳ đã đóng không còn khoản chi đang đi",
        "SELECT p.payment_id::text AS offender FROM payment p JOIN cycle c USING (cycle_id) WHERE c.state = 'CLOSED'"
        f" AND p.status NOT IN ('SETTLED', 'COLLECTED', 'FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED') AND {_CAUGHT_UP}",
        minutes=10,
    ),
    Invariant(
        "paid_lists_are_told_whole",
        "Once everything is heard, a cycle that is paid shows a payment for every line of its list that was not held back",
        "Khi đã nhận đủ sự kiện, kỳ đang chi có đủ khoản chi theo danh sách",
        "SELECT c.cycle_id::text AS offender FROM cycle c,"
        " LATERAL (SELECT count(DISTINCT p.beneficiary_id) AS n FROM payment p WHERE p.cycle_id = c.cycle_id) p,"
        " LATERAL (SELECT count(DISTINCT h.beneficiary_id) AS n FROM hold h WHERE h.cycle_id = c.cycle_id) h"
        f" WHERE c.state IN ('DISBURSING', 'SETTLING', 'CLOSED') AND p.n + h.n < c.lines + c.held AND {_CAUGHT_UP}",
        minutes=10,
    ),
)
