"""Makes the people of one commune from its plan: identity, category, representative, account."""

from __future__ import annotations

from random import Random

from ansinh.sample import outside
from ansinh.sample.identity import NumberMaker, birth_date
from ansinh.sample.law import MERIT, SOCIAL_ASSISTANCE, draw_lines
from ansinh.sample.model import Person, Representative, World
from ansinh.sample.names import DIACRITIC_TWINS, IY_TWINS, PersonName, make_name, name_with_given, unaccented
from ansinh.sample.plan import CommunePlan
from ansinh.sample.presets import Outcome

__all__ = ["CommunePeople"]

_NO_NAMESAKE = "Hoài"
"""A second middle name that nobody else has."""
_ADULT_ONLY = Outcome.DEFECTS | Outcome.FAILS | {Outcome.REVIEW, Outcome.SUSPECTED, Outcome.REP_SUSPECTED, Outcome.REP_DECEASED}
# How old somebody must be for a category, where the law says so: years after birth in which the allowance may begin.
_FROM_AGE = {"SA5C": 80, "SA5A_GE80": 80, "SA5B": 75, "SA5A_60_80": 60, "SA5D": 60, "SA6_S": 16, "SA6_XS": 16, "SA2": 16, "SA1_GE4": 4,
             "SA3_4_16": 4, "SA4": 18, "SA8": 18, "CS_HH_XS": 20, "CS_CHILD_4_16": 20, "CS_FOSTER_XS": 20}  # fmt: skip
_HOME_REASONS = ("Già yếu, không đi lại được", "Ốm đau bệnh nặng", "Khuyết tật đặc biệt nặng, không có người nhận thay")


def _same_name(p: Person, other: PersonName) -> bool:
    """Whether a list that names the payee only by name could not tell the two apart (two people of one name are kept out)."""
    return unaccented(p.name.full) == unaccented(other.full)


class CommunePeople:
    """Builds one commune. `people` count; `deceased` and `unregistered` are on top of them; `world` is what simulators know."""

    def __init__(self, plan: CommunePlan, *, province: str, initials: str, business_date: str, seed: int, serials: tuple[int, int],
                 exact_requests: bool = False) -> None:  # fmt: skip
        self.plan, self.business_date, self.initials = plan, business_date, initials
        self._exact_requests = exact_requests  # nobody beside the planned outcomes asks for an account
        self.rng = Random(f"{seed}:commune:{plan.commune.code}")
        self.numbers = NumberMaker(province, *serials)
        self.world = World()
        self.people: list[Person] = []
        self.deceased: list[Person] = []
        self.unregistered: list[Person] = []
        self._sequence = {MERIT: 0, SOCIAL_ASSISTANCE: 0}
        self._accounts = outside.AccountMaker(self.rng, plan.first_index, self.numbers, self.world)
        self._shared: list[Person] = []
        self._last_guardian: Representative | None = None

    def build(self) -> CommunePeople:
        """Makes everybody; call once."""
        for programme in (MERIT, SOCIAL_ASSISTANCE):
            extras = self.plan.extras[programme]
            batch = [self._person(programme, outcome) for outcome in self.plan.outcomes[programme]]
            self._mark_arrears(batch, extras.arrears)
            self._mark_damage(batch, extras.malformed_corrected, corrected=True)
            self.people += batch
            dead = [self._person(programme, Outcome.CASH) for _ in range(extras.deceased)]
            for p in dead:
                p.died_on = self._recent_date(8, 150)
            self.deceased += dead
            lost = [self._one_line_person(programme) for _ in range(extras.malformed)]
            self._mark_damage(lost, len(lost), corrected=False)
            self.unregistered += lost
        self._arrange_payment()
        for p in (*self.people, *self.deceased, *self.unregistered):
            outside.register_person(self.rng, self.world, p)
        return self

    def code(self, programme: str) -> str:
        """The next dossier code of this commune, e.g. BT-22924-M-00017."""
        self._sequence[programme] += 1
        letter = "M" if programme == MERIT else "S"
        return f"{self.initials}-{self.plan.commune.code}-{letter}-{self._sequence[programme]:05d}"

    def _person(self, programme: str, outcome: int) -> Person:
        rng = self.rng
        category, lines = draw_lines(rng, programme, adult=outcome in _ADULT_ONLY)
        sex = category.sex or ("M" if rng.random() < 0.42 else "F")
        birth = birth_date(rng, category.first_year, category.last_year)
        if outcome == Outcome.REVIEW and rng.random() < 0.6:
            given = rng.choice(tuple((DIACRITIC_TWINS if rng.random() < 0.6 else IY_TWINS)[sex]))
            name = name_with_given(rng, sex, given)
        elif outcome == Outcome.ACCOUNT_MIDDLE:
            name = name_with_given(rng, sex, make_name(rng, sex, plain=True).given)
        else:
            name = make_name(rng, sex)
        number = "" if outcome == Outcome.NO_ID else self.numbers.national(rng, sex, birth[0])
        if not number:  # only numbers tell namesakes born on one day apart: without one, somebody would be held who is owed
            name = PersonName(name.family, f"{name.middle} {_NO_NAMESAKE}".strip(), name.given)
        person = Person(self.code(programme), programme, outcome, sex, name, birth, number, lines, adult=birth[0] <= 2004)
        person.list_name = name.full
        year_only = birth[0] < 1965 and rng.random() < 0.05 and outcome not in (Outcome.REVIEW, Outcome.SUSPECTED)
        person.list_birth = str(birth[0]) if year_only else f"{birth[2]:02d}/{birth[1]:02d}/{birth[0]}"
        self._decision(person)
        return person

    def _one_line_person(self, programme: str) -> Person:
        while True:
            person = self._person(programme, Outcome.CASH)
            if len(person.lines) == 1:
                return person

    def _decision(self, person: Person) -> None:
        rng = self.rng
        last = int(self.business_date[:4]) - 1
        first = 1996 if person.programme == MERIT else 2014
        earliest = person.birth[0] + _FROM_AGE.get(person.lines[0].category, 0)
        if person.lines[0].category.endswith("_CE") and person.birth[0] < 1970:
            earliest = person.birth[0] + 60
        year = min(last, rng.randint(max(first, min(earliest, last)), last))
        month = rng.randint(1, 12)
        if (year, month) <= person.birth[:2]:
            year, month = (person.birth[0], person.birth[1] + 1) if person.birth[1] < 12 else (person.birth[0] + 1, 1)
        office = "QĐ-SLĐTBXH" if person.programme == MERIT else "QĐ-UBND"
        person.decision = f"{rng.randint(12, 4890)}/{office}"
        person.decision_date = f"{rng.randint(1, 28):02d}/{month:02d}/{year}"
        person.from_month = f"{month:02d}/{year}"
        place = "Khu phố" if self.plan.commune.name.startswith(("Phường", "Thị trấn")) else "Thôn"
        person.address = f"{place} {rng.randint(1, 9)}, {self.plan.commune.name}"

    def _recent_date(self, least: int, most: int) -> str:
        """An ISO date so many days before the business date."""
        return outside.days_before(self.business_date, self.rng.randint(least, most))

    def _mark_arrears(self, batch: list[Person], count: int) -> None:
        months = outside.months_before(self.business_date[:7])
        candidates = [p for p in batch if len(p.lines) == 1 and p.outcome in (Outcome.CASH, Outcome.ACCOUNT, Outcome.HOME)]
        for p in self.rng.sample(candidates, min(count, len(candidates))):
            month = self.rng.choice(months)
            p.arrears_from = p.from_month = f"{month[5:]}/{month[:4]}"
            signed = self._recent_date(3, 15)
            p.decision_date = f"{signed[8:]}/{signed[5:7]}/{signed[:4]}"

    def _mark_damage(self, batch: list[Person], count: int, *, corrected: bool) -> None:
        plain = [p for p in batch if len(p.lines) == 1 and p.outcome in (Outcome.CASH, Outcome.ACCOUNT) and not p.arrears_from]
        for p in self.rng.sample(plain, min(count, len(plain))):
            p.damage = self.rng.choice(("NUMBER", "DATE", "CATEGORY", "NAME"))
            p.corrected = corrected

    def _arrange_payment(self) -> None:
        carers = [p for p in self.people if p.lines[0].category == "CS_HH_XS" and p.outcome == Outcome.ACCOUNT]
        for p in carers:
            self._own_account(p)
        spare = [p for p in carers if not p.damage]
        for p in self.people:
            if p.method != "NONE" or p.outcome in (Outcome.NO_ID, Outcome.NOT_IN_DB):
                continue
            severe = p.lines[0].category in ("SA6_XS", "SA6_XS_CE")
            if p.outcome == Outcome.ACCOUNT and severe and spare and not _same_name(p, spare[-1].name) and self.rng.random() < 0.7:
                self._carer_account(p, spare.pop())
            else:
                self._arrange_one(p)
        for p in self.deceased:
            if p.adult and not self._exact_requests and self.rng.random() < 0.3:
                self._own_account(p)
        self._accounts.share(self._shared)

    def _arrange_one(self, p: Person) -> None:
        rng = self.rng
        if p.outcome == Outcome.ACCOUNT:
            if not p.adult:
                self._represent(p, "GUARDIAN", use_account=True)
            elif rng.random() < 0.09:
                severe = p.lines[0].category in ("SA6_XS", "SA6_XS_CE")
                self._represent(p, "CARER" if severe else "AUTHORISED", use_account=True)
            else:
                self._own_account(p)
        elif p.outcome in (Outcome.REP_SUSPECTED, Outcome.REP_DECEASED):
            self._represent(p, "AUTHORISED", use_account=True)
        elif p.outcome == Outcome.ACCOUNT_SHARED:
            p.method, p.wish = "ACCOUNT", "TK"
            self._shared.append(p)
        elif p.outcome in Outcome.DEFECTS or p.outcome in Outcome.FAILS or self._doubtful_with_account(p):
            self._own_account(p)
        elif p.outcome == Outcome.HOME:
            p.method, p.home_reason = "HOME", rng.choice(_HOME_REASONS)
            p.wish = "BKK" if rng.random() < 0.6 else "TM"
        elif not p.adult and p.outcome == Outcome.CASH:
            self._represent(p, "GUARDIAN", use_account=False)
        elif p.outcome in (Outcome.CASH, Outcome.UNCOLLECTED) and rng.random() < 0.05:
            self._represent(p, "AUTHORISED", use_account=False)
        elif rng.random() < 0.6:
            p.method = "POST"

    def _doubtful_with_account(self, p: Person) -> bool:
        """Some whose identity is in doubt registered an account all the same; it is not paid into."""
        return p.outcome in (Outcome.REVIEW, Outcome.SUSPECTED) and not self._exact_requests and self.rng.random() < 0.4

    def _own_account(self, p: Person) -> None:
        p.method, p.wish = "ACCOUNT", "TK"
        p.account = self._accounts.own(p)

    def _carer_account(self, p: Person, carer: Person) -> None:
        """The carer of a severely disabled person is a recipient in his or her own right and takes both on one account."""
        carer.list_birth = f"{carer.birth[2]:02d}/{carer.birth[1]:02d}/{carer.birth[0]}"
        p.representative = Representative("CARER", carer.list_name, carer.birth, carer.sex, carer.number, account=carer.account)
        self._mandate(p.representative)
        p.method, p.wish, p.collected_by_representative, p.account = "ACCOUNT", "TK", True, carer.account

    def _represent(self, p: Person, kind: str, *, use_account: bool) -> None:
        rng = self.rng
        last = self._last_guardian
        if (
            kind == "GUARDIAN"
            and use_account
            and last is not None
            and unaccented(last.name) != unaccented(p.name.full)
            and rng.random() < 0.15
        ):
            rep = last
        else:
            sex = "M" if rng.random() < 0.4 else "F"
            birth = birth_date(rng, 1962, 1996)
            name = make_name(rng, sex, plain=True)
            while _same_name(p, name):
                name = make_name(rng, sex, plain=True)
            rep = Representative(kind, name.full, birth, sex, self.numbers.national(rng, sex, birth[0]))
            self._mandate(rep)
            outside.register_representative(rng, self.world, rep, name, p.outcome, self._recent_date(20, 120))
            if use_account:
                rep.account = self._accounts.representative(rep)
                self._last_guardian = rep if kind == "GUARDIAN" and p.outcome == Outcome.ACCOUNT else self._last_guardian
        p.representative, p.collected_by_representative = rep, True
        p.method, p.wish, p.account = ("ACCOUNT", "TK", rep.account) if use_account else ("POST", "TM", None)

    def _mandate(self, rep: Representative) -> None:
        """Papers that are valid on the business date and through the month; an authorisation lasts twelve months at most."""
        start = self._recent_date(20, 240)
        rep.valid_from = f"{start[8:]}/{start[5:7]}/{start[:4]}"
        if rep.kind == "AUTHORISED":
            rep.valid_to = f"{min(int(start[8:]), 28):02d}/{start[5:7]}/{int(start[:4]) + 1}"
            rep.certificate = f"{self.rng.randint(3, 900)}/UQ-{start[:4]}"
        else:
            rep.certificate = f"{self.rng.randint(3, 300)}/QĐ-UBND"
