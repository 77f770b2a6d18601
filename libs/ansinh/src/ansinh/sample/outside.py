"""The world outside the platform: what the population database and the payment providers hold about the sample's people."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from ansinh.sample.identity import NumberMaker
from ansinh.sample.model import PROVIDERS, Account, Person, Provider, Representative, World
from ansinh.sample.names import DIACRITIC_TWINS, IY_TWINS, PersonName, other_person_name, unaccented, without_middle
from ansinh.sample.presets import Outcome

__all__ = ["AccountMaker", "days_before", "months_before", "register_person", "register_representative"]

_STATUS = {Outcome.ACCOUNT_CLOSED: "CLOSED", Outcome.ACCOUNT_DORMANT: "DORMANT", Outcome.ACCOUNT_NOT_UPGRADED: "NOT_UPGRADED"}
_BEHAVIOUR = {Outcome.FAIL_CLOSED: "FAIL_CLOSED", Outcome.FAIL_NAME: "FAIL_NAME"}
_MOBILE = tuple(p for p in PROVIDERS if p.kind == "MOBILE_MONEY")
_BANKS = tuple(p for p in PROVIDERS if p.kind == "BANK")
_CUMULATIVE = [sum(p.weight for p in PROVIDERS[: i + 1]) for i in range(len(PROVIDERS))]


def days_before(iso: str, days: int) -> str:
    """ISO date so many days earlier."""
    return (date.fromisoformat(iso) - timedelta(days=days)).isoformat()


def months_before(business_month: str) -> tuple[str, str]:
    """The business month and the one before it: the months that arrears of the sample reach back to (payment is the month after)."""
    year, month = int(business_month[:4]), int(business_month[5:])
    earlier = f"{year}-{month - 1:02d}" if month > 1 else f"{year - 1}-12"
    return earlier, business_month


def _iso(birth: tuple[int, int, int]) -> str:
    return f"{birth[0]}-{birth[1]:02d}-{birth[2]:02d}"


class AccountMaker:
    """Opens accounts at providers: returns what the office writes, records what the provider holds."""

    def __init__(self, rng: Random, first_index: int, numbers: NumberMaker, world: World) -> None:
        self._rng, self._numbers, self._world = rng, numbers, world
        self._next = first_index * 3  # at most one own, one representative's and one spare number per person

    def _number(self, provider: Provider) -> str:
        self._next += 1
        serial = self._next
        if provider.kind == "MOBILE_MONEY":
            prefix = "09" if provider.code == "VIETTELMONEY" else "08"
            return f"{prefix}{(serial * 7_654_321) % 100_000_000:08d}"
        if provider.code == "MOMO":
            return f"99MM{serial % 90_000 + 10_000}M{(serial * 7_654_321) % 100_000_000:08d}"
        if provider.code == "AGRIBANK":
            return f"4800205{serial:06d}"
        return f"0{serial % 89 + 10}{serial:09d}" if provider.code == "LPBANK" else f"3{serial % 9}01{serial:08d}"

    def own(self, p: Person) -> Account:
        """The person's own account, with whatever the plan says is wrong with it."""
        rng = self._rng
        if p.outcome == Outcome.ACCOUNT_NOT_UPGRADED:
            provider = rng.choice(_MOBILE)
        elif p.outcome == Outcome.ACCOUNT_NOT_FOUND:
            provider = rng.choice(_BANKS)
        else:
            provider = rng.choices(PROVIDERS, cum_weights=_CUMULATIVE)[0]
        account = Account(provider, self._number(provider), unaccented(p.name.full))
        holder, holder_number = account.holder, p.number
        if p.outcome == Outcome.ACCOUNT_NAME:
            holder = unaccented(other_person_name(rng, p.sex, p.name).full)
        elif p.outcome == Outcome.ACCOUNT_ID:
            holder_number = self._numbers.old_card()
        elif p.outcome == Outcome.ACCOUNT_MIDDLE:
            holder = unaccented(without_middle(p.name))
        if p.outcome == Outcome.ACCOUNT_NOT_FOUND:
            if rng.random() < 0.5:
                return account  # a number nobody has
            provider = next(b for b in _BANKS if b.code != provider.code)  # somebody wrote the wrong bank beside it
        self._record(provider, account.number, holder, holder_number, _STATUS.get(p.outcome, "OPEN"), _BEHAVIOUR.get(p.outcome, "OK"))
        return account

    def representative(self, rep: Representative) -> Account:
        """A good account of a representative."""
        provider = self._rng.choices(PROVIDERS, cum_weights=_CUMULATIVE)[0]
        account = Account(provider, self._number(provider), unaccented(rep.name))
        self._record(provider, account.number, account.holder, rep.number, "OPEN", "OK")
        return account

    def share(self, people: list[Person]) -> None:
        """Unrelated people of a commune registered on one account, which belongs to the first of each group."""
        groups = max(1, len(people) // 3)
        for g in range(groups):
            members = people[g * 3 :] if g == groups - 1 else people[g * 3 : g * 3 + 3]
            if not members:
                return
            owner = members[0]
            provider = self._rng.choice(_BANKS)
            number = self._number(provider)
            self._record(provider, number, unaccented(owner.name.full), owner.number, "OPEN", "OK")
            for p in members:
                p.account = Account(provider, number, unaccented(owner.name.full))

    def _record(self, provider: Provider, number: str, holder: str, holder_number: str, status: str, behaviour: str) -> None:
        self._world.account.append((provider.partner, provider.code, number, holder, holder_number, status, behaviour))


def register_person(rng: Random, world: World, p: Person) -> None:
    """What the population database holds about a person (nothing for some), and whether cash will be collected."""
    if p.outcome == Outcome.UNCOLLECTED:
        world.cash.append((p.code, "UNCOLLECTED"))
    if not p.number or p.outcome == Outcome.NOT_IN_DB:
        return
    name, birth, multiple = p.name.full, _iso(p.birth), 0
    if p.outcome == Outcome.SUSPECTED:
        name = other_person_name(rng, p.sex, p.name).full
    elif p.outcome == Outcome.REVIEW:
        name, birth, multiple = _for_review(rng, p)
    elif len(p.list_birth) == 4 and rng.random() < 0.3:
        birth = p.list_birth  # the database, too, knows only the year
    status = "DECEASED" if p.died_on else "ALIVE"
    world.person.append((p.number, name, birth, p.sex, status, p.died_on, multiple))


def _for_review(rng: Random, p: Person) -> tuple[str, str, int]:
    """A record that an officer has to look at: other accents, i for y, other day of birth, or two records."""
    for twins in (DIACRITIC_TWINS[p.sex], IY_TWINS[p.sex]):
        twin = twins.get(p.name.given)
        if twin is not None:
            return PersonName(p.name.family, p.name.middle, twin).full, _iso(p.birth), 0
    if rng.random() < 0.25:
        return p.name.full, _iso(p.birth), 1
    year, month, day = p.birth
    return p.name.full, _iso((year, month, day % 28 + 1) if rng.random() < 0.5 else (year, month % 12 + 1, day)), 0


def register_representative(rng: Random, world: World, rep: Representative, name: PersonName, outcome: int, died_on: str) -> None:
    """The population database's record of a representative: dead, somebody else, or simply in order."""
    shown, status, died = rep.name, "ALIVE", None
    if outcome == Outcome.REP_SUSPECTED:
        shown = other_person_name(rng, rep.sex, name).full
    elif outcome == Outcome.REP_DECEASED:
        status, died = "DECEASED", died_on
    world.person.append((rep.number, shown, _iso(rep.birth), rep.sex, status, died, 0))
