"""Loads the provider directory from the data files of this package."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from accounts.domain.directory import Directory, Provider, alias_key
from common.contracts.accounts_v1 import AccountKind

__all__ = ["load_directory", "reference_rows"]


def reference_rows() -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """The data files as rows for the database: (providers with name, BIN and capabilities; aliases).

    A renamed bank stays a provider of its own with `succeeded_by`, so that an account opened under its old name is understood.
    """
    ours = {row["provider_code"]: row for row in _rows("partners.csv")}
    providers: list[dict[str, Any]] = []
    for row in (*_rows("banks.csv"), *_rows("banks_extra.csv")):
        code = (row.get("key") or row["code"]).upper()
        own = ours.get(code)
        kind, partner = (own["kind"], own["partner"] or None) if own else ("BANK", None)
        providers.append({
            "code": code, "type_code": kind, "partner": partner, "channels": [kind] if partner else [], "bin": row["bin"] or None,
            "name": row["name"], "short_name": row.get("short_name") or row["name"],
            "name_inquiry": partner is not None or row.get("lookup_supported") == "1", "holder_id_check": partner is not None,
            "opens_accounts": partner is not None and kind != "WALLET", "succeeded_by": (own["succeeded_by"] or None) if own else None,
            "source": row.get("source") or "npm vietnam-qr-pay 1.5.1 (MIT)",
        })  # fmt: skip
    providers.append({
        "code": "VNPOST", "type_code": "POST", "partner": "vnpost", "channels": ["CASH_POST", "CASH_HOME"], "bin": None,
        "name": "Tổng công ty Bưu điện Việt Nam", "short_name": "VNPost", "name_inquiry": False, "holder_id_check": False,
        "opens_accounts": False, "succeeded_by": None, "source": None,
    })  # fmt: skip
    aliases = [{"alias": row["alias"], "alias_key": alias_key(row["alias"]), "provider_code": row["provider_code"]}
               for row in _rows("aliases.csv")]  # fmt: skip
    return providers, aliases


def load_directory() -> Directory:
    """The directory of the data files, before anybody changed anything: banks, our payment partners, renamed banks and aliases."""
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
