"""The rule for published contracts: a major version may only gain optional fields.

Anything else (rename, remove, narrow, widen, require) is a new class on a new topic, so that producers and consumers of
any two releases understand each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["differences"]

# Words for people; they may change freely.
_FREE_KEYS = frozenset({"title", "description", "examples", "$id", "$schema", "default"})


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say where `new` breaks `old`; empty when the change is allowed.

    Both are JSON Schemas as written by :mod:`common.contracts.generate`. Every line names the place and the fault.
    """
    found = list(_object_differences("$", old, new))
    old_parts: Mapping[str, Any] = old.get("$defs", {})
    new_parts: Mapping[str, Any] = new.get("$defs", {})
    for name, part in old_parts.items():
        if name not in new_parts:
            found.append(f"$defs.{name}: removed")
        else:
            found.extend(_object_differences(f"$defs.{name}", part, new_parts[name]))
    return found


def _object_differences(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if "properties" not in old:
        if _meaning(old) != _meaning(new):
            yield f"{place}: changed from {_meaning(old)} to {_meaning(new)}"
        return
    old_fields: Mapping[str, Any] = old["properties"]
    new_fields: Mapping[str, Any] = new.get("properties", {})
    for name, field in old_fields.items():
        if name not in new_fields:
            yield f"{place}.{name}: removed"
        elif _meaning(field) != _meaning(new_fields[name]):
            yield f"{place}.{name}: changed from {_meaning(field)} to {_meaning(new_fields[name])}"
    was_required = set(old.get("required", ()))
    is_required = set(new.get("required", ()))
    for name in sorted(is_required - was_required):
        yield f"{place}.{name}: new fields must be optional, and optional fields must stay so"
    for name in sorted((was_required - is_required) & new_fields.keys()):
        yield f"{place}.{name}: was required, so consumers count on it"


def _meaning(schema: Any) -> Any:
    """The part of a schema that machines act on."""
    if isinstance(schema, Mapping):
        return {key: _meaning(value) for key, value in sorted(schema.items()) if key not in _FREE_KEYS}
    if isinstance(schema, list):
        return [_meaning(item) for item in schema]
    return schema
