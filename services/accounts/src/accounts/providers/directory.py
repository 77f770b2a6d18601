"""Loads the provider directory from the data files of this package."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

from accounts.domain.directory import Directory, Provider
from common.contracts.accounts_v1 import AccountKind

__all__ = ["load_directory"]


@lru_cache(maxsize=1)
def load_directory() -> Directory:
    """The directory: banks with their identification numbers, our payment partners, renamed banks and aliases."""
    ours = {row["provider_code"]: row for row in _rows("partners.csv")}
    providers: list[Provider] = []
    renamed: dict[str, str] = {}
    for row in (*_rows("banks.csv"), *_rows("banks_extra.csv")):
        code = (row.get("key") or row["code"]).upper()
        own = ours.get(code)
        if own is not None and own["succeeded_by"]:
            renamed |= {row["name"]: own["succeeded_by"], code: own["succeeded_by"], row["short_name"]: own["succeeded_by"]}
            continue
        providers.append(
            Provider(
                code=code,
                name=row["name"],
                short_name=row.get("short_name") or row["name"],
                kind=AccountKind(own["kind"]) if own is not None else AccountKind.BANK,
                bin=row["bin"] or None,
                partner=own["partner"] or None if own is not None else None,
            )
        )
    aliases = {row["alias"]: row["provider_code"] for row in _rows("aliases.csv")}
    return Directory(providers, renamed | aliases)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (files("accounts.providers") / "data" / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(file)
