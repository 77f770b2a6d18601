"""What a limit of time is held against: by the clock where the work was alone, by its processor time beside others."""

from __future__ import annotations

import threading
import time

import pytest

from ansinh.effort import Effort


@pytest.mark.parametrize(
    ("wall", "worked", "others", "judged"),
    [(10.0, 2.0, 0.5, 10.0), (10.0, 2.0, 9.0, 2.0), (10.0, 14.0, 9.0, 10.0)],
    ids=["alone: waiting counts", "beside others: what it worked", "never more than the clock"],
)
def test_what_is_judged(wall: float, worked: float, others: float, judged: float) -> None:
    effort = Effort("postgresql://host/nobody")
    effort.wall, effort.worked, effort.others = wall, worked, others
    assert effort.seconds == judged


def test_work_is_seen_and_waiting_is_not_work() -> None:
    with Effort("postgresql://host/nobody") as working:
        began = time.process_time()
        while time.process_time() - began < 0.1:
            pass
    with Effort("postgresql://host/nobody") as waiting:
        threading.Event().wait(0.1)
    assert working.worked >= 0.1 > waiting.worked
    assert waiting.wall >= 0.1
