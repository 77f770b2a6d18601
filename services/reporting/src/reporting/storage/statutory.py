"""Layout files as the package ships them, read once and checked; a file that is wrong stops the service when it starts."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from reporting.domain.statutory import Addressee, BadLayout, Layout, parse_addressees, parse_layout

__all__ = ["addressees", "layouts", "newest", "read_all", "told_to_committee"]

_ADDRESSEES: Final = "addressees.toml"


@cache
def layouts() -> Mapping[tuple[str, int], Layout]:
    """Every version of every layout by code and version. Old versions stay: reports frozen with them are made again with them."""
    found: dict[tuple[str, int], Layout] = {}
    for file in sorted(resources.files("reporting").joinpath("layouts").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml") or file.name == _ADDRESSEES:
            continue
        raw = file.read_bytes()
        layout = parse_layout(tomllib.loads(raw.decode()), hashlib.sha256(raw).hexdigest(), file.name)
        if file.name != f"{layout.code}.v{layout.version}.toml":
            raise BadLayout(f"{file.name}: must be named {layout.code}.v{layout.version}.toml")
        found[layout.code, layout.version] = layout
    return found


def read_all() -> None:
    """Read and check every file now, so that a wrong one stops the start and not the first question."""
    layouts()
    addressees()
    told_to_committee()


def newest() -> Mapping[str, Layout]:
    """The newest version of each layout by code."""
    return {code: layout for (code, _), layout in sorted(layouts().items())}


@cache
def addressees() -> tuple[Addressee, ...]:
    """The dated table of competent ministries and departments."""
    return parse_addressees(_whom(), _ADDRESSEES)


@cache
def told_to_committee() -> frozenset[str]:
    """Codes of the reports that the province's People's Committee gets too."""
    codes = frozenset(_whom()["committee"]["layouts"])
    if unknown := codes - newest().keys():
        raise BadLayout(f"{_ADDRESSEES}: there is no report {min(unknown)}")
    return codes


def _whom() -> dict[str, Any]:
    return tomllib.loads(resources.files("reporting").joinpath("layouts", _ADDRESSEES).read_text(encoding="utf-8"))
