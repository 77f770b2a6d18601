"""Whose account is it: answers of a name inquiry from the world."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from simulators.partner.messages import NameInquiry
from simulators.partner.scripts import NAME_FAULTS, Behaviour, Script
from simulators.sqlite_lane import WorldLink

__all__ = ["WorldMissingError", "name_inquiry", "with_quirks"]

_NAME_FIELD = 25  # characters some banks keep of a name
_INSTEAD = {
    Behaviour.PENDING_ANSWERS: "PENDING",  # "being looked up": ask again later
    Behaviour.UNKNOWN_ANSWERS: "UNKNOWN",  # code 43 of public lookup services
    Behaviour.UNSUPPORTED_ANSWERS: "UNSUPPORTED",  # code 41: no inquiry for this bank
    Behaviour.INVALID_ANSWERS: "NOT_FOUND",  # code 42: no such account
}

_FIND = """
SELECT j.key, a.partner, a.holder_name, a.holder_number, a.status FROM json_each(?) AS j CROSS JOIN world.account AS a
ON a.provider_code = json_extract(j.value, '$[0]') AND a.account_number = json_extract(j.value, '$[1]')
"""


class WorldMissingError(Exception):
    """A world is configured, and its file is not there (yet)."""


def name_inquiry(
    connection: sqlite3.Connection,
    world: WorldLink,
    partner: str,
    accounts: Sequence[NameInquiry],
    open_holder_name: str,
) -> list[dict[str, Any]]:
    """One answer per account, in the order asked. Without a configured world every account is open and `open_holder_name`'s."""
    if not world.ensure(connection):
        if world.path is not None:
            raise WorldMissingError
        return [_answer(item, "OK", open_holder_name, "MATCH" if item.national_number else "NOT_GIVEN") for item in accounts]
    pairs = orjson.dumps([(item.provider_code, item.account_number) for item in accounts]).decode()
    found = {row[0]: row[1:] for row in connection.execute(_FIND, (pairs,))}
    answers = []
    for index, item in enumerate(accounts):
        known = found.get(index)
        if known is None:
            status = "NOT_FOUND" if _serves(connection, partner, item.provider_code) else "UNSUPPORTED"
            answers.append(_answer(item, status, None, "NOT_GIVEN"))
        elif known[0] != partner:
            answers.append(_answer(item, "UNSUPPORTED", None, "NOT_GIVEN"))
        else:
            answers.append(_known(item, *known[1:]))
    return answers


def _serves(connection: sqlite3.Connection, partner: str, provider_code: str) -> bool:
    """A partner serves the provider named like itself, and every provider some account of which is its own."""
    if provider_code == partner.upper():
        return True
    # Any account of a provider tells: all accounts of one provider are with one partner. The key's first column finds it at once.
    row = connection.execute("SELECT partner FROM world.account WHERE provider_code = ? LIMIT 1", (provider_code,)).fetchone()
    return row is not None and row[0] == partner


def _known(item: NameInquiry, holder_name: str, holder_number: str | None, status: str) -> dict[str, Any]:
    id_match = "NOT_GIVEN"
    if item.national_number and holder_number:
        id_match = "MATCH" if item.national_number == holder_number else "MISMATCH"
    if status == "CLOSED":
        # Of a closed account a bank says only that.
        return _answer(item, status, None, "NOT_GIVEN")
    return _answer(item, "OK" if status == "OPEN" else status, holder_name, id_match)


def _answer(item: NameInquiry, status: str, holder_name: str | None, id_match: str) -> dict[str, Any]:
    return {
        "provider_code": item.provider_code,
        "account_number": item.account_number,
        "status": status,
        "holder_name": holder_name,
        "id_match": id_match,
    }


def with_quirks(script: Script | None, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers as a bank with this habit gives them; `rows` of the script: only so many, from the first."""
    if script is None or script.behaviour not in NAME_FAULTS:
        return results
    rows = script.params.get("rows")
    count = len(results) if rows is None else min(int(rows), len(results))
    return [_quirk(script.behaviour, item) for item in results[:count]] + results[count:]


def _quirk(behaviour: Behaviour, item: dict[str, Any]) -> dict[str, Any]:
    if behaviour in _INSTEAD:
        return {**item, "status": _INSTEAD[behaviour], "holder_name": None, "id_match": "NOT_GIVEN"}
    name = item["holder_name"]
    if not name:
        return item
    if behaviour is Behaviour.TRUNCATED_NAMES:
        return {**item, "holder_name": name[:_NAME_FIELD].rstrip()}
    if behaviour is Behaviour.NAMES_WITHOUT_MIDDLE:
        first, *middle, last = name.split()
        return {**item, "holder_name": " ".join([first, *(token for token in middle if token not in ("THI", "VAN")), last])}
    return item
