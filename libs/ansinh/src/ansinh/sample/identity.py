"""Numbers and dates of birth that are structurally right (domain: 12 digits PPP G YY NNNNNN, no check digit)."""

from __future__ import annotations

from random import Random

__all__ = ["NumberMaker", "birth_date"]

_MILLION = 1_000_000
_STRIDE = 387_421  # coprime to a million: serials look random and stay one to one
_OFFSET = 104_729
_ELSEWHERE = ("001", "034", "037", "038", "040", "046", "049", "051", "052", "054")  # provinces of birth of people who moved in


class NumberMaker:
    """Makes numbers that no other commune can make: each commune owns `width` serials from `start` in every (province, sex, year)."""

    def __init__(self, province: str, start: int, width: int) -> None:
        self._home = f"0{province}"
        self._start, self._width = start, width
        self._used: dict[str, int] = {}
        self._old = 0

    def national(self, rng: Random, sex: str, year: int) -> str:
        """A new 12-digit number: province of birth, sex and century, year of birth, serial."""
        prefix = self._home if rng.random() < 0.92 else rng.choice(_ELSEWHERE)
        stem = f"{prefix}{(0 if sex == 'M' else 1) + (2 if year >= 2000 else 0)}{year % 100:02d}"
        used = self._used.get(stem, 0)
        if used >= self._width:
            msg = f"no serial left for {stem} in this commune"
            raise ValueError(msg)
        self._used[stem] = used + 1
        return f"{stem}{((self._start + used) * _STRIDE + _OFFSET) % _MILLION:06d}"

    def old_card(self) -> str:
        """A nine-digit number of the old identity card, on which some bank accounts were opened."""
        self._old += 1
        return f"26{(self._start + self._old) * _STRIDE % 10_000_000:07d}"


def birth_date(rng: Random, first_year: int, last_year: int) -> tuple[int, int, int]:
    """A date of birth within the years, both inclusive."""
    return rng.randint(first_year, last_year), rng.randint(1, 12), rng.randint(1, 28)
