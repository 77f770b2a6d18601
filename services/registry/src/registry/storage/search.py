"""Lists of beneficiaries and the search by the beginning of a name: bounded work for any prefix, area and filter that is common or rare.

Two orders, each of which one index gives, so that a page is read and not sorted:

* without a name: by unit and id, which makes every subtree one range;
* with a name: by the tail of the folded name that begins with what was typed (`name_tail`), then by hash.

An area of few people is better searched by walking its people than by walking all namesakes of the province: it is looked up first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["SMALL_AREA", "Wanted", "areas", "inside", "page"]

SMALL_AREA: Final = 10_000
"""Up to so many people an area is walked person by person."""

_VIEW: Final = (
    "p.person_id, p.file_code, p.full_name, p.birth_date, p.sex, p.masked_number, p.address, p.unit_code, p.unit_path, p.programmes,"
    " p.status, p.death_date, p.version, p.no_number_reason, f.preference"
)
# The leftmost tail of the name that begins with what was typed: a person with two such parts is listed once.
_TAIL: Final = "substr(p.name_folded, strpos(' ' || p.name_folded, ' ' || :name))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; None is no condition. `name` is folded, `group_on` the date on which a group counts."""

    unit_path: str | None = None
    programme: str | None = None
    status: str | None = None
    preference: str | None = None
    group: str | None = None
    group_on: Any = None
    has_number: bool | None = None
    no_number_reason: str | None = None
    file_code: str | None = None
    hamlet: str | None = None
    number_blind: bytes | None = None
    second_blind: bytes | None = None
    name: str | None = None


_CONDITIONS: Final[dict[str, str]] = {
    "programme": ":programme = ANY(p.programmes)",
    "status": "p.status = :status",
    "preference": "coalesce(f.preference, 'UNKNOWN') = :preference",
    "no_number_reason": "p.no_number_reason = :no_number_reason",
    "file_code": "p.file_code = :file_code",
    "hamlet": "p.hamlet = :hamlet",
    "number_blind": "p.number_blind = :number_blind",
    "second_blind": "p.second_blind = :second_blind",
}
_GROUP: Final = (
    "EXISTS (SELECT 1 FROM person_in_group g WHERE g.person_id = p.person_id AND g.group_code = :group"
    " AND g.from_date <= :group_on AND coalesce(g.to_date, 'infinity') >= :group_on)"
)


def areas(actor: Actor, unit_path: str | None) -> list[str] | None:
    """The disjoint subtrees to look at: the actor's scope within the unit asked for. None is everything, empty is nothing."""
    if actor.everywhere:
        return None if unit_path is None else [unit_path]
    if unit_path is not None and actor.sees(unit_path):
        return [unit_path]
    scopes = [path for path in set(actor.unit_paths) if unit_path is None or path.startswith(unit_path + "/")]
    return sorted(path for path in scopes if not any(path.startswith(other + "/") for other in scopes))


def _where(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    conditions, params = ["p.is_beneficiary"], dict[str, Any]()
    for field, condition in _CONDITIONS.items():
        value = getattr(wanted, field)
        if value is not None:
            conditions.append(condition)
            params[field] = value
    if wanted.group is not None:
        conditions.append(_GROUP)
        params |= {"group": wanted.group, "group_on": wanted.group_on}
    if wanted.has_number is not None:
        conditions.append("p.number_blind IS NOT NULL" if wanted.has_number else "p.number_blind IS NULL")
    return conditions, params


def inside(within: Sequence[str] | None, column: str) -> tuple[list[str], dict[str, Any]]:
    """A condition on a column of unit paths. `/` is followed by `0` in byte order: one range holds a unit and everything below it."""
    if within is None:
        return [], {}
    ranges = [f"({column} ~>=~ :area{n} AND {column} ~<~ :area{n}_end)" for n in range(len(within))]
    params = {f"area{n}": path for n, path in enumerate(within)} | {f"area{n}_end": path + "0" for n, path in enumerate(within)}
    return [f"({' OR '.join(ranges)})" if ranges else "FALSE"], params


def _after(text: str) -> str:
    """The first text behind everything that begins with `text`, in byte order."""
    return text[:-1] + chr(ord(text[-1]) + 1)


async def page(tx: Tx, actor: Actor, wanted: Wanted, *, after: Sequence[str] | None, limit: int) -> tuple[Sequence[Any], list[str] | None]:
    """One page of beneficiaries in the actor's scope, and where the next begins (None at the end). Meant for a read transaction.

    The planner takes names and units for independent of each other and of the order, and then sorts a third of the province for a
    page of a hundred: sorting is made unattractive, so that the index that has the order is read.
    """
    exact = wanted.number_blind or wanted.second_blind or wanted.file_code  # a handful of rows: these are sorted
    await tx.execute(
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),"
        " set_config('enable_sort', :sort, true)",
        sort="on" if exact else "off",
    )
    within = areas(actor, wanted.unit_path)
    if wanted.name:
        rows = await _by_name(tx, within, wanted, wanted.name, after, limit)
    else:
        rows = await _by_unit(tx, within, wanted, after, limit)
    last = rows[-1] if len(rows) == limit else None
    if last is None:
        return rows, None
    return rows, [last["tail"], str(last["hash"]), str(last["person_id"])] if wanted.name else [last["unit_path"], str(last["person_id"])]


async def _by_unit(tx: Tx, within: Sequence[str] | None, wanted: Wanted, after: Sequence[str] | None, limit: int) -> Sequence[Any]:
    conditions, params = _where(wanted)
    params["limit"] = limit
    if after is not None:
        conditions += ["p.unit_path ~>=~ :after_unit", "(p.unit_path ~>~ :after_unit OR p.person_id > :after_id)"]
        params |= {"after_unit": after[0], "after_id": UUID(after[1])}
    select = f"SELECT {_VIEW} FROM person p LEFT JOIN preference f USING (person_id) WHERE "
    order = " ORDER BY {0}unit_path USING ~<~, {0}person_id LIMIT :limit"
    if within is None or len(within) == 1:
        more, ranges = inside(within, "p.unit_path")
        return await tx.rows(select + " AND ".join(conditions + more) + order.format("p."), **params, **ranges)
    conditions += ["p.unit_path ~>=~ a.path", "p.unit_path ~<~ (a.path || '0')"]
    each = select + " AND ".join(conditions) + order.format("p.")
    sql = f"SELECT x.* FROM unnest(CAST(:areas AS text[])) AS a(path), LATERAL ({each}) x" + order.format("x.")
    return await tx.rows(sql, areas=list(within), **params)


async def _by_name(
    tx: Tx, within: Sequence[str] | None, wanted: Wanted, name: str, after: Sequence[str] | None, limit: int
) -> Sequence[Any]:
    conditions, params = _where(wanted)
    more, ranges = inside(within, "p.unit_path")
    conditions += more
    params |= ranges | {"name": name, "limit": limit}
    if within is not None and await _small(tx, within):
        source, tail, who = "person p", f'{_TAIL} COLLATE "C"', "p.person_id"
        conditions.append("strpos(' ' || p.name_folded, ' ' || :name) > 0")
    else:
        source, tail, who = "name_tail t JOIN person p USING (person_id)", "t.tail", "t.person_id"
        conditions += ["t.tail >= :name", "t.tail < :name_end", f"t.tail = {_TAIL}"]
        params["name_end"] = _after(name)
    order = f"{tail}, uuid_hash({who}), {who}"
    if after is not None:
        conditions.append(f"({order}) > (:after_tail, :after_hash, :after_id)")
        params |= {"after_tail": after[0], "after_hash": int(after[1]), "after_id": UUID(after[2])}
    return await tx.rows(
        f"SELECT {_VIEW}, {tail} AS tail, uuid_hash({who}) AS hash FROM {source} LEFT JOIN preference f ON f.person_id = p.person_id"
        f" WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT :limit",
        **params,
    )


async def _small(tx: Tx, within: Sequence[str]) -> bool:
    """Whether these subtrees together hold few people."""
    found = await tx.value(
        "SELECT count(*) FROM unnest(CAST(:areas AS text[])) AS a(path), LATERAL ("
        " SELECT 1 FROM person p WHERE p.unit_path ~>=~ a.path AND p.unit_path ~<~ (a.path || '0') LIMIT :most) x",
        areas=list(within),
        most=SMALL_AREA + 1,
    )
    return int(found) <= SMALL_AREA
