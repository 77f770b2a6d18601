"""The gate in SQL: `domain.gate`'s tables as VALUES, applied to everyone with something due in one statement."""

from __future__ import annotations

from typing import Final

from common.contracts.disbursement_v1 import HoldReason, PaymentStatus
from common.contracts.identity_verify_v1 import Verdict
from common.contracts.registry_v1 import BeneficiaryStatus
from disbursement.domain.gate import GRACE_NOTE, MOOT_AFTER_DEATH, REPRESENTATIVE_REFUSED, STATUS_HOLDS, VERDICT_RULES, CashReason
from disbursement.domain.payment import DEAD

__all__ = [
    "BATCHES_OF_DEBIT",
    "BOOKED_UNSENT_SQL",
    "DISPUTED_LINES_SQL",
    "DISPUTED_SQL",
    "FACTS_SQL",
    "OUTCOME_SQL",
    "OVER_LIMIT_SQL",
    "SUSPENDED_SQL",
    "WITHDRAWN_SQL",
]


def _literal(value: str | None) -> str:
    """A quoted literal of one of our own constants (upper-case codes), or a typed NULL."""
    return "CAST(NULL AS text)" if value is None else f"'{value}'"


_VERDICTS: Final = ", ".join(f"('{verdict}', {_literal(rule.hold)}, {_literal(rule.cash)})" for verdict, rule in VERDICT_RULES.items())
_STATUSES: Final = ", ".join(f"('{status}', {_literal(hold)})" for status, hold in STATUS_HOLDS.items())
# A word about a representative that we do not know is no better than a refusal; none at all lets the representative collect.
_ACCEPTED: Final = ", ".join(f"'{verdict}'" for verdict in VERDICT_RULES if verdict not in REPRESENTATIVE_REFUSED)

_MOOT: Final = " OR ".join(f"rule.verdict = '{verdict}'" for verdict in MOOT_AFTER_DEATH)
_IN_CASH: Final = f"CASE WHEN CAST(:in_cash AS boolean) AND f.method = 'ACCOUNT' THEN '{CashReason.REISSUED_IN_CASH}' END"

# What the evidence on one person is worth on the business date: evidence on other identity data than the register
# holds now is none, and VERIFIED runs out, unless two people approved a grace period for it (identity-verify publishes it).
_VERDICT: Final = f"""
    CASE WHEN v.verdict IS NULL OR v.identity_fingerprint <> b.identity_fingerprint THEN '{Verdict.UNANSWERED}'
         WHEN v.verdict = '{Verdict.VERIFIED}'
              AND CAST(:business_date AS date) > greatest(v.valid_until + CAST(:grace_days AS int), v.grace_until)
              THEN '{Verdict.UNANSWERED}'
         ELSE v.verdict END"""

_PARKED: Final = "SELECT DISTINCT key FROM parked_event WHERE replayed_at IS NULL"

# Valid on the business date and for this programme; `{r}` is a row of `representative`, `{programme}` an SQL expression.
_IN_FORCE: Final = """{r}.valid_from <= CAST(:business_date AS date) AND coalesce({r}.valid_to >= CAST(:business_date AS date), true)
    AND coalesce({r}.revoked_on > CAST(:business_date AS date), true)
    AND (cardinality({r}.programmes) = 0 OR {programme} = ANY({r}.programmes))"""
_ALIVE: Final = (
    f"NOT EXISTS (SELECT FROM beneficiary dead WHERE dead.beneficiary_id = {{who}} AND dead.status = '{BeneficiaryStatus.DECEASED}')"
)

_REPRESENTATIVE: Final = f"""
    CASE WHEN m.payee_id IS NULL OR m.payee_id = {{person}} THEN NULL
         WHEN rv.verdict NOT IN ({_ACCEPTED}) THEN '{CashReason.REPRESENTATIVE_NOT_VERIFIED}'
         WHEN NOT coalesce({_IN_FORCE.format(r="r", programme="{programme}")}, false) OR NOT {_ALIVE.format(who="m.payee_id")}
              THEN '{CashReason.REPRESENTATIVE_NOT_VALID}' END"""

# Who may receive what a dead person was owed up to the month of death: an heir the registry appointed after the death. The one
# whom the payout method names goes first, else the one appointed first.
_HEIR: Final = f"""
    SELECT h.representative_id, h.full_name, h.kind
    FROM representative h
    LEFT JOIN verification hv ON hv.beneficiary_id = h.beneficiary_id AND hv.subject_id = h.representative_id
    WHERE h.beneficiary_id = {{person}} AND b.status = '{BeneficiaryStatus.DECEASED}' AND h.basis = 'HEIR'
      AND {_IN_FORCE.format(r="h", programme="{programme}")} AND coalesce(hv.verdict IN ({_ACCEPTED}), true)
      AND {_ALIVE.format(who="h.representative_id")} AND {{which}}
    ORDER BY h.representative_id IS NOT DISTINCT FROM m.payee_id DESC, h.valid_from, h.representative_id LIMIT 1"""

# A changed account waits its cool-down; meanwhile the earlier verified one is paid into.
_COOLING: Final = "coalesce(m.account_from > CAST(:business_date AS date), false)"

# Account problems in words: the provider's reason where there is one, else the status.
_ACCOUNT: Final = f"""
    CASE WHEN {_COOLING} AND m.meanwhile_account_id IS NULL THEN '{CashReason.ACCOUNT_COOLING_DOWN}'
         WHEN a.account_id IS NULL THEN 'ACCOUNT_NOT_KNOWN'
         WHEN a.payee_id <> m.payee_id THEN 'ACCOUNT_NOT_PAYEES'
         WHEN a.status <> 'ACTIVE' THEN 'ACCOUNT_' || coalesce(a.reason, a.status)
         WHEN a.account_number_token IS NULL THEN 'ACCOUNT_NUMBER_MISSING' END"""

# What the account got, or is to get, on the business date and in its month, so far: asked for accounts of partners with such limits only.
_RECEIVED: Final = f"""
    SELECT l.account_id, sum(p.amount) FILTER (WHERE p.business_date = CAST(:business_date AS date)) AS of_day, sum(p.amount) AS of_month
    FROM payment p JOIN list_line l USING (line_id)
    WHERE p.business_date >= date_trunc('month', CAST(:business_date AS date))
      AND p.business_date < date_trunc('month', CAST(:business_date AS date)) + interval '1 month'
      AND p.status NOT IN ({", ".join(f"'{status}'" for status in sorted(DEAD))}) AND l.account_id IS NOT NULL
      AND (p.partner IN (SELECT partner FROM account_limit WHERE day IS NOT NULL OR month IS NOT NULL)
           OR l.provider_code IN (SELECT provider_code FROM provider_limit WHERE per_month IS NOT NULL))
    GROUP BY 1"""

_LIMITS: Final = "SELECT * FROM json_to_recordset(CAST(:limits AS json)) AS x (partner text, payment bigint, day bigint, month bigint)"
# Of the partners file and of the accounts' directory the stricter one holds.
_OF_PAYMENT: Final = "least(al.payment, pl.per_payment)"

_UNPAID: Final = ", ".join(f"'{status}'" for status in sorted(DEAD - {PaymentStatus.RETURNED}))

SUSPENDED_SQL: Final = """e.status = 'SUSPENDED' AND NOT EXISTS (
            SELECT FROM due_interval i WHERE i.beneficiary_id = e.beneficiary_id AND i.programme = e.programme
            AND i.funding_source = e.funding_source AND i.benefit_line = e.benefit_line AND i.status = 'DUE'
            AND coalesce(i.to_month, 'infinity') >= {month})"""
"""Allowances (`e`) suspended by decision, with nothing due under their line from a month on: what was due before waits as well."""

BATCHES_OF_DEBIT: Final = (
    "CROSS JOIN LATERAL (SELECT {line}.batch_id UNION ALL SELECT f.batch_id FROM payment_batch f WHERE f.split_from = {line}.batch_id) own"
)
"""The batches (`own.batch_id`) whose payments a debit under a batch's reference (row `line`) may have paid: its own and those split off."""

# What a batch's one debit may have paid beside those of its payments that were sent and are not dead: nobody says which.
_BOOKED_WITH_BATCH: Final = f"""
SELECT p.payment_id
FROM reconciliation_break b JOIN statement_line s ON s.statement_id = b.statement_id AND s.line_no = b.line_no
CROSS JOIN LATERAL (SELECT coalesce(sum(x.amount), 0) AS amount FROM payment x
                    WHERE x.batch_id = s.batch_id AND x.status NOT IN ({_UNPAID}, 'APPROVED')) sent
{BATCHES_OF_DEBIT.format(line="s")}
JOIN payment p ON p.batch_id = own.batch_id AND p.status IN ({_UNPAID}) AND p.amount <= b.theirs - sent.amount
WHERE b.state <> 'RESOLVED' AND b.payment_id IS NULL AND s.batch_id IS NOT NULL AND s.direction = 'OUT'"""

DISPUTED_SQL: Final = f"""
SELECT DISTINCT a.beneficiary_id, a.programme, a.funding_source, a.benefit_line, a.month
FROM (
    SELECT payment_id FROM quarantine
    WHERE state = 'OPEN' AND payment_id IS NOT NULL AND (says_paid OR reason IN ('CONTRADICTION', 'NOT_SENT'))
    UNION SELECT payment_id FROM reconciliation_break
    WHERE state <> 'RESOLVED' AND payment_id IS NOT NULL AND kind IN ('STATUS_DIFFERS', 'AMOUNT_DIFFERS')
    UNION {_BOOKED_WITH_BATCH}
) q JOIN payment p USING (payment_id) JOIN allocation a ON a.line_id = p.line_id AND a.state = 'RELEASED'
WHERE p.status IN ({", ".join(f"'{status}'" for status in sorted(DEAD))})"""
"""Months given back by a payment that we hold dead, while its partner's word or statement that it was paid (alone or with its
whole batch) waits for a person."""

DISPUTED_LINES_SQL: Final = f"""
SELECT DISTINCT l.line_id, '{HoldReason.PAYMENT_DISPUTED}' AS reason
FROM (SELECT o.line_id, o.beneficiary_id, o.programme, o.funding_source, o.benefit_line, o.month FROM allocation o
      WHERE {{allocations}} AND o.state IN ('PLANNED', 'COMMITTED')) o
JOIN ({DISPUTED_SQL}) x USING (beneficiary_id, programme, funding_source, benefit_line, month)
JOIN list_line l ON l.line_id = o.line_id
WHERE l.state = 'LISTED'
"""
"""Listed lines that would pay such months again. Fill `allocations` with the choice of lines (`o.`)."""

BOOKED_UNSENT_SQL: Final = """
(EXISTS (SELECT FROM reconciliation_break b WHERE b.payment_id = p.payment_id AND b.state <> 'RESOLVED' AND b.kind <> 'MISSING')
 OR EXISTS (SELECT FROM quarantine q
            WHERE q.payment_id = p.payment_id AND q.state = 'OPEN' AND (q.says_paid OR q.reason IN ('CONTRADICTION', 'NOT_SENT')))
 OR EXISTS (SELECT FROM payment_batch f JOIN statement_line s ON s.batch_id IN (f.batch_id, f.split_from)
            JOIN reconciliation_break b ON b.statement_id = s.statement_id AND b.line_no = s.line_no
            WHERE f.batch_id = p.batch_id AND b.state <> 'RESOLVED' AND b.payment_id IS NULL))
"""
"""Whether a statement books the payment `p` (alone or with its whole batch), or the partner speaks of it, in a way that waits for a person.
Asked of the payment: the thousands of other differences that may be open are not read."""

FACTS_SQL: Final = f"""
CREATE TEMP TABLE facts ON COMMIT DROP AS
WITH owed AS MATERIALIZED (SELECT DISTINCT beneficiary_id FROM due_now),
account_limit AS MATERIALIZED ({_LIMITS}), received AS MATERIALIZED ({_RECEIVED})
SELECT o.beneficiary_id, s.unit_code, s.unit_path, f.route, b.file_code, coalesce(b.full_name, '') AS beneficiary_name,
       b.beneficiary_id IS NULL OR pb.key IS NOT NULL OR pm.key IS NOT NULL AS parked, b.status,
       coalesce(b.unresolved_duplicate, false) AS duplicate, coalesce(m.fraud_suspected, false) AS fraud, {_VERDICT} AS verdict,
       CAST(:business_date AS date) > v.valid_until AS evidence_old, m.method, m.payee_id, m.payee_kind, m.reason AS method_reason,
       {_REPRESENTATIVE.format(person="o.beneficiary_id", programme=":programme")} AS representative_problem,
       r.full_name AS representative_name, h.representative_id AS heir_id, h.kind AS heir_kind, h.full_name AS heir_name,
       CASE WHEN m.method = 'ACCOUNT' THEN {_ACCOUNT} END AS account_problem,
       a.account_id, a.version AS account_version, a.kind AS account_kind, a.partner, a.provider_code, a.account_number_token,
       a.masked_number, coalesce(t.attempt, 0) + 1 AS attempt, {_OF_PAYMENT} AS limit_payment,
       least(al.day - coalesce(got.of_day, 0), least(al.month, pl.per_month) - coalesce(got.of_month, 0)) AS limit_room,
       EXISTS (SELECT FROM due_now d JOIN disputed x USING (beneficiary_id, benefit_line, month) WHERE d.beneficiary_id = o.beneficiary_id)
           AS disputed
FROM owed o
JOIN scope s USING (beneficiary_id)
JOIN first_month f USING (unit_path)
LEFT JOIN tried t USING (beneficiary_id)
LEFT JOIN beneficiary b USING (beneficiary_id)
LEFT JOIN verification v ON v.beneficiary_id = o.beneficiary_id AND v.subject_id = o.beneficiary_id
LEFT JOIN payout_method m ON m.beneficiary_id = o.beneficiary_id
LEFT JOIN representative r ON r.beneficiary_id = o.beneficiary_id AND r.representative_id = m.payee_id
LEFT JOIN verification rv ON rv.beneficiary_id = o.beneficiary_id AND rv.subject_id = m.payee_id
LEFT JOIN payout_account a ON a.account_id = CASE WHEN {_COOLING} THEN m.meanwhile_account_id ELSE m.account_id END
LEFT JOIN account_limit al ON al.partner = a.partner
LEFT JOIN provider_limit pl ON pl.provider_code = a.provider_code
LEFT JOIN received got ON got.account_id = a.account_id
LEFT JOIN ({_PARKED}) pb ON pb.key = o.beneficiary_id
LEFT JOIN ({_PARKED}) pm ON pm.key = m.payee_id
LEFT JOIN LATERAL ({_HEIR.format(person="o.beneficiary_id", programme=":programme", which="true")}) h ON true
"""
"""What is known of everyone in the temporary tables `scope`, `tried`, `disputed` and `due_now`: one row a person, `facts`."""

OUTCOME_SQL: Final = f"""
CREATE TEMP TABLE outcome ON COMMIT DROP AS
WITH owed AS MATERIALIZED (
    SELECT beneficiary_id, CAST(sum(amount) AS bigint) AS amount, array_agg(DISTINCT month ORDER BY month) AS months,
           bool_or(rate_missing) AS rate_missing, bool_and(suspended) AS suspended
    FROM due_now GROUP BY beneficiary_id
), gated AS (
    SELECT f.*, o.amount, o.months, f.heir_id IS NOT NULL AS dead,
           CASE WHEN f.parked THEN '{HoldReason.DATA_PARKED}'
                WHEN f.heir_id IS NULL AND st.hold IS NOT NULL THEN st.hold
                WHEN f.duplicate THEN '{HoldReason.DUPLICATE}'
                WHEN f.fraud THEN '{HoldReason.FRAUD_SUSPECTED}'
                WHEN st.status IS NULL OR rule.verdict IS NULL THEN '{HoldReason.NOT_VERIFIED}'
                WHEN rule.hold IS NOT NULL AND NOT (f.heir_id IS NOT NULL AND ({_MOOT})) THEN rule.hold
                WHEN f.disputed THEN '{HoldReason.PAYMENT_DISPUTED}'
                WHEN o.suspended THEN '{HoldReason.SUSPENDED}'
                WHEN o.rate_missing THEN '{HoldReason.RATE_MISSING}' END AS hold_reason,
           CASE WHEN f.heir_id IS NULL
                THEN coalesce(rule.cash, f.representative_problem, CASE WHEN f.method IS NULL THEN '{CashReason.NO_ACCOUNT}' END,
                              f.account_problem, {_IN_CASH})
                WHEN f.heir_id IS DISTINCT FROM f.payee_id THEN '{CashReason.HEIR_WITHOUT_ACCOUNT}'
                ELSE coalesce(f.account_problem, {_IN_CASH})
           END AS forced_cash
    FROM facts f
    JOIN owed o USING (beneficiary_id)
    LEFT JOIN (VALUES {_STATUSES}) AS st (status, hold) ON st.status = f.status
    LEFT JOIN (VALUES {_VERDICTS}) AS rule (verdict, hold, cash) ON rule.verdict = f.verdict
), into_account AS (
    -- Several people's money may go into one account (of their representative): in turn, as long as there is room.
    SELECT beneficiary_id, amount > coalesce(limit_payment, amount)
           OR coalesce(sum(CASE WHEN amount <= coalesce(limit_payment, amount) THEN amount END)
                       OVER (PARTITION BY account_id ORDER BY beneficiary_id) > limit_room, false) AS too_much
    FROM gated
    WHERE hold_reason IS NULL AND forced_cash IS NULL AND method = 'ACCOUNT' AND (limit_payment IS NOT NULL OR limit_room IS NOT NULL)
), judged AS (
    SELECT g.beneficiary_id, g.unit_code, g.unit_path, g.route, g.file_code, g.beneficiary_name, g.verdict, g.evidence_old, g.method,
           g.payee_id, g.payee_kind, g.method_reason, g.representative_problem, g.representative_name, g.heir_id, g.heir_kind, g.heir_name,
           g.account_id, g.account_version, g.account_kind, g.partner, g.provider_code, g.account_number_token, g.masked_number, g.attempt,
           g.amount, g.months, g.dead, g.hold_reason,
           coalesce(g.forced_cash, CASE WHEN i.too_much THEN '{CashReason.ACCOUNT_LIMIT_EXCEEDED}' END) AS forced_cash
    FROM gated g LEFT JOIN into_account i USING (beneficiary_id)
)
SELECT uuidv7() AS line_id, beneficiary_id, amount, months, unit_code, unit_path, route, file_code, beneficiary_name, hold_reason, verdict,
       attempt,
       CASE WHEN dead THEN heir_id WHEN representative_problem IS NULL THEN coalesce(payee_id, beneficiary_id) ELSE beneficiary_id END
           AS payee_id,
       CASE WHEN dead THEN heir_kind WHEN representative_problem IS NULL THEN coalesce(payee_kind, 'SELF') ELSE 'SELF' END AS payee_kind,
       CASE WHEN dead THEN heir_name WHEN representative_problem IS NULL AND payee_id <> beneficiary_id THEN representative_name
            ELSE beneficiary_name END AS payee_name,
       CASE WHEN forced_cash IS NOT NULL AND method = 'CASH_HOME' AND representative_problem IS NULL
                 AND (NOT dead OR heir_id = payee_id) THEN 'CASH_HOME'
            WHEN forced_cash IS NOT NULL THEN 'CASH_POST' WHEN method = 'ACCOUNT' THEN account_kind ELSE method END AS channel,
       coalesce(forced_cash, CASE WHEN method <> 'ACCOUNT' THEN method_reason END) AS cash_reason,
       forced_cash IS NULL AND method = 'ACCOUNT' AS by_account,
       account_id, account_version, partner, provider_code, account_number_token, masked_number,
       CASE WHEN verdict = '{Verdict.VERIFIED}' AND evidence_old THEN '{GRACE_NOTE}' END AS evidence_note
FROM judged
ORDER BY beneficiary_id
"""
"""Decides everyone in the temporary tables `facts` and `due_now`: a line's content, or a hold reason. One row a person."""

WITHDRAWN_SQL: Final = f"""
SELECT w.line_id, w.reason FROM (
    SELECT l.line_id,
        CASE WHEN pb.key IS NOT NULL OR pm.key IS NOT NULL OR b.beneficiary_id IS NULL THEN '{HoldReason.DATA_PARKED}'
             WHEN h.representative_id IS NULL AND st.hold IS NOT NULL THEN st.hold
             WHEN b.death_date IS NOT NULL AND l.months[array_upper(l.months, 1)] > b.death_date THEN '{HoldReason.DECEASED}'
             WHEN b.unresolved_duplicate THEN '{HoldReason.DUPLICATE}'
             WHEN m.fraud_suspected THEN '{HoldReason.FRAUD_SUSPECTED}'
             WHEN st.status IS NULL OR rule.verdict IS NULL THEN '{HoldReason.NOT_VERIFIED}'
             WHEN rule.hold IS NOT NULL AND NOT (h.representative_id IS NOT NULL AND ({_MOOT})) THEN rule.hold
             WHEN EXISTS (SELECT FROM allocation o WHERE o.line_id = l.line_id AND o.benefit_line = ANY(stop.benefit_lines))
                  THEN '{HoldReason.SUSPENDED}'
             WHEN less.line_id IS NOT NULL THEN '{HoldReason.STOPPED}'
             WHEN l.account_id IS NOT NULL AND rule.cash IS NOT NULL AND h.representative_id IS NULL THEN '{HoldReason.NOT_VERIFIED}'
             WHEN l.account_id IS NOT NULL AND (a.version IS DISTINCT FROM l.account_version OR a.status IS DISTINCT FROM 'ACTIVE')
                  THEN '{HoldReason.ACCOUNT_CHANGED}'
             WHEN l.account_id IS NOT NULL AND (m.method <> 'ACCOUNT'
                  OR (m.account_id IS DISTINCT FROM l.account_id AND m.meanwhile_account_id IS DISTINCT FROM l.account_id))
                  THEN '{HoldReason.ACCOUNT_CHANGED}'
             WHEN l.account_id IS NOT NULL AND m.payee_id <> l.payee_id THEN '{HoldReason.ACCOUNT_CHANGED}'
             WHEN l.payee_id <> l.beneficiary_id AND h.representative_id IS NULL
                  AND (m.payee_id <> l.payee_id OR {_REPRESENTATIVE.format(person="l.beneficiary_id", programme="l.programme")} IS NOT NULL)
                  THEN '{HoldReason.ACCOUNT_CHANGED}'
        END AS reason
    FROM list_line l
    LEFT JOIN beneficiary b USING (beneficiary_id)
    LEFT JOIN (VALUES {_STATUSES}) AS st (status, hold) ON st.status = b.status
    LEFT JOIN verification v ON v.beneficiary_id = l.beneficiary_id AND v.subject_id = l.beneficiary_id
    LEFT JOIN (VALUES {_VERDICTS}) AS rule (verdict, hold, cash) ON rule.verdict = {_VERDICT}
    LEFT JOIN payout_method m ON m.beneficiary_id = l.beneficiary_id
    LEFT JOIN payout_account a ON a.account_id = l.account_id
    LEFT JOIN representative r ON r.beneficiary_id = l.beneficiary_id AND r.representative_id = m.payee_id
    LEFT JOIN verification rv ON rv.beneficiary_id = l.beneficiary_id AND rv.subject_id = m.payee_id
    LEFT JOIN ({_PARKED}) pb ON pb.key = l.beneficiary_id
    LEFT JOIN ({_PARKED}) pm ON pm.key = l.payee_id
    LEFT JOIN LATERAL ({_HEIR.format(person="l.beneficiary_id", programme="l.programme", which="h.representative_id = l.payee_id")}) h
        ON true
    LEFT JOIN (
        SELECT e.beneficiary_id, e.programme, e.funding_source, array_agg(e.benefit_line) AS benefit_lines FROM entitlement_state e
        WHERE {SUSPENDED_SQL.format(month="date_trunc('month', CAST(:business_date AS date))")} GROUP BY 1, 2, 3
    ) stop ON stop.beneficiary_id = l.beneficiary_id AND stop.programme = l.programme AND stop.funding_source = l.funding_source
    LEFT JOIN (
        SELECT DISTINCT al.line_id
        FROM allocation al
        LEFT JOIN due_interval i ON i.beneficiary_id = al.beneficiary_id AND i.programme = al.programme
             AND i.funding_source = al.funding_source AND i.benefit_line = al.benefit_line AND i.from_month <= al.month
             AND coalesce(i.to_month, 'infinity') >= al.month AND i.status = 'DUE'
        JOIN due_month_position p ON p.beneficiary_id = al.beneficiary_id AND p.programme = al.programme
             AND p.funding_source = al.funding_source AND p.benefit_line = al.benefit_line AND p.month = al.month
        WHERE {{allocations}} AND p.paid - p.repaid + p.committed > coalesce(i.amount, 0)
    ) less USING (line_id)
    WHERE l.state = 'LISTED' AND {{lines}}
) w WHERE w.reason IS NOT NULL
"""
"""Listed lines that may no longer be paid, and why. Fill `lines` and `allocations` with the choice of lines (`l.`, `al.`)."""

OVER_LIMIT_SQL: Final = f"""
WITH account_limit AS MATERIALIZED ({_LIMITS}), bound AS MATERIALIZED (
    SELECT l.line_id, l.account_id, l.amount, l.beneficiary_id, p.payment_id, {_OF_PAYMENT} AS of_payment, al.day,
           least(al.month, pl.per_month) AS month
    FROM list_line l
    JOIN payout_account a ON a.account_id = l.account_id
    LEFT JOIN account_limit al ON al.partner = a.partner
    LEFT JOIN provider_limit pl ON pl.provider_code = a.provider_code
    LEFT JOIN payment p ON p.line_id = l.line_id AND p.status = 'APPROVED'
    WHERE {{lines}} AND l.state = 'LISTED' AND (al.partner IS NOT NULL OR pl.provider_code IS NOT NULL)
), before AS (
    -- Lines of one list that are not payments yet go in turn, as they did when the list was computed.
    SELECT *, CASE WHEN payment_id IS NULL THEN sum(amount) OVER (PARTITION BY account_id ORDER BY beneficiary_id) - amount ELSE 0 END
        AS in_turn
    FROM bound
)
SELECT b.line_id, '{HoldReason.ACCOUNT_LIMIT_EXCEEDED}' AS reason
FROM before b
LEFT JOIN LATERAL (
    SELECT sum(o.amount) FILTER (WHERE o.business_date = CAST(:business_date AS date)) AS of_day, sum(o.amount) AS of_month
    FROM list_line x JOIN payment o ON o.line_id = x.line_id
    WHERE x.account_id = b.account_id AND o.business_date >= date_trunc('month', CAST(:business_date AS date))
      AND o.business_date < date_trunc('month', CAST(:business_date AS date)) + interval '1 month'
      AND o.status NOT IN ({", ".join(f"'{status}'" for status in sorted(DEAD))})
      AND (b.payment_id IS NULL OR o.status <> 'APPROVED' OR o.payment_id < b.payment_id)
) got ON b.day IS NOT NULL OR b.month IS NOT NULL
WHERE b.amount > b.of_payment OR b.in_turn + b.amount + coalesce(got.of_day, 0) > b.day
   OR b.in_turn + b.amount + coalesce(got.of_month, 0) > b.month
"""
"""Listed lines that would take an account over what it may receive now. Fill `lines` with the choice of lines (`l.`).

Payments that wait to be sent count in the order they were made, those sent always: two that are looked at in the same moment never
both go.
"""
