"""What is done to a running month, drawn from a seed. The same seed draws the same deeds in the same order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ansinh.stack.layout import SERVICES

__all__ = ["FAILPOINTS", "FROZEN_SECONDS", "REPLICAS", "Deed", "deeds"]

#: Services whose worker runs twice here: what a dead or frozen one held is taken over while it may still wake up.
REPLICAS: Final = ("registry", "accounts", "disbursement")
#: Named points (common.failpoints), each with a process that passes it.
FAILPOINTS: Final = {
    "relay.before_send": "identity-verify-worker",
    "relay.after_send_before_mark": "accounts-worker",
    "consumer.after_db_before_offset": "reporting-worker",
    "disbursement.after_claim_before_send": "disbursement-worker",
    "disbursement.after_send_before_record": "disbursement-worker",
    "disbursement.after_notice_stored": "disbursement-api",
    "lists.check_between_batches": "registry-worker",
    "registry.import_between_batches": "registry-worker",
}
_WORKERS: Final = [f"{service.name}-worker" for service in SERVICES] + [f"{name}-worker-2" for name in REPLICAS]
_APIS: Final = [f"{service.name}-api" for service in SERVICES]
_VICTIMS: Final = dict.fromkeys(_WORKERS, 6) | dict.fromkeys(_APIS, 4) | {
    "postgres": 3, "broker": 3, "partner": 4, "population": 3, "issuer": 2,
}  # fmt: skip
_KINDS: Final = {
    "kill": 60, "failpoint": 10, "freeze": 8, "database-restart": 2, "clock": 5, "population": 6, "partner": 12,
}  # fmt: skip
#: Seconds longer than any lease of the quick settings (ansinh.chaos.stack): that of a batch on its way to a partner is the longest.
FROZEN_SECONDS: Final = (14.0, 22.0)
_PAUSE_SECONDS: Final = (0.2, 1.6)
#: Within the five minutes by which signatures may be off, and beyond (then notices wait in the partner's books until the clock is right).
_CLOCKS: Final = (-240, -90, 90, 240, 1_200)
_POPULATION: Final[tuple[dict[str, Any], ...]] = (
    {"outage_seconds": 6},
    {"error_rate": 0.4},
    {"nonsense": 3},
    *({"garble": {"how": how, "requests": 2}} for how in ("truncated", "foreign_refs", "missing", "strange_words")),
)
_PARTNER: Final[tuple[dict[str, Any], ...]] = (
    {"behaviour": "outage", "seconds": 6},
    *({"behaviour": name} for name in ("error_500", "error_500_after_accept", "nonsense_answer", "oversized", "redirect")),
    *({"behaviour": name, "seconds": 6} for name in ("timeout_before_accept", "timeout_after_accept")),
    *({"behaviour": name, "seconds": 6} for name in ("not_found_then_accepted", "slow_body")),
    {"behaviour": "duplicate_notices", "attempts": 3},
    {"behaviour": "duplicate_notices", "attempts": 2, "new_id": True},
    {"behaviour": "late_notices", "seconds": 8},
    *({"behaviour": name, "rows": 2, "then_correct": True} for name in ("wrong_amount", "wrong_currency", "unknown_status")),
    {"behaviour": "unknown_reference", "then_correct": True},
    *({"behaviour": name, "attempts": 2} for name in ("unsigned", "bad_signature", "stale_timestamp", "oversized_notice")),
    {"behaviour": "error_500", "on": "inquiries"},
    {"behaviour": "error_500", "on": "name-inquiries"},
    {"behaviour": "nonsense_answer", "on": "name-inquiries"},
)  # fmt: skip


@dataclass(frozen=True)
class Deed:
    """`pause` seconds after the deed before it, `kind` is done to `victim`; `detail` says how."""

    number: int
    kind: str
    victim: str
    pause: float
    detail: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line."""
        how = ", ".join(f"{name} {value}" for name, value in self.detail.items())
        return f"{self.kind} {self.victim}" + (f" ({how})" if how else "")


def deeds(seed: int) -> Iterator[Deed]:
    """The deeds of a seed, without end."""
    drawn = random.Random(seed)
    number = 0
    while True:
        number += 1
        (kind,) = drawn.choices(list(_KINDS), list(_KINDS.values()))
        pause = round(drawn.uniform(*_PAUSE_SECONDS), 2)
        victim, detail = _what(drawn, kind)
        yield Deed(number, kind, victim, pause, detail)


def _what(drawn: random.Random, kind: str) -> tuple[str, dict[str, Any]]:
    if kind == "kill":
        return drawn.choices(list(_VICTIMS), list(_VICTIMS.values()))[0], {}
    if kind == "failpoint":
        point = drawn.choice(list(FAILPOINTS))
        return FAILPOINTS[point], {"at": f"{point}:{drawn.randrange(4)}"}
    if kind == "freeze":
        return drawn.choice([*_WORKERS, "disbursement-api"]), {"seconds": round(drawn.uniform(*FROZEN_SECONDS), 1)}
    if kind == "database-restart":
        return "postgres", {}
    if kind == "clock":
        return drawn.choice([*_WORKERS, "disbursement-api", "registry-api"]), {
            "seconds": drawn.choice(_CLOCKS),
            "for": drawn.randrange(8, 20),
        }
    if kind == "population":
        return "population", dict(drawn.choice(_POPULATION))
    return "partner", dict(drawn.choice(_PARTNER))
