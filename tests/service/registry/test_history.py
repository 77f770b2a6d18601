"""As of a day, as known on a day: every record, through the API, against a model that replays the changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from registry_test_helpers import row

from common import audit
from common.actor import SYSTEM, Role
from registry.storage import history

FIRST = date(2024, 8, 1)
NAMES = ("Nguyễn Thị Hoà", "Nguyễn Thị Hoa", "Trần Văn Bình")
UNITS = ("22924", "22915")
CHANGE = st.one_of(
    st.tuples(st.just("full_name"), st.sampled_from(NAMES)),
    st.tuples(st.just("unit_code"), st.sampled_from(UNITS)),
    st.tuples(st.just("preference"), st.sampled_from(("DECLINES", "WANTS_ACCOUNT", "FORCE_MAJEURE"))),
    st.tuples(st.just("address"), st.sampled_from(("Thôn 1", "Thôn 2"))),
)
STEPS = st.lists(st.tuples(CHANGE, st.integers(0, 60), st.integers(-40, 20)), max_size=6)


def new(code: str) -> dict[str, Any]:
    return {
        "programme": "SOCIAL_ASSISTANCE", "unit_code": "22924", "business_date": FIRST.isoformat(), "file_code": code,
        "full_name": NAMES[0], "birth_date": "1950", "sex": "F", "preference": "UNKNOWN", "address": "Thôn 1",
        "entitlements": [{"category": "SA6_S_CE", "decision_number": "1/QĐ", "decision_date": "2024-05-10", "from_month": "2024-05"}],
    }  # fmt: skip


@dataclass
class Model:
    """What a record said after each change: (known on, holds from, fields)."""

    told: list[tuple[date, date, dict[str, Any]]] = field(default_factory=list)

    def tell(self, known_on: date, holds_from: date, **fields: Any) -> None:
        last = self.told[-1][2] if self.told else {}
        known = max([known_on, *(item[0] for item in self.told[-1:])])
        self.told.append((known, holds_from, last | fields))

    def on(self, as_of: date, known_on: date) -> dict[str, Any] | None:
        heard = [item for item in self.told if item[0] <= known_on]
        if not heard:
            return None
        return next((fields for _, holds_from, fields in reversed(heard) if holds_from <= as_of), heard[0][2])


async def said(world: Any, kind: str, key: str, as_of: date, known_on: date) -> dict[str, Any] | None:
    answer = await world.checker.get(f"/v1/history/{kind}/{key}", params={"as_of": str(as_of), "known_on": str(known_on)})
    return dict(answer.json()["record"]) if answer.status_code == 200 else None


async def change(world: Any, person: str, name: str, value: str, day: date, holds_from: date | None) -> None:
    """Through the API; a change that holds from another day through the storage that use cases of that kind call."""
    if holds_from is None:
        if name == "full_name":
            current = (await world.checker.get(f"/v1/beneficiaries/{person}")).json()["full_name"]
            if current != value:
                await world.change_identity(person, business_date=str(day), full_name=value)
            return
        read = await world.checker.get(f"/v1/beneficiaries/{person}")
        body = {"business_date": str(day), name: value} | ({"unit_reason": "nhập nhầm mã xã"} if name == "unit_code" else {})
        done = await world.checker.patch(f"/v1/beneficiaries/{person}", json=body, headers={"If-Match": read.headers["ETag"]})
        assert done.status_code == 200, done.text
        return
    async with world.db.transaction(SYSTEM("test")) as tx:
        await history.dated(tx, day, holds_from)
        await tx.execute("UPDATE person SET address = :value, version = version + 1 WHERE person_id = :id", value=value, id=UUID(person))
        await audit.record(tx, "test.address", "beneficiary", person, audit.Created({}))


@settings(
    max_examples=8, deadline=None, print_blob=True, phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking here costs minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS, asked=st.lists(st.tuples(st.integers(-50, 90), st.integers(-5, 90)), min_size=3, max_size=6))
@example(  # written later under an earlier date: what it builds on was not known then, so neither is it
    steps=[(("address", "Thôn 2"), 30, 0), (("unit_code", "22915"), 10, 0)], asked=[(60, 15), (60, 30), (20, 30)]
)
@example(steps=[(("address", "Thôn 2"), 30, -20), (("full_name", NAMES[1]), 40, 0)], asked=[(9, 29), (9, 30), (10, 30), (35, 45)])
async def test_replayed_changes_are_what_the_api_tells(world: Any, steps: Sequence[Any], asked: Sequence[tuple[int, int]]) -> None:
    world.maker = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60",), subject="maker")  # sees the person wherever they move
    code = "H-" + "".join(chr(65 + int(digit, 16)) for digit in uuid4().hex)  # letters: a run of digits may look like a number
    registered = await world.register(new(code), code)
    person = registered.json()["beneficiary_id"]
    model, wishes, answered = Model(), Model(), FIRST
    model.tell(FIRST, FIRST, full_name=NAMES[0], unit_code="22924", address="Thôn 1")
    wishes.tell(FIRST, FIRST, preference="UNKNOWN")
    for (name, value), offset, shift in steps:
        day = FIRST + timedelta(days=offset)
        current = (wishes if name == "preference" else model).told[-1][2]
        holds_from = day + timedelta(days=shift) if name == "address" else None
        await change(world, person, name, value, day, holds_from)
        if name == "preference":
            if current["preference"] != value and (day >= answered or current["preference"] == "UNKNOWN"):  # older news changes nothing
                wishes.tell(day, day, preference=value)
                answered = day
            elif current["preference"] == value:
                answered = max(answered, day)
        elif current[name] != value or name == "address":
            model.tell(day, holds_from or day, **{name: value})
    for as_of, known_on in asked:
        days = (FIRST + timedelta(days=as_of), FIRST + timedelta(days=known_on))
        for kind, expected in (("person", model.on(*days)), ("preference", wishes.on(*days))):
            told = await said(world, kind, person, *days)
            assert (told is None) == (expected is None)
            if expected is not None and told is not None:
                assert {name: told[name] for name in expected} == expected


async def registered(world: Any) -> str:
    await world.take([row("H-1", "060190001234", rep_name="Trần Văn Bình", rep_kind="Ủy quyền", rep_birth="1970", rep_from="01/01/2024")])
    return str(await world.id_of("H-1"))


async def test_who_changed_what(world: Any) -> None:
    person = await registered(world)
    await change(world, person, "full_name", "Nguyễn Thị Hoa", date(2024, 9, 1), None)
    death = await world.checker.post(f"/v1/beneficiaries/{person}/death", json={"death_date": "2024-09-10", "business_date": "2024-09-20"})
    assert death.status_code == 200, death.text
    items = (await world.checker.get(f"/v1/history/person/{person}/versions")).json()["items"]
    assert [(item["change"], item["known_on"], item["changed_by"], item["action"]) for item in items] == [
        ("ADDED", "2024-08-20", "system:import-apply", "import.apply"),
        ("CHANGED", "2024-09-01", "checker", "beneficiary.change"),
        ("CHANGED", "2024-09-20", "checker", "beneficiary.death"),
    ]
    assert {"field": "full_name", "before": "Nguyễn Thị Hoà", "after": "Nguyễn Thị Hoa"} in items[1]["changes"]
    page = (await world.checker.get(f"/v1/history/person/{person}/versions", params={"limit": 2})).json()
    rest = (await world.checker.get(f"/v1/history/person/{person}/versions", params={"cursor": page["next_cursor"]})).json()
    assert page["items"] + rest["items"] == items
    assert (await said(world, "person", person, date(2024, 9, 15), date(2024, 9, 19)) or {})["status"] == "ACTIVE"
    assert (await said(world, "person", person, date(2024, 9, 15), date(2024, 9, 20)) or {})["status"] == "DECEASED"


async def test_a_dossier_is_the_person_and_everything_about_them(world: Any) -> None:
    person = await registered(world)
    asked = {"as_of": "2024-09-01", "known_on": "2024-09-01"}
    items = (await world.checker.get(f"/v1/history/person/{person}/dossier", params=asked)).json()["items"]
    assert [item["kind"] for item in items] == ["person", "entitlement", "preference", "representative"]
    assert all(item["holds"] for item in items)
    text = str(items)
    assert "060190001234" not in text
    assert "SA6_S" not in text
    assert "060*****1234" in text
    early = await world.checker.get(f"/v1/history/person/{person}/dossier", params=asked | {"known_on": "2024-08-19"})
    assert early.status_code == 404


async def test_another_area_sees_no_history(world: Any) -> None:
    person = await registered(world)
    asked = {"as_of": "2024-09-01", "known_on": "2024-09-01"}
    elsewhere = world.client_as(world.app, Role.COMMUNE_OFFICER, units=("60/593/22915",), subject="other")
    for path in (f"person/{person}", f"person/{person}/versions", f"person/{person}/dossier", f"preference/{person}"):
        assert (await elsewhere.get(f"/v1/history/{path}", params=asked)).status_code == 404, path
        assert (await world.maker.get(f"/v1/history/{path}", params=asked)).status_code == 200, path
    await change(world, person, "unit_code", "22915", date(2024, 10, 1), None)
    assert (await world.maker.get(f"/v1/history/person/{person}", params=asked)).status_code == 404, "the file went with the person"
    assert (await elsewhere.get(f"/v1/history/person/{person}", params=asked)).status_code == 200
    for path in ("person/nonsense", "nothing/1", "representative/1", f"person/{uuid4()}"):
        assert (await world.checker.get(f"/v1/history/{path}", params=asked)).status_code == 404, path
    rates = await elsewhere.get("/v1/history/benefit_standard/nothing,2024-07-01,2024-07-01", params=asked)
    assert rates.status_code == 404


async def test_deleted_and_rekeyed_records_stay_known(world: Any) -> None:
    person = await registered(world)
    async with world.db.transaction(SYSTEM("test")) as tx:
        await history.dated(tx, date(2024, 9, 1))
        household = await tx.value(
            "INSERT INTO household (unit_code, unit_path, created_by) VALUES ('1', '60/1', 't') RETURNING household_id"
        )
        await tx.execute(
            "INSERT INTO household_member (household_id, person_id, relation, from_date) VALUES (:h, :p, 'CHILD', '2024-01-01')",
            h=household, p=UUID(person),
        )  # fmt: skip
    async with world.db.transaction(SYSTEM("test")) as tx:
        await history.dated(tx, date(2024, 10, 1))
        await tx.execute("UPDATE household_member SET from_date = '2024-02-01' WHERE person_id = :p", p=UUID(person))
    async with world.db.transaction(SYSTEM("test")) as tx:
        await history.dated(tx, date(2024, 11, 1))
        await tx.execute("DELETE FROM household_member WHERE person_id = :p", p=UUID(person))
    first, second = (f"{household},{person},{day}" for day in ("2024-01-01", "2024-02-01"))
    may = date(2024, 5, 1)
    assert (await said(world, "household_member", first, may, date(2024, 9, 30)) or {})["relation"] == "CHILD"
    gone = await world.checker.get(f"/v1/history/household_member/{first}", params={"as_of": "2024-05-01", "known_on": "2024-10-01"})
    assert (gone.json()["record"], gone.json()["holds"]) == (None, False)
    assert (await said(world, "household_member", second, may, date(2024, 10, 31)) or {})["from_date"] == "2024-02-01"
    removed = await world.checker.get(f"/v1/history/household_member/{second}/versions")
    assert [item["change"] for item in removed.json()["items"]] == ["ADDED", "REMOVED"]


async def test_the_application_can_neither_write_nor_change_history(world: Any) -> None:
    await registered(world)
    for statement in (
        "INSERT INTO record_history (kind, record_key, op, recorded_at, txid, tx_at) VALUES ('person', 'x', 'I', now(), '1', now())",
        "UPDATE record_history SET kind = 'x'",
        "DELETE FROM record_history",
        "UPDATE change_set SET business_date = '2020-01-01'",
        "TRUNCATE record_history",
    ):
        with pytest.raises(Exception) as refused:
            async with world.db.transaction(SYSTEM("test")) as tx:
                await tx.execute(statement)
        assert isinstance(getattr(refused.value, "orig", None), psycopg.errors.InsufficientPrivilege), statement
