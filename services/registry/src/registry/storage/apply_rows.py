"""Turning staged rows into people, representatives, entitlements and preferences: a batch at a time, all in SQL.

Every statement works on the same batch, given as two arrays (import id, row number). The caller holds the people lock and
has refused the rows that clash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from common.lists.storage import reasons_json
from registry.domain.reasons import reason
from registry.storage import people, row_households

__all__ = ["Applied", "apply_rows"]

_BATCH: Final = """
    FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number)
    JOIN import_row r USING (import_id, row_number)
    JOIN import_file f USING (import_id)
"""

# Somebody known only as a representative until now becomes a beneficiary: same number, same person.
_PROMOTE: Final = f"""
UPDATE person p SET is_beneficiary = true, file_code = s.file_code, full_name = s.full_name, name_folded = s.name_folded,
       birth_date = s.birth_date, sex = s.sex, address = s.address, unit_code = s.unit_code, unit_path = s.unit_path,
       programmes = ARRAY[s.programme], identity_fingerprint = s.identity_fingerprint, version = p.version + 1, updated_at = now()
FROM (SELECT DISTINCT ON (r.number_blind) r.*, f.programme {_BATCH} WHERE r.number_blind IS NOT NULL
      ORDER BY r.number_blind, f.seq, r.row_number) s
WHERE p.number_blind = s.number_blind AND NOT p.is_beneficiary
RETURNING p.person_id
"""

_INSERT: Final = f"""
INSERT INTO person (file_code, is_beneficiary, full_name, name_folded, birth_date, sex, national_number, number_blind, masked_number,
                    address, unit_code, unit_path, programmes, identity_fingerprint, second_number, second_blind, masked_second_number,
                    phone, masked_phone, ethnicity, hamlet, created_by)
SELECT DISTINCT ON (r.file_code) r.file_code, true, r.full_name, r.name_folded, r.birth_date, r.sex, r.national_number,
       r.number_blind, r.masked_number, r.address, r.unit_code, r.unit_path, ARRAY[f.programme], r.identity_fingerprint, r.second_number,
       r.second_blind, r.masked_second_number, r.phone, r.masked_phone, r.ethnicity, r.hamlet, f.created_by
{_BATCH}
WHERE NOT EXISTS (SELECT 1 FROM person p WHERE p.file_code = r.file_code)
ORDER BY r.file_code, f.seq, r.row_number
RETURNING person_id
"""

# What is not known yet of a person is completed; what is known is never overwritten by a list.
_COMPLETE: Final = f"""
UPDATE person p SET second_number = coalesce(p.second_number, s.second_number), second_blind = coalesce(p.second_blind, s.second_blind),
       masked_second_number = coalesce(p.masked_second_number, s.masked_second_number), phone = coalesce(p.phone, s.phone),
       masked_phone = coalesce(p.masked_phone, s.masked_phone), ethnicity = coalesce(p.ethnicity, s.ethnicity),
       hamlet = coalesce(p.hamlet, s.hamlet), updated_at = now()
FROM (SELECT DISTINCT ON (r.person_id) r.* {_BATCH}
      WHERE coalesce(r.masked_second_number, r.masked_phone, r.hamlet) IS NOT NULL OR r.ethnicity IS NOT NULL
      ORDER BY r.person_id, f.seq, r.row_number) s
WHERE p.person_id = s.person_id AND (p.second_blind IS NULL AND s.second_blind IS NOT NULL OR p.phone IS NULL AND s.phone IS NOT NULL
      OR p.ethnicity IS NULL AND s.ethnicity IS NOT NULL OR p.hamlet IS NULL AND s.hamlet IS NOT NULL)
"""

_HAS: Final = f"""
SELECT bool_or(coalesce(r.masked_second_number, r.masked_phone, r.hamlet) IS NOT NULL OR r.ethnicity IS NOT NULL) AS attributes,
       bool_or(r.dep_name IS NOT NULL OR r.dep_birth_date IS NOT NULL) AS dependants,
       bool_or(r.rep_full_name IS NOT NULL) AS representatives, bool_or(r.household_code IS NOT NULL) AS households
{_BATCH}
"""

_LINK: Final = """
UPDATE import_row r SET person_id = p.person_id, verdict = 'APPLIED'
FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number), person p
WHERE r.import_id = b.import_id AND r.row_number = b.row_number AND p.file_code = r.file_code
RETURNING r.person_id
"""

_INSERT_REPRESENTATIVES: Final = f"""
INSERT INTO person (is_beneficiary, full_name, name_folded, birth_date, sex, national_number, number_blind, masked_number,
                    unit_code, unit_path, identity_fingerprint, created_by)
SELECT DISTINCT ON (r.rep_number_blind) false, r.rep_full_name, r.rep_name_folded, r.rep_birth_date, r.rep_sex, r.rep_national_number,
       r.rep_number_blind, r.rep_masked_number, r.unit_code, r.unit_path, r.rep_fingerprint, f.created_by
{_BATCH}
WHERE r.rep_number_blind IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person p WHERE p.number_blind = r.rep_number_blind)
ORDER BY r.rep_number_blind, f.seq, r.row_number
"""

# Without a number a representative is known by name and birth date, for this beneficiary only: the id follows from them.
_REPRESENTATIVE_ID: Final = (
    "CAST(md5(concat_ws('|', 'representative', r.person_id, r.rep_name_folded, coalesce(r.rep_birth_date, ''))) AS uuid)"
)
_INSERT_UNNUMBERED: Final = f"""
INSERT INTO person (person_id, is_beneficiary, full_name, name_folded, birth_date, sex, unit_code, unit_path, identity_fingerprint,
                    created_by)
SELECT DISTINCT ON (1) {_REPRESENTATIVE_ID}, false, r.rep_full_name, r.rep_name_folded, r.rep_birth_date, r.rep_sex, r.unit_code,
       r.unit_path, r.rep_fingerprint, f.created_by
{_BATCH}
WHERE r.rep_full_name IS NOT NULL AND r.rep_number_blind IS NULL
ORDER BY 1, f.seq, r.row_number
ON CONFLICT (person_id) DO NOTHING
"""

_LINK_REPRESENTATIVES: Final = f"""
UPDATE import_row r SET rep_person_id =
       coalesce((SELECT p.person_id FROM person p WHERE p.number_blind = r.rep_number_blind), {_REPRESENTATIVE_ID})
FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number)
WHERE r.import_id = b.import_id AND r.row_number = b.row_number AND r.rep_full_name IS NOT NULL
"""

# An authorisation lasts the months of the setting at most (the day of the last month that corresponds to its first day included, Civil
# Code 2015 Art. 148). A paper known already keeps its end unless the list says another. Who was revoked stays revoked: only a paper
# that begins after that, and after the one before, appoints them anew.
_APPOINT: Final = f"""
INSERT INTO representative AS t (beneficiary_id, representative_id, kind, certificate_number, valid_from, valid_to, appointed_by)
SELECT x.person_id, x.rep_person_id, x.rep_kind, x.rep_certificate, x.begins,
       CASE WHEN x.rep_to IS NULL AND (k.kind, k.valid_from) = (x.rep_kind, x.begins)
                 AND k.certificate_number IS NOT DISTINCT FROM x.rep_certificate AND k.valid_to IS NOT NULL THEN k.valid_to
            WHEN x.rep_kind = 'AUTHORISED' THEN least(x.rep_to, x.longest) ELSE x.rep_to END, x.created_by
FROM (SELECT DISTINCT ON (r.person_id, r.rep_person_id) r.*, f.created_by, coalesce(r.rep_from, r.decision_date) AS begins,
             CAST(coalesce(r.rep_from, r.decision_date) + make_interval(months => (SELECT CAST(value AS integer) FROM policy_setting
                 WHERE code = 'REPRESENTATIVE_MAX_MONTHS')) AS date) AS longest
      {_BATCH}
      WHERE r.rep_person_id IS NOT NULL AND r.rep_person_id <> r.person_id
      ORDER BY r.person_id, r.rep_person_id, f.seq DESC, r.row_number DESC) x
LEFT JOIN representative k ON k.beneficiary_id = x.person_id AND k.representative_id = x.rep_person_id
ON CONFLICT (beneficiary_id, representative_id) DO UPDATE SET kind = excluded.kind, certificate_number = excluded.certificate_number,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to, appointed_by = excluded.appointed_by, version = t.version + 1,
    appointed_at = CASE WHEN t.revoked_on IS NULL THEN t.appointed_at ELSE now() END, revoked_on = NULL, revoked_why = NULL
WHERE (t.kind, t.certificate_number, t.valid_from, t.valid_to)
      IS DISTINCT FROM (excluded.kind, excluded.certificate_number, excluded.valid_from, excluded.valid_to)
  AND (t.revoked_on IS NULL OR excluded.valid_from >= t.revoked_on AND excluded.valid_from > t.valid_from)
RETURNING beneficiary_id, representative_id
"""

_STILL_REVOKED: Final = """
UPDATE import_row r SET warnings = r.warnings || CAST(:warning AS jsonb)
FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number), representative t
WHERE r.import_id = b.import_id AND r.row_number = b.row_number AND t.beneficiary_id = r.person_id
  AND t.representative_id = r.rep_person_id AND t.revoked_on IS NOT NULL
"""

# For whom an allowance paid per dependant is: a record of their own, known by name and birth date, for this beneficiary only.
_DEPENDANT_ID: Final = "CAST(md5(concat_ws('|', 'dependant', r.person_id, r.dep_name_folded, coalesce(r.dep_birth_date, ''))) AS uuid)"
_PER_DEPENDANT: Final = f"""
{_BATCH}
JOIN benefit_category c ON c.code = r.category AND c.per_dependant
WHERE (r.dep_name IS NOT NULL OR r.dep_birth_date IS NOT NULL)
"""
_INSERT_DEPENDANTS: Final = f"""
INSERT INTO person (person_id, is_beneficiary, full_name, name_folded, birth_date, sex, unit_code, unit_path, identity_fingerprint,
                    created_by)
SELECT DISTINCT ON (1) {_DEPENDANT_ID}, false, r.dep_name, r.dep_name_folded, r.dep_birth_date, 'UNKNOWN', r.unit_code, r.unit_path,
       md5(concat_ws('|', r.person_id, r.dep_name_folded, r.dep_birth_date)), f.created_by
{_PER_DEPENDANT} AND r.dep_name IS NOT NULL
ORDER BY 1, f.seq, r.row_number
ON CONFLICT (person_id) DO NOTHING
"""

# A dependant keeps the number of the entitlement it has under the decision; a new one gets the next.
_NUMBER_DEPENDANTS: Final = f"""
UPDATE import_row t SET dependant_id = x.dependant_id,
       ordinal = coalesce(x.known, x.last + x.place)
FROM (SELECT r.import_id, r.row_number, CASE WHEN r.dep_name IS NOT NULL THEN {_DEPENDANT_ID} END AS dependant_id, k.ordinal AS known,
             l.last, row_number() OVER (PARTITION BY r.person_id, r.category, r.decision_number, k.ordinal IS NULL
                                        ORDER BY f.seq, r.row_number) AS place
      {_BATCH}
      JOIN benefit_category c ON c.code = r.category AND c.per_dependant
      LEFT JOIN LATERAL (SELECT e.ordinal FROM entitlement e WHERE e.person_id = r.person_id AND e.category = r.category
          AND e.decision_number = r.decision_number AND CASE WHEN r.dep_name IS NULL THEN e.dependant_birth_date = r.dep_birth_date
          ELSE e.dependant_id = {_DEPENDANT_ID} END LIMIT 1) k ON true
      LEFT JOIN LATERAL (SELECT coalesce(max(e.ordinal), 0) AS last FROM entitlement e WHERE e.person_id = r.person_id
          AND e.category = r.category AND e.decision_number = r.decision_number) l ON true
      WHERE r.dep_name IS NOT NULL OR r.dep_birth_date IS NOT NULL) x
WHERE t.import_id = x.import_id AND t.row_number = x.row_number
"""

# Rows that said what the register holds: nothing new about the person, who collects, or what is granted.
_UNCHANGED: Final = """
UPDATE import_row r SET verdict = 'UNCHANGED'
FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[])) AS b(import_id, row_number)
WHERE r.import_id = b.import_id AND r.row_number = b.row_number AND r.person_id <> ALL(CAST(:changed AS uuid[]))
  AND NOT EXISTS (SELECT FROM entitlement e WHERE e.person_id = r.person_id AND e.category = r.category
                  AND e.decision_number = r.decision_number AND e.ordinal = r.ordinal AND e.import_id = r.import_id)
"""

# Who decided follows from programme, date and unit: looked up once for each of these, not once a row.
_ENTITLE: Final = f"""
WITH b AS MATERIALIZED (
    SELECT r.*, f.seq, c.programme, c.funding_source, c.per_dependant, c.benefit_line, p.unit_path AS home
    {_BATCH}
    JOIN benefit_category c ON c.code = r.category
    JOIN person p ON p.person_id = r.person_id
), a AS MATERIALIZED (
    SELECT k.programme, k.decision_date, k.home, d.authority, d.authority_path
    FROM (SELECT DISTINCT programme, decision_date, home FROM b) k
    LEFT JOIN LATERAL deciding_authority_of(k.programme, k.decision_date, k.home) d ON true
)
INSERT INTO entitlement (person_id, programme, funding_source, category, percent, per_dependant, ordinal, benefit_line, decision_number,
                         decision_date, from_month, arrears_from, import_id, dependant_id, dependant_birth_date, authority, authority_path,
                         quantity)
SELECT b.person_id, b.programme, b.funding_source, b.category, b.percent, b.per_dependant, b.ordinal, b.benefit_line,
       b.decision_number, b.decision_date, b.from_month, b.arrears_from, b.import_id,
       b.dependant_id, CASE WHEN b.per_dependant THEN b.dep_birth_date END, a.authority, a.authority_path, b.quantity
FROM b JOIN a USING (programme, decision_date, home)
ORDER BY b.seq, b.row_number
ON CONFLICT DO NOTHING
RETURNING entitlement_id
"""

_PREFER: Final = f"""
INSERT INTO preference AS t (person_id, preference, recorded_on, evidence, source, recorded_by)
SELECT DISTINCT ON (r.person_id) r.person_id, r.preference, f.business_date, f.file_name,
       CASE f.file_name WHEN 'api' THEN 'OFFICE' ELSE 'LIST' END, f.created_by
{_BATCH}
ORDER BY r.person_id, (r.preference = 'UNKNOWN'), f.seq DESC, r.row_number DESC
ON CONFLICT (person_id) DO UPDATE SET preference = excluded.preference, recorded_on = excluded.recorded_on, evidence = excluded.evidence,
    source = excluded.source, recorded_by = excluded.recorded_by, version = t.version + 1
WHERE t.preference <> excluded.preference AND excluded.preference <> 'UNKNOWN'
RETURNING person_id
"""

# Programmes follow the entitlements; a person already registered gets a new version when they change.
_PROGRAMMES: Final = """
UPDATE person p SET programmes = s.programmes, updated_at = now(),
       version = CASE WHEN p.person_id = ANY(CAST(:fresh AS uuid[])) THEN p.version ELSE p.version + 1 END
FROM (SELECT e.person_id, array_agg(DISTINCT e.programme ORDER BY e.programme) AS programmes
      FROM entitlement e WHERE e.person_id = ANY(CAST(:ids AS uuid[])) GROUP BY e.person_id) s
WHERE p.person_id = s.person_id AND p.programmes <> s.programmes
RETURNING p.person_id
"""


@dataclass(slots=True)
class Applied:
    """What a batch changed, for events and dues."""

    people: list[UUID] = field(default_factory=list)
    """Everybody the batch names."""
    registered: list[UUID] = field(default_factory=list)
    updated: list[UUID] = field(default_factory=list)
    representatives: list[tuple[UUID, UUID]] = field(default_factory=list)
    entitlements: list[UUID] = field(default_factory=list)
    preferences: list[UUID] = field(default_factory=list)
    housed: list[UUID] = field(default_factory=list)
    """Who joined a household."""


async def _represent(tx: Tx, batch: dict[str, Any], *, proposed: bool) -> list[tuple[UUID, UUID]]:
    await tx.execute(_INSERT_REPRESENTATIVES, **batch)
    await tx.execute(_INSERT_UNNUMBERED, **batch)
    await tx.execute(_LINK_REPRESENTATIVES, **batch)
    if proposed:
        return []
    appointed = await tx.rows(_APPOINT, **batch)
    await tx.execute(_STILL_REVOKED, warning=reasons_json([reason("REP_REVOKED", "rep_name")]), **batch)
    return [(row["beneficiary_id"], row["representative_id"]) for row in appointed]


async def apply_rows(tx: Tx, imports: Sequence[UUID], rows: Sequence[int], *, proposed: bool = False) -> Applied:
    """Apply one batch of good rows. The order matters: people, then who represents them, then what they hold.

    `proposed`: who represents them and what they hold is left to a second person.
    """
    batch: dict[str, Any] = {"imports": list(imports), "rows": list(rows)}
    done = Applied()
    if not batch["rows"]:
        return done
    promoted = [row["person_id"] for row in await tx.rows(_PROMOTE, **batch)]
    done.registered = list(promoted)
    done.registered += [row["person_id"] for row in await tx.rows(_INSERT, **batch)]
    done.people = list(dict.fromkeys(row["person_id"] for row in await tx.rows(_LINK, **batch)))
    has = await tx.row(_HAS, **batch)
    assert has is not None
    if has["attributes"]:
        await tx.execute(_COMPLETE, **batch)
    if has["dependants"]:
        await tx.execute(_INSERT_DEPENDANTS, **batch)
        await tx.execute(_NUMBER_DEPENDANTS, **batch)
    if has["households"]:
        done.housed = await row_households.link(tx, batch)
    appointed = await _represent(tx, batch, proposed=proposed) if has["representatives"] else []
    done.representatives = list(dict.fromkeys([*appointed, *(await people.say_again(tx, promoted) if promoted else [])]))
    if not proposed:
        done.entitlements = [row["entitlement_id"] for row in await tx.rows(_ENTITLE, **batch)]
    done.preferences = [row["person_id"] for row in await tx.rows(_PREFER, **batch)]
    changed = await tx.rows(_PROGRAMMES, ids=done.people, fresh=done.registered)
    fresh = set(done.registered)
    done.updated = [row["person_id"] for row in changed if row["person_id"] not in fresh]
    if len(fresh) < len(done.people) and not proposed:
        touched = {*fresh, *done.updated, *done.preferences, *done.housed, *(one for one, _ in done.representatives)}
        await tx.execute(_UNCHANGED, changed=list(touched), **batch)
    return done
