"""One kind of process is killed again and again, at moments drawn from a seed, all through the month; the books are the same."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from ansinh.stack.layout import SERVICES

if TYPE_CHECKING:
    from tests.resilience.month.conftest import Month

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DEATHS = 4
#: Stages in their order; those in the second line are not counted, a death there comes as they begin.
COUNTED = ("upload", "register", "accounts", "verify", "link", "pay")
STAGES = ("upload", "register", "accounts", "verify", "link", "open", "list", "approve", "pay", "report")
KINDS = [f"{service.name}-{kind}" for service in SERVICES for kind in ("api", "worker")] + [
    "postgres", "broker", "population", "partner", "issuer",
]  # fmt: skip
#: The chaos test draws victims from all kinds; here ANSINH_EVERY_KIND=1 adds those that hold less in hand.
HOLDING = ["registry-worker", "disbursement-worker", "disbursement-api", "postgres"]
CHOSEN = KINDS if os.environ.get("ANSINH_EVERY_KIND") else [*HOLDING, "broker"]
#: A life on the embedded broker is the same on Apache Kafka but for the broker itself; of the others the seed draws one for each run.
CHOSEN_ON_APACHE_KAFKA = KINDS if os.environ.get("ANSINH_EVERY_KIND") else ["broker", "drawn"]


@pytest.fixture
def seed() -> int:
    """ANSINH_TEST_SEED repeats a run."""
    return int(os.environ.get("ANSINH_TEST_SEED") or random.SystemRandom().randrange(1_000_000))


@pytest.mark.parametrize(
    ("on_apache_kafka", "victim"),
    [
        *(("embedded", victim) for victim in CHOSEN),
        *(pytest.param("kafka", victim, marks=pytest.mark.broker) for victim in CHOSEN_ON_APACHE_KAFKA),
    ],
    indirect=["on_apache_kafka"],
)
async def test_one_kind_dies_at_several_stages(month: Month, victim: str, seed: int) -> None:
    victim = random.Random(seed).choice(HOLDING) if victim == "drawn" else victim
    drawn = random.Random(f"{seed} {victim}")
    stages = sorted(drawn.sample(STAGES, DEATHS), key=STAGES.index)
    deaths = [month.death(victim, stage, round(drawn.random(), 2) if stage in COUNTED else 0.0) for stage in stages]
    told = ", ".join(f"{death.stage} at {death.share:.0%}" for death in deaths)
    print(f"ANSINH_TEST_SEED={seed}: {victim} dies in {told}")
    await month.play(deaths)
