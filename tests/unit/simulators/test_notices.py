"""Notices as a partner builds them, right and wrong."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from simulators.partner.notices import Notice, notices_for
from simulators.partner.scripts import Behaviour, Phase, ScriptRequest


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "reference": f"r{n}",
            "status": "SETTLED",
            "amount": 500_000,
            "currency": "VND",
            "code": None,
            "partner_reference": f"P{n}",
            "occurred_at": "2024-09-03T00:00:00.000Z",
        }
        for n in range(count)
    ]


def make(behaviour: str | None, count: int = 3, size: int = 1000, return_after: float | None = None, **params: Any) -> list[Notice]:
    effects = "{}"
    if behaviour:
        request = ScriptRequest(partner="agribank", behaviour=Behaviour(behaviour), **params)
        effects = json.dumps({"behaviour": behaviour, **request.model_dump(mode="json")})
    return notices_for("agribank", rows(count), effects, return_after, size, 100.0)


def results(notice: Notice) -> list[dict[str, Any]]:
    body = orjson.loads(notice.body)
    assert body["type"] == "payment.results"
    assert len(body["results"]) == notice.results
    return list(body["results"])


def test_results_are_cut_into_notices_with_ids_of_their_own() -> None:
    made = make(None, count=2500)
    assert [notice.results for notice in made] == [1000, 1000, 500]
    assert len({notice.webhook_id for notice in made}) == 3
    assert [row for notice in made for row in results(notice)] == rows(2500)


def test_wrong_content() -> None:
    assert [row["amount"] for row in results(make("wrong_amount", rows=1)[0])] == [501_000, 500_000, 500_000]
    assert {row["currency"] for row in results(make("wrong_currency")[0])} == {"USD"}
    assert "SETTLED" not in {row["status"] for row in results(make("unknown_status")[0])}
    assert results(make("unknown_reference")[0])[0]["reference"].startswith("NOBODY-")
    assert [row["status"] for row in results(make("contradictory", count=1)[0])] == ["SETTLED", "FAILED"]
    wrong, right = make("wrong_amount", then_correct=True)
    assert results(right) == rows(3)
    assert right.next_at > wrong.next_at


def test_times_and_order() -> None:
    assert make("no_notices") == []
    assert make("late_notices")[0].next_at == 100 + 48 * 3600
    assert make("late_notices", seconds=7)[0].next_at == 107
    assert [row["reference"] for notice in make("reversed", size=2) for row in results(notice)] == ["r2", "r1", "r0"]
    assert make("reversed", return_after=2, seconds=3)[0].next_at == 105


def test_copies_and_wire_faults() -> None:
    assert [notice.copies_left for notice in make("duplicate_notices", attempts=2)] == [2]
    copies = make("duplicate_notices", new_id=True)
    assert len({notice.webhook_id for notice in copies}) == 2
    assert len({notice.body for notice in copies}) == 1
    for fault in ("unsigned", "bad_signature", "stale_timestamp", "oversized_notice"):
        assert [(notice.fault, notice.fault_left) for notice in make(fault, attempts=2)] == [(fault, 2)]


def test_every_behaviour_has_a_phase_and_nonsense_scripts_are_refused() -> None:
    assert {behaviour.phase for behaviour in Behaviour} == set(Phase)
    with pytest.raises(ValidationError):
        ScriptRequest(partner="agribank", behaviour=Behaviour.WRONG_AMOUNT, on="inquiries")
    with pytest.raises(ValidationError):
        ScriptRequest(partner="agribank", behaviour=Behaviour.UNSIGNED, then_correct=True)
