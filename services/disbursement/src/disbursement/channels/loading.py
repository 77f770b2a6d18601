"""Which module speaks for a partner: the one its row in the partners file names in `channel`.

Adding a bank with a contract of its own is one module in this package with a function `make(partner, http, keyring)`, and one row.
Where its notices come in another way than by Standard Webhooks, the module has a function `callback(partner)` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import httpx
import orjson

from common.sealing import Keyring
from disbursement.channels.callbacks import Callback, StandardCallback
from disbursement.channels.partners import Partner, load_partners
from disbursement.channels.protocol import Channel

__all__ = ["NoSuchChannel", "account_limits", "callback_of", "channel_of", "limits_of_file"]


class NoSuchChannel(ValueError):
    """The partners file names a channel that nobody wrote, or that lacks something from the partner's row."""


def channel_of(partner: Partner, http: httpx.AsyncClient, keyring: Keyring) -> Channel:
    """The partner's channel. Raises NoSuchChannel when its row does not fit; the worker then does not start."""
    make = getattr(_module(partner), "make", None)
    if make is None:
        raise NoSuchChannel(f"{partner.name}: there is no channel {partner.channel!r}")
    channel: Channel = make(partner, http, keyring)
    return channel


def callback_of(partner: Partner) -> Callback:
    """How this partner's notices are believed and answered."""
    make = getattr(_module(partner), "callback", StandardCallback)
    callback: Callback = make(partner)
    return callback


def account_limits(partners: Mapping[str, Partner]) -> str:
    """What one account of each partner may receive, as JSON rows: what its row says, else `LIMITS` of its channel's module."""
    found = {name: partner.limits or getattr(_module(partner), "LIMITS", None) for name, partner in partners.items()}
    return orjson.dumps([{"partner": name, **limits.model_dump()} for name, limits in found.items() if limits is not None]).decode()


def limits_of_file(partners_file: Path | None) -> str:
    """:func:`account_limits` of the partners in a file; none without a file."""
    return account_limits(load_partners(partners_file)) if partners_file else "[]"


def _module(partner: Partner) -> ModuleType | None:
    name = f"disbursement.channels.{partner.channel}"
    return import_module(name) if find_spec(name) else None
