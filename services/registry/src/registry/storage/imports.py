"""Import files and their rows: staging, verdicts, error lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from common.lists.storage import GENERAL_COLUMNS, reasons_json, refuse_rows
from common.lists.storage import count as count_verdicts
from common.masking import mask_national_number, mask_phone
from common.names import comparison_key
from common.sealing import Keyring
from registry.domain.reasons import Reason, reason
from registry.domain.rows import CheckedRow

__all__ = [
    "OWN_COLUMNS", "conflicts", "count_verdicts", "next_rows", "number_dependants", "own_values", "refuse_rows", "stage", "staged_values",
]  # fmt: skip

OWN_COLUMNS: Final = (
    "file_code", "full_name", "name_folded", "birth_date", "sex",
    "national_number", "number_blind", "masked_number", "identity_fingerprint", "address", "unit_code", "unit_path", "category", "percent",
    "quantity",
    "decision_number", "decision_date", "from_month", "arrears_from", "preference", "rep_kind", "rep_full_name", "rep_name_folded",
    "rep_birth_date", "rep_sex", "rep_national_number", "rep_number_blind", "rep_masked_number", "rep_fingerprint", "rep_certificate",
    "rep_from", "rep_to", "dep_name", "dep_name_folded", "dep_birth_date", "second_number", "second_blind", "masked_second_number",
    "phone", "masked_phone", "ethnicity", "hamlet", "household_code", "household_head", "household_relation",
)  # fmt: skip
"""What the registry keeps of a row besides its verdict."""


def own_values(keyring: Keyring, row: CheckedRow) -> tuple[Any, ...]:
    """One checked row as `import_row` stores it: numbers encrypted, blind-indexed and masked, identity fingerprinted."""
    rep = row.rep_full_name is not None
    rep_secret = _secret(keyring, row.rep_number) if rep else (None, None, None)
    print_ = _fingerprint(keyring, row.number, row.full_name, row.birth_date, row.sex)
    rep_print = _fingerprint(keyring, row.rep_number, row.rep_full_name or "", row.rep_birth_date, row.rep_sex or "") if rep else None
    return (
        row.file_code, row.full_name, row.name_folded, row.birth_date, row.sex, *_secret(keyring, row.number), print_, row.address,
        row.unit_code, row.unit_path, row.category, row.percent, row.quantity, row.decision_number, row.decision_date,
        row.from_month, row.arrears_from, row.preference, row.rep_kind, row.rep_full_name, row.rep_name_folded,
        row.rep_birth_date, row.rep_sex, *rep_secret, rep_print,
        row.rep_certificate, row.rep_from, row.rep_to, row.dep_name, row.dep_name_folded, row.dep_birth_date,
        *_attributes(keyring, row),
    )  # fmt: skip


def staged_values(keyring: Keyring, import_id: UUID, number: int, row: CheckedRow) -> tuple[Any, ...]:
    """A row of a list made here (a single registration is a list of one person), for `stage`."""
    verdict = "REFUSED" if row.reasons else "GOOD"
    return (import_id, number, verdict, reasons_json(row.reasons), reasons_json(row.warnings), *own_values(keyring, row))


def _attributes(keyring: Keyring, row: CheckedRow) -> tuple[Any, ...]:
    second, phone = row.second_number, row.phone
    return (
        keyring.encrypt("second_number", second) if second else None, keyring.blind("second_number", second) if second else None,
        mask_national_number(second), keyring.encrypt("phone", phone) if phone else None, mask_phone(phone),
        keyring.encrypt("ethnicity", row.ethnicity) if row.ethnicity else None, row.hamlet, row.household_code, row.household_head,
        row.household_relation,
    )  # fmt: skip


def _secret(keyring: Keyring, number: str | None) -> tuple[bytes | None, bytes | None, str | None]:
    if number is None:
        return None, None, None
    return keyring.encrypt("national_number", number), keyring.blind("national_number", number), mask_national_number(number)


def _fingerprint(keyring: Keyring, number: str | None, name: str, birth_date: str | None, sex: str) -> str:
    return keyring.fingerprint(number, comparison_key(name), birth_date, sex)


async def stage(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> int:
    """COPY checked rows into the staging table."""
    return await tx.copy("import_row", (*GENERAL_COLUMNS, *OWN_COLUMNS), rows)


# The same rules at the check and at the application: within the batch, and against the register.
_CONFLICTS: Final = """
WITH r AS MATERIALIZED (
    SELECT r.import_id, r.row_number, r.file_code, r.number_blind, r.name_folded, r.category, r.decision_number, r.from_month,
           least(r.from_month, r.arrears_from) AS first_month, f.seq,
           c.per_dependant, r.percent, r.quantity, r.rep_number_blind, r.rep_name_folded,
           nullif(concat_ws('|', r.dep_name_folded, r.dep_birth_date), '') AS dependant
    FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number)
    JOIN import_row r USING (import_id, row_number)
    JOIN import_file f USING (import_id)
    JOIN benefit_category c ON c.code = r.category
), judged AS (
    SELECT r.*,
           first_value(file_code) OVER n AS number_file, first_value(row_number) OVER n AS number_row,
           first_value(import_id) OVER n AS number_import,
           first_value(number_blind) OVER f AS file_number, first_value(name_folded) OVER f AS file_name,
           lag(row_number) OVER d AS earlier_row
    FROM r
    WINDOW n AS (PARTITION BY coalesce(number_blind, convert_to(import_id || '/' || row_number, 'UTF8')) ORDER BY seq, row_number),
           f AS (PARTITION BY file_code ORDER BY seq, row_number),
           d AS (PARTITION BY file_code, category, CASE WHEN per_dependant THEN concat_ws('|', decision_number, from_month, dependant) END
                 ORDER BY seq, row_number)
)
SELECT j.import_id, j.row_number, CASE
    -- A mistyped digit may be a neighbour's number, who would be appointed to collect.
    WHEN pr.name_folded <> j.rep_name_folded OR pr.person_id IS NULL AND j.rep_number_blind IN (
        SELECT n.blind FROM (SELECT r.number_blind AS blind, r.name_folded AS name FROM r WHERE r.number_blind IS NOT NULL
                             UNION ALL SELECT r.rep_number_blind, r.rep_name_folded FROM r WHERE r.rep_number_blind IS NOT NULL) AS n
        GROUP BY n.blind HAVING min(n.name) <> max(n.name)) THEN 'REP_NUMBER_OTHER_PERSON'
    WHEN j.number_blind IS NOT NULL AND j.number_file <> j.file_code AND j.number_import = j.import_id THEN 'DUPLICATE_NUMBER_FILE'
    WHEN j.number_blind IS NOT NULL AND j.number_file <> j.file_code THEN 'DUPLICATE_NUMBER_REGISTER'
    WHEN pn.is_beneficiary AND pn.file_code IS DISTINCT FROM j.file_code THEN 'DUPLICATE_NUMBER_REGISTER'
    WHEN j.file_number IS DISTINCT FROM j.number_blind OR j.file_number IS NULL AND j.file_name <> j.name_folded
        THEN 'FILE_CODE_OTHER_PERSON'
    WHEN pf.person_id IS NOT NULL AND (pf.number_blind IS DISTINCT FROM j.number_blind
                                       OR pf.number_blind IS NULL AND pf.name_folded <> j.name_folded)
        THEN 'FILE_CODE_OTHER_PERSON'
    WHEN pf.merged_into IS NOT NULL THEN 'MERGED_FILE'
    WHEN pf.status = 'DECEASED' THEN 'DECEASED'
    WHEN j.earlier_row IS NOT NULL THEN 'DUPLICATE_ROW'
    WHEN NOT j.per_dependant AND EXISTS (SELECT 1 FROM entitlement e WHERE e.person_id = pf.person_id AND e.category = j.category
        AND e.until = 'infinity' AND e.decision_number <> j.decision_number) THEN 'ALREADY_ENTITLED'
    -- Ended, but not before the row begins: the months between would be due twice. A decision applied before grants nothing more.
    WHEN NOT j.per_dependant AND EXISTS (SELECT 1 FROM entitlement e WHERE e.person_id = pf.person_id AND e.category = j.category
        AND e.until > j.first_month AND e.until > least(e.from_month, e.arrears_from)) AND NOT EXISTS (SELECT 1 FROM entitlement e
        WHERE e.person_id = pf.person_id AND e.category = j.category AND e.decision_number = j.decision_number) THEN 'ALREADY_ENTITLED'
    WHEN NOT j.per_dependant AND EXISTS (SELECT 1 FROM entitlement e WHERE e.person_id = pf.person_id AND e.category = j.category
        AND e.decision_number = j.decision_number AND (e.percent <> j.percent OR e.quantity <> j.quantity
        OR e.from_month <> j.from_month)) THEN 'ENTITLEMENT_DIFFERS'
    WHEN NOT j.per_dependant AND EXISTS (SELECT 1 FROM decision d WHERE d.person_id = pf.person_id AND d.category = j.category
        AND d.kind = 'GRANT' AND d.state = 'PROPOSED' AND (d.number <> j.decision_number OR d.effective_month <> j.from_month
        OR coalesce(d.percent, 0) <> j.percent OR coalesce(d.quantity, 1) <> j.quantity)) THEN 'GRANT_PROPOSED'
    END AS code,
    CASE WHEN j.number_blind IS NOT NULL AND j.number_file <> j.file_code THEN
              CASE WHEN j.number_import = j.import_id THEN CAST(j.number_row AS text)
                   ELSE (SELECT o.unit_code FROM import_row o WHERE o.import_id = j.number_import AND o.row_number = j.number_row) END
         WHEN pn.is_beneficiary AND pn.file_code IS DISTINCT FROM j.file_code THEN pn.unit_code
         ELSE CAST(j.earlier_row AS text) END AS shown
FROM judged j
LEFT JOIN person pn ON pn.number_blind = j.number_blind
LEFT JOIN person pf ON pf.file_code = j.file_code
LEFT JOIN person pr ON pr.number_blind = j.rep_number_blind
"""

_FIELD: Final = {
    "DUPLICATE_NUMBER_FILE": "number",
    "DUPLICATE_NUMBER_REGISTER": "number",
    "DUPLICATE_ROW": "category",
    "ALREADY_ENTITLED": "category",
    "GRANT_PROPOSED": "category",
    "ENTITLEMENT_DIFFERS": "decision_number",
    "REP_NUMBER_OTHER_PERSON": "rep_number",
}


async def conflicts(tx: Tx, imports: Sequence[UUID], rows: Sequence[int]) -> list[tuple[UUID, int, Reason]]:
    """Rows of the batch that clash with an earlier row or with the register, and why. The earliest row wins."""
    found = await tx.rows(
        f"SELECT * FROM ({_CONFLICTS}) x WHERE code IS NOT NULL",
        imports=list(imports),
        rows=list(rows),
    )
    return [
        (row["import_id"], row["row_number"], reason(row["code"], _FIELD.get(row["code"], "file_code"), row["shown"] or ""))
        for row in found
    ]


async def number_dependants(tx: Tx, import_id: UUID) -> None:
    """Number the rows of allowances paid per dependant, so that two children under one decision are two entitlements."""
    await tx.execute(
        "UPDATE import_row r SET ordinal = x.n FROM ("
        "   SELECT r.row_number, row_number() OVER (PARTITION BY r.file_code, r.category, r.decision_number ORDER BY r.row_number) AS n"
        "   FROM import_row r JOIN benefit_category c ON c.code = r.category"
        "   WHERE r.import_id = :id AND r.verdict = 'GOOD' AND c.per_dependant AND r.dep_name IS NULL AND r.dep_birth_date IS NULL) x"
        " WHERE r.import_id = :id AND r.row_number = x.row_number AND x.n > 1",
        id=import_id,
    )


async def next_rows(tx: Tx, imports: Sequence[UUID], most: int) -> Sequence[Any]:
    """The next good rows of approved imports, in the order received, at most `most`. Only the imports next in turn are read."""
    return await tx.rows(
        "WITH f AS MATERIALIZED (SELECT import_id, seq, business_date FROM ("
        "    SELECT import_id, seq, business_date, sum(open) OVER (ORDER BY business_date, seq) - open AS before"
        "    FROM (SELECT *, rows_good - rows_applied - rows_unchanged AS open FROM import_file"
        "          WHERE import_id = ANY(CAST(:ids AS uuid[])) AND state = 'APPROVED') o) x WHERE before < :most)"
        " SELECT r.import_id, r.row_number, f.business_date FROM f CROSS JOIN LATERAL (SELECT import_id, row_number FROM import_row"
        "   WHERE import_id = f.import_id AND verdict = 'GOOD' ORDER BY import_id, row_number LIMIT :most) r"
        " ORDER BY f.business_date, f.seq, r.row_number LIMIT :most",
        ids=list(imports),
        most=most,
    )


# A row sent later is the waiting one corrected: the same dossier and allowance, or, without a dossier code, the same name and birth date.
SAME_ROW: Final = (
    "(w.file_code = a.file_code AND w.file_code <> '' AND (w.category = a.category OR w.category = '')"
    " OR w.file_code = '' AND w.name_folded = a.name_folded AND w.birth_date = a.birth_date)"
)


async def changes_money(tx: Tx, import_id: UUID, more_than: int) -> bool:
    """Whether a checked list grants something new, names who collects, or has more than so many good rows."""
    return bool(
        await tx.value(
            "SELECT count(*) > :most OR bool_or(r.rep_full_name IS NOT NULL OR NOT EXISTS (SELECT FROM person p JOIN entitlement e"
            "   USING (person_id) WHERE p.file_code = r.file_code AND e.category = r.category AND e.decision_number = r.decision_number"
            "   AND e.ordinal = r.ordinal))"
            " FROM import_row r WHERE r.import_id = :id AND r.verdict = 'GOOD'",
            id=import_id,
            most=more_than,
        )
    )


async def drop_candidates(tx: Tx, import_id: UUID) -> bool:
    """Forget open duplicate candidates that name rows of this list; False when one was decided."""
    await tx.execute(
        "DELETE FROM duplicate_candidate c WHERE import_id = :id AND state = 'OPEN'"
        " AND NOT EXISTS (SELECT FROM duplicate_decision d WHERE d.candidate_id = c.candidate_id)",
        id=import_id,
    )
    return await tx.value("SELECT 1 FROM duplicate_candidate WHERE import_id = :id LIMIT 1", id=import_id) is None
