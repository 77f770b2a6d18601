"""Who counts as poor or near-poor: listed by one, approved by another, dated, and everybody touched is computed anew."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from registry_test_helpers import row
from sqlalchemy.exc import IntegrityError

from common.actor import Role
from registry.domain.group_rows import read_row, words

DAY = "2024-08-20"
LIST = {"unit_code": "22924", "from_date": "2024-01-01", "decision_number": "45/QĐ-UBND", "business_date": DAY}
KNOWN = words([
    {"code": "POOR", "name_vi": "Hộ nghèo", "name_en": "Poor household"},
    {"code": "NEAR_POOR", "name_vi": "Hộ cận nghèo", "name_en": "Near-poor household"},
])  # fmt: skip


@pytest.fixture
async def homes(world: Any) -> list[str]:
    """Three households of one person each, codes H-0 … H-2."""
    await world.take([row(f"A-{n}", f"06019000000{n}") for n in range(3)])
    made = []
    for n in range(3):
        members = [{"beneficiary_id": await world.id_of(f"A-{n}"), "relation": "Chủ hộ"}]
        body = {"code": f"H-{n}", "unit_code": "22924", "business_date": DAY, "from_date": "2023-01-01", "members": members}
        answer = await world.maker.post("/v1/households", json=body, headers={"Idempotency-Key": f"household-{n}"})
        made.append(answer.json()["household_id"])
    return made


async def send(world: Any, rows: list[dict[str, str]], key: str, **more: Any) -> str:
    answer = await world.maker.post("/v1/group-lists", json=LIST | {"rows": rows} | more, headers={"Idempotency-Key": f"group-list-{key}"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["list_id"])


async def approve(world: Any, list_id: str, client: Any = None, day: str = DAY) -> Any:
    return await (client or world.checker).post(f"/v1/group-lists/{list_id}/approve", json={"business_date": day})


async def groups(world: Any, household: str) -> list[tuple[str, str, str | None]]:
    found = (await world.maker.get(f"/v1/households/{household}")).json()["groups"]
    return [(item["group_code"], item["from_date"], item["to_date"]) for item in found]


async def test_a_list_waits_for_a_second_person_and_then_holds_from_its_day(world: Any, homes: list[str]) -> None:
    list_id = await send(world, [{"household_code": "H-0", "group": "Hộ nghèo"}, {"file_code": "A-1", "group": "OTHER"}], "1")
    assert await groups(world, homes[0]) == []
    officer = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="maker")
    assert (await approve(world, list_id, officer)).json()["type"] == "/problems/same-person"
    done = (await approve(world, list_id)).json()
    assert (done["state"], done["started"], done["ended"], done["people_affected"]) == ("APPROVED", 2, 0, 2)
    assert await groups(world, homes[0]) == [("POOR", "2024-01-01", None)]
    for code, group, count in (("A-0", "POOR", 1), ("A-1", "OTHER", 1)):
        found = (await world.maker.get("/v1/beneficiaries", params={"group": group, "group_on": "2024-01-01"})).json()["items"]
        assert [item["file_code"] for item in found] == [code] * count
    assert (await world.maker.get("/v1/beneficiaries", params={"group": "POOR", "group_on": "2023-12-31"})).json()["items"] == []
    assert (await approve(world, list_id)).status_code == 409
    poor = (await world.maker.get("/v1/households", params={"group": "POOR", "group_on": DAY})).json()["items"]
    assert [item["code"] for item in poor] == ["H-0"]


async def test_groups_of_one_set_follow_each_other_without_gap_or_overlap(world: Any, homes: list[str]) -> None:
    await approve(world, await send(world, [{"household_code": "H-0", "group": "POOR"}], "1"))
    await approve(world, await send(world, [{"household_code": "H-0", "group": "NEAR_POOR"}], "2", from_date="2024-06-01"))
    assert await groups(world, homes[0]) == [("POOR", "2024-01-01", "2024-05-31"), ("NEAR_POOR", "2024-06-01", None)]
    back = await send(world, [{"household_code": "H-0", "group": "POOR"}], "3", from_date="2024-03-01")
    (refused,) = (await world.maker.get(f"/v1/group-lists/{back}/rows")).json()["items"]
    assert [item["code"] for item in refused["reasons"]] == ["LATER_MEMBERSHIP"]
    await approve(world, await send(world, [{"household_code": "H-0", "group": "NEAR_POOR", "action": "END"}], "4", from_date="2024-08-01"))
    assert (await groups(world, homes[0]))[-1] == ("NEAR_POOR", "2024-06-01", "2024-07-31")


async def test_a_full_review_ends_who_is_not_listed_and_the_same_again_changes_nothing(world: Any, homes: list[str]) -> None:
    await approve(world, await send(world, [{"household_code": f"H-{n}", "group": "POOR"} for n in range(3)], "1"))
    review = {"mode": "FULL_REVIEW", "groups": ["POOR", "NEAR_POOR"], "from_date": "2024-08-01"}
    rows = [{"household_code": "H-0", "group": "POOR"}, {"household_code": "H-1", "group": "NEAR_POOR"}]
    done = (await approve(world, await send(world, rows, "2", **review))).json()
    assert (done["started"], done["ended"], done["people_affected"]) == (1, 2, 2)
    assert await groups(world, homes[0]) == [("POOR", "2024-01-01", None)]
    assert await groups(world, homes[1]) == [("POOR", "2024-01-01", "2024-07-31"), ("NEAR_POOR", "2024-08-01", None)]
    assert await groups(world, homes[2]) == [("POOR", "2024-01-01", "2024-07-31")]
    again = (await approve(world, await send(world, rows, "3", **review))).json()
    assert (again["started"], again["ended"], again["dues_changed"]) == (0, 0, 0)


async def test_a_full_review_with_a_refused_row_is_not_applied(world: Any, homes: list[str]) -> None:
    await approve(world, await send(world, [{"household_code": "H-0", "group": "POOR"}], "1"))
    review = {"mode": "FULL_REVIEW", "groups": ["POOR"], "from_date": "2024-08-01"}
    list_id = await send(world, [{"household_code": "H-O", "group": "POOR"}], "2", **review)
    assert (await approve(world, list_id)).status_code == 409
    assert await groups(world, homes[0]) == [("POOR", "2024-01-01", None)]


async def test_a_file_gives_every_row_its_verdict_and_is_taken_once(world: Any, homes: list[str]) -> None:
    text = (
        "KẾT QUẢ RÀ SOÁT HỘ NGHÈO\n\nSTT,Mã hộ,Họ tên chủ hộ,Diện,Biến động\n1,H-0,Một,Hộ nghèo,\n2,H-1,Hai,cận nghèo,Vào\n"
        "3,H-0,Một,Hộ cận nghèo,\n4,H-77,Ai,HN,\n5,,Không mã,HN,\n6,H-2,Ba,Giàu,\n"
    )

    async def take(key: str) -> Any:
        fields = {name: LIST[name] for name in ("unit_code", "from_date", "decision_number", "business_date")}
        return await world.maker.post(
            "/v1/group-lists/file",
            data=fields,
            files={"file": ("ra-soat.csv", text.encode())},
            headers={"Idempotency-Key": f"review-{key}"},
        )

    taken = await take("one")
    assert taken.status_code == 202, taken.text
    list_id = taken.json()["list_id"]
    assert (await take("two")).json() == {"list_id": list_id, "already_taken": True}
    rows = (await world.maker.get(f"/v1/group-lists/{list_id}/rows")).json()["items"]
    assert [(item["row_number"], [reason["code"] for reason in item["reasons"]]) for item in rows] == [
        (4, []), (5, []), (6, ["DUPLICATE_SUBJECT"]), (7, ["UNKNOWN_SUBJECT"]), (8, ["MISSING_SUBJECT"]), (9, ["UNKNOWN_GROUP"]),
    ]  # fmt: skip
    done = (await approve(world, list_id)).json()
    assert (done["rows_good"], done["rows_refused"], done["started"]) == (2, 4, 2)


async def test_a_list_can_be_sent_back_and_another_area_does_not_see_it(world: Any, homes: list[str]) -> None:
    list_id = await send(world, [{"household_code": "H-0", "group": "POOR"}], "1")
    other = world.client_as(world.app, Role.DISTRICT_OFFICER, units=("60/594",), subject="other")
    assert (await approve(world, list_id, other)).status_code == 404
    back = await world.checker.post(f"/v1/group-lists/{list_id}/reject", json={"business_date": DAY, "reason": "thiếu chữ ký"})
    assert (back.json()["state"], back.json()["rejection"]) == ("REJECTED", "thiếu chữ ký")
    assert (await approve(world, list_id)).status_code == 409


async def test_a_new_group_needs_two_department_officers(world: Any, homes: list[str]) -> None:
    body = {
        "code": "DISASTER",
        "name_vi": "Hộ bị thiên tai",
        "name_en": "Disaster household",
        "legal_basis": "Nghị định 20/2021/NĐ-CP Điều 12",
    }
    assert (await world.maker.post("/v1/groups", json=body, headers={"Idempotency-Key": "group-00001"})).status_code == 403
    asked = await world.checker.post("/v1/groups", json=body, headers={"Idempotency-Key": "group-00002"})
    path = f"/v1/groups/requests/{asked.json()['request_id']}/approve"
    assert (await world.checker.post(path)).json()["type"] == "/problems/same-person"
    district = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60/593",), subject="district")
    assert (await district.post(path)).status_code == 403  # the catalogue of groups is the whole province's
    assert "group_requests" not in [item["kind"] for item in (await district.get("/v1/work")).json()["items"]]
    second = world.client_as(world.app, Role.DEPARTMENT_OFFICER, units=("60",), subject="second")
    assert "DISASTER" in [item["code"] for item in (await second.post(path)).json()]
    await approve(world, await send(world, [{"household_code": "H-0", "group": "Hộ bị thiên tai"}], "1"))
    assert await groups(world, homes[0]) == [("DISASTER", "2024-01-01", None)]


async def test_a_split_keeps_groups_only_when_said(world: Any, homes: list[str]) -> None:
    join = {"business_date": DAY, "from_date": "2024-02-01", "leave_previous": True}
    member = {"beneficiary_id": await world.id_of("A-1"), "relation": "Con"}
    await approve(world, await send(world, [{"household_code": "H-0", "group": "POOR"}], "1"))
    joined = await world.maker.post(f"/v1/households/{homes[0]}/members", json=join | {"members": [member]}, headers={"If-Match": '"1"'})
    assert joined.status_code == 200, joined.text
    split = {"business_date": DAY, "from_date": "2024-08-01", "members": [member], "keep_groups": True, "code": "H-9"}
    made = await world.maker.post(f"/v1/households/{homes[0]}/split", json=split, headers={"If-Match": '"2"'})
    assert made.status_code == 201, made.text
    assert await groups(world, made.json()["household_id"]) == [("POOR", "2024-08-01", None)]
    found = (await world.maker.get("/v1/beneficiaries", params={"group": "POOR", "group_on": "2024-05-01"})).json()["items"]
    assert {item["file_code"] for item in found} == {"A-0", "A-1"}


async def test_what_was_ended_later_is_not_listed_over(world: Any, homes: list[str]) -> None:
    """In until May by a decision of June: neither another group nor an end of an earlier day goes behind that decision."""
    near_poor = {"household_code": "H-0", "group": "NEAR_POOR"}
    await approve(world, await send(world, [near_poor], "1", from_date="2024-04-01"))
    await approve(world, await send(world, [near_poor | {"action": "END"}], "2", from_date="2024-06-01"))
    for number, row_ in enumerate(({"household_code": "H-0", "group": "POOR"}, near_poor | {"action": "END"})):
        late = await send(world, [row_], f"late-{number}", from_date="2024-05-01")
        (refused,) = (await world.maker.get(f"/v1/group-lists/{late}/rows")).json()["items"]
        assert [item["code"] for item in refused["reasons"]] == ["LATER_MEMBERSHIP"]
    await approve(world, await send(world, [{"household_code": "H-0", "group": "POOR"}], "3", from_date="2024-06-01"))
    assert await groups(world, homes[0]) == [("NEAR_POOR", "2024-04-01", "2024-05-31"), ("POOR", "2024-06-01", None)]


async def test_the_schema_refuses_two_groups_of_a_set_on_one_day(world: Any, homes: list[str]) -> None:
    add = "INSERT INTO group_membership (household_id, group_code, from_date, to_date) VALUES (:id, :code, :first, CAST(:last AS date))"

    async def put(code: str, first: str, last: str | None) -> None:
        async with world.db.transaction() as tx:
            await tx.execute(add, id=homes[0], code=code, first=date.fromisoformat(first), last=last)

    await put("POOR", "2024-01-01", "2024-05-31")
    await put("OTHER", "2024-01-01", None)
    for code, first, last in (("NEAR_POOR", "2024-05-31", None), ("POOR", "2023-01-01", "2024-01-01"), ("OTHER", "2025-01-01", None)):
        with pytest.raises(IntegrityError, match="group_membership_one_of_set_household"):
            await put(code, first, last)
    await put("NEAR_POOR", "2024-06-01", None)


async def timeline(world: Any, codes: list[str]) -> dict[str, list[tuple[str, date, date]]]:
    """Household → its memberships."""
    found: dict[str, list[tuple[str, date, date]]] = {code: [] for code in codes}
    async with world.db.read() as tx:
        for item in await tx.rows(
            "SELECT h.code, g.group_code, g.from_date, coalesce(g.to_date, '9999-12-31') AS last FROM group_membership g"
            " JOIN household h USING (household_id) WHERE h.code = ANY(CAST(:codes AS text[])) ORDER BY g.from_date, g.membership_id",
            codes=codes,
        ):
            found[item["code"]].append((item["group_code"], item["from_date"], item["last"]))
    return found


def on(day: date, memberships: list[tuple[str, date, date]]) -> list[str]:
    """The groups on a day."""
    return sorted(group for group, first, last in memberships if first <= day <= last)


async def listed(world: Any, codes: list[str], key: str, step: Any) -> None:
    """One list, approved; what each row says of itself is what it did, and no row touches the days before its own or another household."""
    month, review, rows = step
    day, eve = date(2024, month, 1), date(2024, month, 1) - timedelta(days=1)
    before = await timeline(world, codes)
    named = dict(zip(codes, rows, strict=True))
    body = [{"household_code": code, "group": asked[0], "action": asked[1]} for code, asked in named.items() if asked]
    more = {"mode": "FULL_REVIEW", "groups": ["POOR", "NEAR_POOR"]} if review else {}
    list_id = await send(world, body, key, from_date=day.isoformat(), **more)
    applied = (await approve(world, list_id)).status_code == 200
    verdicts = {
        item["code"]: item["verdict"] for item in (await world.maker.get(f"/v1/group-lists/{list_id}/rows?limit=200")).json()["items"]
    }
    after = await timeline(world, codes)
    assert applied or (review and "REFUSED" in verdicts.values())
    for code, asked in named.items():
        assert on(eve, after[code]) == on(eve, before[code]), "the day before is history"
        if not applied or verdicts.get(code) == "REFUSED" or not (asked or review):
            assert after[code] == before[code], (code, asked, verdicts.get(code), applied, step)
        elif not asked:
            held = [item for item in after[code] if item[0] != "OTHER" and item[1] < day <= item[2]]
            assert all(item in before[code] and item[2] < date.max for item in held), "what a later decision ended stays until then"
        elif asked[1] == "START":
            assert asked[0] in on(day, after[code])
        else:
            assert asked[0] not in on(day, after[code])
        ends = sorted((group != "OTHER", first, last) for group, first, last in after[code])
        assert all(a[0] != b[0] or a[2] < b[1] for a, b in itertools.pairwise(ends)), "two groups of a set on one day"


HOMES = 12
ROWS = st.lists(
    st.none() | st.tuples(st.sampled_from(["POOR", "NEAR_POOR", "OTHER"]), st.sampled_from(["START", "END"])),
    min_size=HOMES, max_size=HOMES,
).filter(any)  # fmt: skip
STEPS = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 4).map(lambda n: n == 4), ROWS), min_size=3, max_size=9)
LISTING = settings(
    deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, database=None,
    phases=(Phase.explicit, Phase.generate),  # a step is a database's work: failures are shown as found, not made smaller
)  # fmt: skip
example_numbers = itertools.count()


async def lists_in_any_order(world: Any, steps: list[Any]) -> None:
    """Each example has households and keys of its own: what an example before it left is nothing to it."""
    example = f"E{next(example_numbers)}"
    codes = [f"{example}-{n:02d}" for n in range(HOMES)]
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO household (code, unit_code, unit_path, created_by) SELECT code, '22924', '60/593/22924', 'test'"
            " FROM unnest(CAST(:codes AS text[])) AS code",
            codes=codes,
        )
    for number, step in enumerate(steps):
        await listed(world, codes, f"{example}-{number}", step)


@given(steps=STEPS)
@settings(LISTING, max_examples=12)
async def test_whatever_is_listed_a_household_is_in_one_group_of_a_set_on_any_day(world: Any, steps: list[Any]) -> None:
    await lists_in_any_order(world, steps)


@pytest.mark.slow
@pytest.mark.timeout(300)
@given(steps=STEPS)
@settings(LISTING, max_examples=60)
async def test_sixty_orders_of_lists_leave_one_group_of_a_set_on_any_day(world: Any, steps: list[Any]) -> None:
    await lists_in_any_order(world, steps)


@given(st.dictionaries(st.sampled_from(["household_code", "file_code", "group", "action"]), st.text(max_size=30)))
def test_any_row_is_read_or_refused_with_reasons(values: dict[str, str]) -> None:
    found = read_row(values, KNOWN)
    assert bool(found.reasons) == (not (found.code and found.group) or any(item.code == "BAD_ACTION" for item in found.reasons))
    assert all(item.vi and item.en for item in found.reasons)


async def test_a_review_of_december_holds_from_january_and_reaches_its_dues(world: Any) -> None:
    await world.take([row("A-1", "060190000001", "SA3_4_16", birth_date="02/03/2015")])
    members = [{"beneficiary_id": await world.id_of("A-1"), "relation": "Chủ hộ"}]
    body = {"code": "H-1", "unit_code": "22924", "business_date": DAY, "from_date": "2023-01-01", "members": members}
    await world.maker.post("/v1/households", json=body, headers={"Idempotency-Key": "household-1"})
    await approve(world, await send(world, [{"household_code": "H-1", "group": "POOR"}], "1"))
    assert (await world.due("A-1", "2025-01"))["total"] > 0
    december = {"business_date": "2024-12-12", "from_date": "2025-01-01"}
    ending = [{"household_code": "H-1", "group": "POOR", "action": "END"}]
    answer = await approve(world, await send(world, ending, "2", **december), day="2024-12-13")
    assert answer.status_code == 200, answer.text
    assert [(await world.due("A-1", month))["total"] > 0 for month in ("2024-12", "2025-01")] == [True, False]
    too_far = LIST | {"rows": ending, "business_date": "2024-12-12", "from_date": "2025-03-13"}
    refused = await world.maker.post("/v1/group-lists", json=too_far, headers={"Idempotency-Key": "group-list-far"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0] == {
        "field": "from_date",
        "detail": "more than 3 months after the business date: 2025-03-12 at the latest",
        "detail_vi": "sau ngày nghiệp vụ quá 3 tháng: muộn nhất là 12/03/2025",
    }
    world.settle("ENTERED_AHEAD_MONTHS", "0")
    early = await world.maker.post(
        "/v1/group-lists", json=LIST | december | {"rows": ending}, headers={"Idempotency-Key": "group-list-early"}
    )
    assert early.json()["errors"][0]["field"] == "from_date"
