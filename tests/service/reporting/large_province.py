"""A large province, made set-based: a log of events, or read models filled at once, for measurements and rebuilds of any size."""

from __future__ import annotations

from common.db import Tx
from reporting.domain.indicators import STANDING_COLUMNS
from reporting.storage.unit_sums import above

__all__ = ["fill_dues", "fill_log", "fill_names", "fill_payments", "fill_standing", "fill_units"]

COMMUNES = 500
_UNIT = "'60/' || (600 + n % 10) || '/' || (20000 + n % 500)"

# Thrown once for each person, whatever the commune: every commune has people of every kind, as a real one has.
_LUCK = "(abs(CAST(hashint4(CAST(n AS int)) AS bigint)) % 100)"
_OTHER_LUCK = "(abs(CAST(hashint4(CAST(n AS int)) AS bigint)) / 100 % 10)"

# A tenth of the people is with merit; 35 of 100 are paid by account, 2 fail, 1 is not collected, 1 is still on its way.
_FATE = f"""
CASE WHEN {_LUCK} < 35 THEN 'SETTLED' WHEN {_LUCK} < 37 THEN 'FAILED' WHEN {_LUCK} = 37 THEN 'UNCOLLECTED'
     WHEN {_LUCK} = 38 THEN 'SUBMITTED' ELSE 'COLLECTED' END
"""
_CHANNEL = f"CASE WHEN {_LUCK} < 37 THEN (ARRAY['BANK', 'WALLET', 'MOBILE_MONEY'])[1 + n % 3] ELSE 'CASH_POST' END"
_PARTNER = f"CASE WHEN {_LUCK} < 37 THEN (ARRAY['agribank', 'bidv', 'vietinbank', 'momo', 'viettel'])[1 + n % 5] ELSE 'vnpost' END"
_PROGRAMME = f"CASE WHEN {_OTHER_LUCK} = 0 THEN 'MERIT' ELSE 'SOCIAL_ASSISTANCE' END"


def _uuid(*parts: str) -> str:
    return f"CAST(md5({' || '.join(parts)}) AS uuid)"


_PERSON = _uuid("'person'", "n")

_UNITS = """
INSERT INTO unit
SELECT md5(path)::uuid, 1, regexp_replace(path, '.*/', ''), 'Đơn vị ' || path, level, NULL, path, '2004-01-01', NULL
FROM (
    SELECT '60' AS path, 'province' AS level
    UNION ALL SELECT '60/' || (600 + d), 'district' FROM generate_series(0, 9) AS d
    UNION ALL SELECT '60/' || (600 + n % 10) || '/' || (20000 + n % 500), 'commune' FROM generate_series(0, 499) AS n
) AS u
"""

_PAYMENTS = f"""
INSERT INTO payment (payment_id, version, cycle_id, beneficiary_id, payee_id, payee_kind, status, attempt, reference, amount, month, months,
                     programme, funding_source, channel, partner, unit_code, unit_path, business_date, occurred_at)
SELECT gen_random_uuid(), 2, {_uuid("CAST(CAST(:month AS date) AS text)", _PROGRAMME)}, b, b, 'SELF', {{status}}, 1, 'R' || n,
       500000 + n % 7,
       CAST(:month AS date), ARRAY[to_char(CAST(:month AS date), 'YYYY-MM')], {_PROGRAMME}, 'LOCAL_BUDGET', {_CHANNEL},
       {_PARTNER}, CAST(20000 + n % 500 AS text), {_UNIT}, CAST(:month AS date), now()
FROM (SELECT n, {_PERSON} AS b FROM generate_series(1, :people) AS n) AS p
"""

_NAMES = f"""
INSERT INTO beneficiary (beneficiary_id, version, file_code, full_name, unit_code, unit_path, programmes, status)
SELECT {_PERSON}, 1, 'HS-' || n, 'Nguyễn Thị Phương Thảo ' || n, CAST(20000 + n % 500 AS text), {_UNIT}, ARRAY[{_PROGRAMME}], 'ACTIVE'
FROM generate_series(1, :people) AS n
"""

_STANDING = """
INSERT INTO standing_change (month, unit_path, programme, measure, people)
SELECT month, path, programme, measure, 5
FROM unnest(CAST(:months AS date[])) AS month, unnest(ARRAY['MERIT', 'SOCIAL_ASSISTANCE', '*']) AS programme,
     unnest(CAST(:measures AS text[])) AS measure, unit WHERE level = 'commune'
"""

_LOG = """
INSERT INTO event_log (event_id, topic, partition, "offset", key, type, source, occurred_at, body)
SELECT gen_random_uuid(), 'generated', 0, n, {key}, '{type}', 'generated', now(), jsonb_build_object('version', {version},
       'business_date', CAST(:day AS date), 'beneficiary_id', {key}, 'unit_code', CAST(20000 + n % 500 AS text), 'unit_path', {unit},
       {fields})
FROM generate_series(1, :people) AS n
"""
_PEOPLE_EVENTS = {
    "BeneficiaryRegistered": (
        "'file_code', 'HS-' || n, 'full_name', 'Nguyễn Văn A', 'birth_date', '1950', 'sex', 'M', 'status', 'ACTIVE',"
        f" 'programmes', jsonb_build_array({_PROGRAMME}), 'national_number', jsonb_build_object('accounts', repeat('x', 90)),"
        " 'identity_fingerprint', 'f'"
    ),
    "PreferenceRecorded": (
        "'recorded_on', CAST(:day AS date), 'evidence', NULL,"
        f" 'preference', CASE WHEN {_LUCK} < 37 THEN 'WANTS_ACCOUNT' WHEN {_LUCK} > 95 THEN 'FORCE_MAJEURE' ELSE 'DECLINES' END"
    ),
    "BeneficiaryVerified": (
        f"'subject_id', {_PERSON}, 'subject_kind', 'BENEFICIARY', 'verdict', 'VERIFIED', 'source_status', 'MATCH',"
        " 'checked_on', CAST(:day AS date), 'valid_until', CAST(:day AS date) + 40"
    ),
    "PayoutMethodChosen": (
        f"'payee_id', {_PERSON}, 'payee_kind', 'SELF', 'method', CASE WHEN {_LUCK} < 37 THEN 'ACCOUNT' ELSE 'CASH_POST' END"
    ),
}
_PAYMENT = (
    f"'payment_id', {_uuid('CAST(CAST(:month AS date) AS text)', 'n')},"
    f" 'cycle_id', {_uuid('CAST(CAST(:month AS date) AS text)', _PROGRAMME)},"
    f" 'payee_id', {_PERSON}, 'payee_kind', 'SELF', 'attempt', 1, 'reference', 'R' || n, 'amount', 500000 + n % 7,"
    " 'month', to_char(CAST(:month AS date), 'YYYY-MM'), 'months', jsonb_build_array(to_char(CAST(:month AS date), 'YYYY-MM')),"
    f" 'programme', {_PROGRAMME}, 'funding_source', 'LOCAL_BUDGET', 'channel', {_CHANNEL}, 'partner', 'agribank', 'occurred_at', now(),"
)
_PAYMENT_EVENTS = {
    "PaymentInstructed": (1, _PAYMENT + " 'status', 'APPROVED'"),
    "PaymentSettled": (2, _PAYMENT + f" 'status', {_FATE}"),
}


_DUES = (
    f"'lines', jsonb_build_array(jsonb_build_object('programme', {_PROGRAMME}, 'funding_source', 'LOCAL_BUDGET', 'benefit_line', 'A01',"
    " 'intervals', jsonb_build_array(jsonb_build_object('from_month', '2023-01', 'to_month', '2024-06', 'amount', 360000, 'status', 'DUE',"
    " 'basis', 'NĐ 20/2021', 'decision_number', 'QĐ-1', 'explicit_arrears', false), jsonb_build_object('from_month', '2024-07',"
    " 'to_month', NULL, 'amount', 500000, 'status', 'DUE', 'basis', 'NĐ 76/2024', 'decision_number', 'QĐ-1', 'explicit_arrears', false))))"
)


async def fill_units(tx: Tx) -> None:
    """One province, ten districts, 500 communes, as read models."""
    await tx.execute(_UNITS)


async def fill_payments(tx: Tx, people: int, month: str, status: str = _FATE) -> int:
    """A month's payments of `people` people as read models (`month`: its first day; `status` in SQL); how many."""
    return await tx.execute(_PAYMENTS.format(status=status), people=people, month=month)


async def fill_names(tx: Tx, people: int) -> int:
    """The people's names and dossier codes as read models; how many."""
    return await tx.execute(_NAMES, people=people)


async def fill_standing(tx: Tx, months: list[str]) -> None:
    """How people stand, as sums alone: every measure changes in every commune and month. The sums of the units above follow."""
    await tx.execute(_STANDING, months=months, measures=list(STANDING_COLUMNS))
    columns = "month, unit_path, programme, measure, people"
    await tx.execute(
        f"INSERT INTO standing_above ({columns}) SELECT month, unit_path, programme, measure, sum(people)"
        f" FROM ({above(columns, 'standing_change')}) AS a GROUP BY 1, 2, 3, 4"
    )


async def fill_dues(tx: Tx, people: int) -> int:
    """What decisions in force owe each person, as told in the log; how many."""
    return await tx.execute(
        _LOG.format(key=_PERSON, type="DuesChanged", version=1, unit=_UNIT, fields=_DUES), people=people, day="2024-01-05"
    )


async def fill_log(tx: Tx, people: int, months: list[str]) -> int:
    """Four events a person and two a person and month, in the log; how many. As received, without their headers."""
    made = 0
    for name, fields in _PEOPLE_EVENTS.items():
        sql = _LOG.format(key=_PERSON, type=name, version=1, unit=_UNIT, fields=fields)
        made += await tx.execute(sql, people=people, day=months[0])
    for month in months:
        for name, (version, fields) in _PAYMENT_EVENTS.items():
            sql = _LOG.format(key=_PERSON, type=name, version=version, unit=_UNIT, fields=fields)
            made += await tx.execute(sql, people=people, day=month, month=month)
    return made
