"""Reading what was known when: one record, its versions, a person's whole dossier. The rules of areas hold here too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Database, Tx
from common.problems import NotFound
from registry.domain.history import Known, Version, as_shown, changes, known
from registry.storage import history as storage

__all__ = ["Record", "dossier", "kinds", "record_on", "versions_of"]

PUBLIC: Final = frozenset({
    "administrative_unit", "beneficiary_group", "benefit_standard", "benefit_category", "category_coefficient", "category_amount",
    "policy_setting", "stacking_rule", "category_step", "category_group_condition", "category_exclusion", "provincial_top_up",
    "one_off_rule", "deciding_authority",
})  # fmt: skip
"""Law and units: nobody's personal data, so not limited to an area."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record on a day as known on a day, ready to be shown."""

    kind: str
    key: str
    known: Known
    state: dict[str, Any] | None
    who: dict[str, Any]


async def kinds(db: Database, actor: Actor) -> list[str]:
    """The kinds of records whose history is kept."""
    async with db.read(actor) as tx:
        return await storage.kinds(tx)


async def _seen(tx: Tx, actor: Actor, kind: str, key: str) -> tuple[list[Version], list[str]]:
    """The versions of a record in the caller's area, and its secret columns; NotFound for anything else."""
    hidden = await storage.hidden_fields(tx, kind)
    versions = await storage.versions(tx, kind, key) if hidden is not None else []
    last = next((version.state for version in reversed(versions) if version.state is not None), None)
    if hidden is None or last is None:
        raise NotFound("No such record")
    if kind not in PUBLIC and not actor.everywhere:
        path = await storage.unit_of_state(tx, dict(last))
        if path is None or not actor.sees(path):
            raise NotFound("No such record")
    return versions, hidden


def _record(
    kind: str, key: str, versions: Sequence[Version], hidden: Sequence[str], who: dict[int, Any], as_of: date, known_on: date
) -> Record | None:
    found = known(kind, versions, as_of, known_on)
    if found is None:
        return None
    shown = as_shown(found.state, hidden, personal=kind not in PUBLIC) if found.state is not None else None
    return Record(kind, key, found, shown, who.get(found.version.seq, {}))


async def record_on(db: Database, actor: Actor, kind: str, key: str, as_of: date, known_on: date) -> Record:
    """One record as it was on `as_of`, as known on `known_on`. NotFound when nothing was known of it by then."""
    async with db.read(actor) as tx:
        versions, hidden = await _seen(tx, actor, kind, key)
        record = _record(kind, key, versions, hidden, await storage.who(tx, kind, key), as_of, known_on)
    if record is None:
        raise NotFound("Nothing was known of this record on that day")
    return record


async def versions_of(db: Database, actor: Actor, kind: str, key: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Who changed what, in order: at most `limit` versions after a sequence number."""
    async with db.read(actor) as tx:
        versions, hidden = await _seen(tx, actor, kind, key)
        who = await storage.who(tx, kind, key)
    items: list[dict[str, Any]] = []
    before: Version | None = None
    for version in versions:
        if version.seq > after and len(items) < limit:
            items.append(
                {
                    "seq": version.seq, "change": version.op, "recorded_at": version.recorded_at, "known_on": version.known_on,
                    "effective_on": version.effective_on, "changed_by": None, "request_id": None, "action": None,
                    "changes": changes(before.state if before else None, version.state, hidden, personal=kind not in PUBLIC),
                }
                | who.get(version.seq, {})
            )  # fmt: skip
        before = version
    return items


async def dossier(db: Database, actor: Actor, person_id: UUID, as_of: date, known_on: date) -> list[Record]:
    """Everything that was known on a day about a person on a day, record by record; the person first."""
    async with db.read(actor) as tx:
        await _seen(tx, actor, "person", str(person_id))
        found = []
        for row in await storage.records_of(tx, person_id):
            kind, key = row["kind"], row["record_key"]
            hidden = await storage.hidden_fields(tx, kind) or []
            versions = await storage.versions(tx, kind, key)
            record = _record(kind, key, versions, hidden, await storage.who(tx, kind, key), as_of, known_on)
            if record is not None and record.state is not None:
                found.append(record)
    if not any(record.kind == "person" for record in found):
        raise NotFound("Nothing was known of this person on that day")
    return sorted(found, key=lambda record: (record.kind != "person", record.kind, record.key))
