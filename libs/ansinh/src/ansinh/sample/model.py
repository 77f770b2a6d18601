"""The people of one commune as the generator knows them: what the office wrote, what the outside world holds, what is true."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansinh.sample.law import Line
from ansinh.sample.names import PersonName

__all__ = ["PROVIDERS", "Account", "Person", "Provider", "Representative", "World"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A payment provider: its partner, directory code, kind of account, and how offices write its name."""

    partner: str
    code: str
    kind: str
    weight: int
    spellings: tuple[str, ...]


PROVIDERS = (
    Provider("agribank", "AGRIBANK", "BANK", 54, ("Agribank", "AGRIBANK", "Agribank", "agribank")),
    Provider("lpbank", "LPBANK", "BANK", 20, ("Liên Việt", "LPBank", "Liên Việt")),
    Provider("namabank", "NAMABANK", "BANK", 11, ("Nam Á", "Nam A Bank", "Nam Á")),
    Provider("viettelmoney", "VIETTELMONEY", "MOBILE_MONEY", 8, ("Viettel Money", "VIETTEL MONEY")),
    Provider("vnptmoney", "VNPTMONEY", "MOBILE_MONEY", 3, ("VNPT Money",)),
    Provider("momo", "MOMO", "WALLET", 4, ("MoMo", "Momo")),
)


@dataclass(slots=True)
class Account:
    """An account as registered: the number the office wrote and the name it wrote beside it."""

    provider: Provider
    number: str
    holder: str


@dataclass(slots=True)
class Representative:
    """Somebody who may collect for a person; `kind` is AUTHORISED, GUARDIAN or CARER."""

    kind: str
    name: str
    birth: tuple[int, int, int]
    sex: str
    number: str
    certificate: str = ""
    valid_from: str = ""
    valid_to: str = ""
    account: Account | None = None


@dataclass(slots=True)
class Person:
    """One person of a list. Dates are (year, month, day); the `list_…` fields are what the office wrote."""

    code: str
    programme: str
    outcome: int
    sex: str
    name: PersonName
    birth: tuple[int, int, int]
    number: str
    lines: tuple[Line, ...]
    adult: bool
    list_name: str = ""
    list_birth: str = ""
    address: str = ""
    decision: str = ""
    decision_date: str = ""
    from_month: str = ""
    arrears_from: str = ""
    wish: str = "TM"
    representative: Representative | None = None
    collected_by_representative: bool = False
    method: str = "NONE"  # ACCOUNT, POST, HOME, or NONE: no row in the account list
    account: Account | None = None
    home_reason: str = ""
    died_on: str | None = None
    damage: str = ""  # what is wrong with the first row; corrected in a supplement file where `corrected`
    corrected: bool = False


@dataclass(slots=True)
class World:
    """Rows of world.sqlite that one commune contributes."""

    person: list[tuple[object, ...]] = field(default_factory=list)
    account: list[tuple[object, ...]] = field(default_factory=list)
    cash: list[tuple[object, ...]] = field(default_factory=list)
