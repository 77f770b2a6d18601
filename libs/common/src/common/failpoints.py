"""Named places where a process can be made to die, so that tests can prove what survives.

A no-op unless the environment names points when the process starts (`ANSINH_FAILPOINTS=name[:after],…`), and refused in production.
"""

from __future__ import annotations

import os
import signal
from typing import Final

__all__ = ["POINTS", "arm", "hit"]

POINTS: Final = frozenset(
    {
        "relay.before_send",
        "relay.after_send_before_mark",
        "consumer.after_db_before_offset",
        "disbursement.after_claim_before_send",
        "disbursement.after_send_before_record",
        "disbursement.after_notice_stored",
        "lists.check_between_batches",
        "registry.import_between_batches",
    }
)
_armed: dict[str, int] = {}


def arm(text: str, *, production: bool) -> None:
    """Arm points named as `name` or `name:after_n_hits`, comma separated."""
    for item in filter(None, text.split(",")):
        name, _, after = item.partition(":")
        if production or name not in POINTS:
            raise ValueError(f"failpoint {name} is not allowed here")
        _armed[name] = int(after or 0)


def hit(name: str) -> None:
    """Die here by SIGKILL if the point is armed and its countdown is over."""
    if not _armed or name not in _armed:
        return
    if _armed[name] > 0:
        _armed[name] -= 1
        return
    os.kill(os.getpid(), signal.SIGKILL)
