"""Events about people: full state per part, built in SQL; national numbers sealed in Python, once per consumer and event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common import outbox
from common.contracts.registry_v1 import BeneficiaryState, EntitlementState, PreferenceRecorded, RepresentativeState
from common.db import Tx
from common.ids import new_id
from common.sealing import Keyring
from registry.storage import history

__all__ = [
    "CONSUMERS", "COUNTER", "TELLER", "publish_entitlements", "publish_people", "publish_preferences", "publish_representatives",
    "take_people_lock",
]  # fmt: skip

CONSUMERS: Final = ("identity-verify", "accounts")
"""Services that may open a national number in our events."""

TELLER: Final = "disbursement"
"""Opens a phone number, to tell people of their payments."""
COUNTER: Final = "disbursement"
"""Finds people by their number at the counter, by a keyed index; the number itself it never gets."""

_PEOPLE_LOCK: Final = 7_210_001

_PEOPLE: Final = """
SELECT p.person_id AS key, x.event_id, x.type,
       json_build_object('version', p.version, 'business_date', CAST(:as_of AS date), 'beneficiary_id', p.person_id,
           'file_code', p.file_code, 'full_name', p.full_name, 'birth_date', p.birth_date, 'sex', p.sex, 'unit_code', p.unit_code,
           'unit_path', p.unit_path, 'programmes', p.programmes, 'status', p.status, 'death_date', p.death_date,
           'national_number', CAST(x.sealed AS json), 'identity_fingerprint', p.identity_fingerprint,
           'phone', CAST(x.phone AS json), 'number_index', CAST(x.number_index AS json),
           'merged_into', p.merged_into, 'unresolved_duplicate', EXISTS (SELECT FROM duplicate_candidate d WHERE d.b_id = p.person_id
               AND d.strong AND d.state IN ('OPEN', 'CONFIRMED', 'UNDONE'))) AS body
FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:event_ids AS uuid[]), CAST(:sealed AS text[]), CAST(:phones AS text[]),
            CAST(:indexes AS text[]))
     WITH ORDINALITY AS x(person_id, type, event_id, sealed, phone, number_index, n)
JOIN person p USING (person_id) ORDER BY x.n
"""

_REPRESENTATIVES: Final = """
SELECT r.beneficiary_id AS key, x.event_id,
       CASE WHEN r.revoked_on IS NULL THEN 'RepresentativeAppointed' ELSE 'RepresentativeRevoked' END AS type,
       json_build_object('version', r.version, 'business_date', CAST(:as_of AS date), 'beneficiary_id', r.beneficiary_id,
           'representative_id', r.representative_id, 'kind', r.kind, 'full_name', p.full_name, 'birth_date', p.birth_date, 'sex', p.sex,
           'national_number', CAST(x.sealed AS json), 'identity_fingerprint', p.identity_fingerprint,
           'unit_code', b.unit_code, 'unit_path', b.unit_path, 'valid_from', r.valid_from, 'valid_to', r.valid_to,
           'certificate_number', r.certificate_number, 'revoked_on', r.revoked_on, 'programmes', r.programmes,
           'basis', r.basis) AS body
FROM unnest(CAST(:ids AS uuid[]), CAST(:others AS uuid[]), CAST(:event_ids AS uuid[]), CAST(:sealed AS text[]))
     WITH ORDINALITY AS x(beneficiary_id, representative_id, event_id, sealed, n)
JOIN representative r USING (beneficiary_id, representative_id)
JOIN person p ON p.person_id = r.representative_id
JOIN person b ON b.person_id = r.beneficiary_id ORDER BY x.n
"""

_ENTITLEMENTS: Final = """
SELECT e.person_id AS key, uuidv7() AS event_id, :type AS type,
       json_build_object('version', e.version, 'business_date', CAST(:as_of AS date), 'beneficiary_id', e.person_id,
           'entitlement_id', e.entitlement_id, 'programme', e.programme, 'funding_source', e.funding_source, 'benefit_line', e.benefit_line,
           'decision_number', e.decision_number, 'decision_date', e.decision_date, 'from_month', to_char(e.from_month, 'YYYY-MM'),
           'to_month', CASE WHEN e.until < 'infinity' THEN to_char(e.until - 1, 'YYYY-MM') END, 'status', e.status,
           'unit_code', p.unit_code, 'unit_path', p.unit_path) AS body
FROM unnest(CAST(:ids AS uuid[])) AS x(entitlement_id)
JOIN entitlement e USING (entitlement_id) JOIN person p ON p.person_id = e.person_id
"""

_PREFERENCES: Final = """
SELECT f.person_id AS key, uuidv7() AS event_id,
       json_build_object('version', f.version, 'business_date', CAST(:as_of AS date), 'beneficiary_id', f.person_id,
           'preference', f.preference, 'recorded_on', f.recorded_on, 'evidence', f.evidence,
           'unit_code', p.unit_code, 'unit_path', p.unit_path) AS body
FROM unnest(CAST(:ids AS uuid[])) AS x(person_id)
JOIN preference f USING (person_id) JOIN person p USING (person_id)
"""


@dataclass
class _Seals:
    """Event ids, and JSON texts of what is sealed for each event."""

    event_ids: list[UUID]
    numbers: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)


async def take_people_lock(tx: Tx) -> None:
    """One writer of people at a time: duplicates are then judged against everything committed before.

    Plans are made for the actual array sizes: a generic plan expects ten rows and joins twelve thousand by nested loops.
    """
    await tx.execute(f"SELECT pg_advisory_xact_lock({_PEOPLE_LOCK})")
    await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")


async def _seals(tx: Tx, keyring: Keyring, person_ids: Sequence[UUID]) -> _Seals:
    """What our events carry sealed, in the order of `person_ids`."""
    rows = await tx.rows(
        "SELECT p.national_number, p.phone FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS x(person_id, n)"
        " JOIN person p USING (person_id) ORDER BY n",
        ids=list(person_ids),
    )
    made = _Seals([new_id() for _ in rows])
    for row, event_id in zip(rows, made.event_ids, strict=True):
        number: str | None = None
        if row["national_number"] is not None:
            number = keyring.decrypt("national_number", row["national_number"])
        made.numbers.append(_sealed(keyring, CONSUMERS, event_id, "national_number", number))
        made.indexes.append(_json({COUNTER: keyring.lookup(COUNTER, "national_number", number)} if number else {}))
        phone = keyring.decrypt("phone", row["phone"]) if row["phone"] is not None else None
        made.phones.append(_sealed(keyring, (TELLER,), event_id, "phone", phone))
    return made


def _json(tokens: dict[str, str]) -> str:
    return orjson.dumps(tokens).decode()


def _sealed(keyring: Keyring, consumers: Sequence[str], event_id: UUID, field_name: str, value: str | None) -> str:
    """JSON text of the tokens, `{}` for a person without the value."""
    return _json({name: keyring.seal(name, event_id, field_name, value) for name in consumers} if value else {})


async def publish_people(tx: Tx, keyring: Keyring, people: Sequence[tuple[UUID, str]], as_of: date) -> None:
    """Publish the full state of people; each pair is (person id, event type). Versions stand in the rows already."""
    if not people:
        return
    await history.dated(tx, as_of)
    ids = [person_id for person_id, _ in people]
    seals = await _seals(tx, keyring, ids)
    params: dict[str, Any] = {
        "ids": ids, "types": [kind for _, kind in people], "event_ids": seals.event_ids, "sealed": seals.numbers, "phones": seals.phones,
        "indexes": seals.indexes, "as_of": as_of,
    }  # fmt: skip
    await outbox.insert_select(tx, BeneficiaryState, _PEOPLE, typed=True, **params)


async def publish_representatives(tx: Tx, keyring: Keyring, pairs: Sequence[tuple[UUID, UUID]], as_of: date) -> None:
    """Publish the full state of representatives; each pair is (beneficiary id, representative id)."""
    if not pairs:
        return
    await history.dated(tx, as_of)
    others = [other for _, other in pairs]
    seals = await _seals(tx, keyring, others)
    params: dict[str, Any] = {
        "ids": [one for one, _ in pairs],
        "others": others,
        "event_ids": seals.event_ids,
        "sealed": seals.numbers,
        "as_of": as_of,
    }
    await outbox.insert_select(tx, RepresentativeState, _REPRESENTATIVES, typed=True, **params)


async def publish_entitlements(tx: Tx, ids: Sequence[UUID], as_of: date, event_type: str = "EntitlementGranted") -> None:
    """Publish the full state of entitlements."""
    if ids:
        await history.dated(tx, as_of)
        await outbox.insert_select(tx, EntitlementState, _ENTITLEMENTS, typed=True, ids=list(ids), as_of=as_of, type=event_type)


async def publish_preferences(tx: Tx, ids: Sequence[UUID], as_of: date) -> None:
    """Publish the preferences of people."""
    if ids:
        await history.dated(tx, as_of)
        await outbox.insert_select(tx, PreferenceRecorded, _PREFERENCES, ids=list(ids), as_of=as_of)
