"""Administrative units of the three-level tree that stood until 30 June 2025 (source: data/units_legacy.csv, MIT, see NOTICE there)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["Commune", "District", "Province", "load_province"]


@dataclass(frozen=True, slots=True)
class Commune:
    """One commune, ward or town; `path` is province/district/commune codes."""

    code: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class District:
    """One district with its communes, in code order."""

    code: str
    name: str
    short_name: str
    communes: tuple[Commune, ...]


@dataclass(frozen=True, slots=True)
class Province:
    """One province with its districts, in code order (districts without communes are left out)."""

    code: str
    name: str
    short_name: str
    districts: tuple[District, ...]

    @property
    def communes(self) -> int:
        """Number of communes."""
        return sum(len(d.communes) for d in self.districts)


@cache
def _rows() -> tuple[dict[str, str], ...]:
    text = resources.files("ansinh.sample").joinpath("data/units_legacy.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def load_province(code: str) -> Province:
    """The province with legacy `code` (two digits). Raises `ValueError` naming the code when there is none."""
    head = next((r for r in _rows() if r["level"] == "province" and r["code"] == code), None)
    if head is None:
        msg = f"no province with legacy code {code!r}; codes are two digits, 01 to 96 with gaps"
        raise ValueError(msg)
    districts = []
    for row in _rows():
        if row["level"] != "district" or row["parent_code"] != code:
            continue
        communes = tuple(
            Commune(c["code"], c["name"], f"{code}/{row['code']}/{c['code']}")
            for c in _rows()
            if c["level"] == "commune" and c["parent_code"] == row["code"]
        )
        if communes:
            districts.append(District(row["code"], row["name"], row["short_name"], communes))
    return Province(code, head["name"], head["short_name"], tuple(districts))
