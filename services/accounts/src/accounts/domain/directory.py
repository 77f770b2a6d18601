"""The provider directory: banks, wallets and mobile money by the many names people write them with (domain facts §5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from common.contracts.accounts_v1 import AccountKind
from common.names import folded

__all__ = ["Directory", "Provider", "alias_key"]

_FILLER: Final = re.compile(r"\b(NGAN HANG|NH|TMCP|THUONG MAI CO PHAN|VIET NAM|VN|BANK)\b")


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `partner` is the payment partner that pays into its accounts, None where we have none."""

    code: str
    name: str
    short_name: str
    kind: AccountKind
    bin: str | None
    partner: str | None


class Directory:
    """Finds a provider by code, name or alias; unknown and ambiguous names are not guessed."""

    def __init__(self, providers: Iterable[Provider], aliases: Mapping[str, str]) -> None:
        """`aliases`: free text → provider code."""
        self.replace(providers, aliases)

    def replace(self, providers: Iterable[Provider], aliases: Mapping[str, str]) -> None:
        """Take another state of the directory: whoever holds this object finds by the new names from now on."""
        by_code = {provider.code: provider for provider in providers}
        exact: dict[str, str] = {}
        loose: dict[str, set[str]] = {}
        named = [(text, item.code) for item in by_code.values() for text in (item.name, item.short_name, item.code)]
        for text, code in [*named, *aliases.items()]:  # an alias is chosen by a person and wins over a name
            exact[_key(text)] = code
            loose.setdefault(_loose_key(text), set()).add(code)
        self.providers = by_code
        self._exact = exact
        self._loose = {key: next(iter(codes)) for key, codes in loose.items() if key and len(codes) == 1}

    @property
    def partners(self) -> list[str]:
        """The payment partners that pay into accounts."""
        return sorted({item.partner for item in self.providers.values() if item.partner is not None})

    def find(self, text: str) -> Provider | None:
        """The provider meant by free text, or None."""
        code = self._exact.get(_key(text)) or self._loose.get(_loose_key(text))
        return self.providers.get(code) if code else None


def alias_key(text: str) -> str:
    """What two spellings of one name have in common: letters only, unaccented."""
    return folded(text).replace(" ", "")


_key = alias_key


def _loose_key(text: str) -> str:
    return _FILLER.sub(" ", folded(text)).replace(" ", "")
