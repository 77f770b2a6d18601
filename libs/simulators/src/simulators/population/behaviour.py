"""What a running population simulator was told to do: outages, slowness, errors, rate, lies."""

from __future__ import annotations

import math
import random
from typing import Any

import orjson

from simulators.population.config import Garble, Lie, PopulationConfig, Script

__all__ = ["Behaviour"]


class Behaviour:
    """Scripted behaviour. Times are seconds of a monotonic clock given by the caller."""

    def __init__(self, config: PopulationConfig) -> None:
        self._config = config
        self.accounts: dict[str, str] = {}
        self._random = random.Random(config.seed)
        self._reset()

    def _reset(self) -> None:
        self.latency_ms = self._config.latency_ms
        self.rate_per_second = self._config.rate_per_second
        self.error_rate = 0.0
        self.nonsense = 0
        self.lie: Lie | None = None
        self.garble: Garble | None = None
        self.outage_until = 0.0
        self._tokens = float(self.rate_per_second)
        self._filled_at = 0.0

    def apply(self, script: Script, now: float) -> dict[str, Any]:
        """Take over what the script gives; answer the state from here on."""
        if script.reset:
            self._reset()
        given = script.model_fields_set
        if script.outage_seconds is not None:
            self.outage_until = now + script.outage_seconds
        for name in ("latency_ms", "error_rate", "nonsense"):
            if getattr(script, name) is not None:
                setattr(self, name, getattr(script, name))
        if script.rate_per_second is not None:
            self.rate_per_second, self._tokens, self._filled_at = script.rate_per_second, float(script.rate_per_second), now
        if "lie" in given:
            self.lie = script.lie
        if "garble" in given:
            self.garble = script.garble
        return self.state(now)

    def state(self, now: float) -> dict[str, Any]:
        """What is in force."""
        return {
            "outage_seconds": max(0.0, round(self.outage_until - now, 3)),
            "latency_ms": self.latency_ms,
            "error_rate": self.error_rate,
            "rate_per_second": self.rate_per_second,
            "nonsense": self.nonsense,
            "lie": self.lie.model_dump() if self.lie else None,
            "garble": self.garble.model_dump() if self.garble else None,
        }

    def fails_now(self) -> bool:
        """Whether this request is one of the scripted errors."""
        return self.error_rate > 0 and self._random.random() < self.error_rate

    def talks_nonsense(self) -> bool:
        """Whether this request gets a page that is no answer."""
        if self.nonsense <= 0:
            return False
        self.nonsense -= 1
        return True

    def wait_seconds(self, persons: int, now: float) -> int:
        """0 when so many persons may be asked now, else for how long to wait (Retry-After).

        One second's allowance may be overdrawn by one request, so a batch larger than the rate is slow and not impossible.
        """
        rate = self.rate_per_second
        if rate <= 0:
            return 0
        self._tokens = min(float(rate), self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens <= 0:
            return max(1, math.ceil(-self._tokens / rate))
        self._tokens -= persons
        return 0

    def bend(self, results: list[dict[str, Any]], numbers: list[str]) -> None:
        """Put the scripted lie into the answers, in place."""
        lie = self.lie
        if lie is None:
            return
        chosen = set(lie.numbers)
        for result, number in zip(results, numbers, strict=True):
            if chosen and number not in chosen:
                continue
            result["status"] = lie.status
            for given, field in ((lie.name, "population_name"), (lie.birth_date, "population_birth_date"), (lie.death_date, "death_date")):
                if given is not None:
                    result[field] = given
            if lie.answers is not None:
                lie.answers -= 1
                if lie.answers <= 0:
                    self.lie = None
                    return

    def told(self, results: list[dict[str, Any]], numbers: list[str]) -> bytes:
        """The body of the answer, broken as scripted."""
        garble = self.garble
        if garble is None:
            return orjson.dumps({"results": results})
        garble.requests -= 1
        if garble.requests <= 0:
            self.garble = None
        broken = _BREAKS[garble.how](results, numbers)
        body = orjson.dumps({"results": broken})
        return body[: len(body) // 2] if garble.how == "truncated" else body


def _strange(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "status": "OK?", "fields": "none", "population_birth_date": "1950-99-99", "checked_at": "yesterday"}


_BREAKS: dict[str, Any] = {
    "truncated": lambda results, _: results,
    "foreign_refs": lambda results, _: [{**result, "ref": "x" + result["ref"]} for result in results],
    "missing": lambda results, _: results[::2],
    "doubled": lambda results, _: [*results, *({**result, "status": "NOT_FOUND"} for result in results)],
    "strange_words": lambda results, _: [_strange(result) for result in results],
    "number_in_reference": lambda results, numbers: [
        {**result, "reference": f"PD-{number}"} for result, number in zip(results, numbers, strict=True)
    ],
}
