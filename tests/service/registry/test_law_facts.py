"""What changes a month besides rates: ages, pauses, groups, institutions, pensions, limits, top-ups, drafts; and why, when asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest
from registry_law_model import Decision, Other, Person, Span, at, first_day, insert

from common.actor import SYSTEM
from registry.domain.law import RULES
from registry.main import load_reference_data
from registry.storage import dues
from registry.storage.publishing import take_people_lock

KNOWN = date(2024, 8, 20)
START = at(2024, 7)


async def store(world: Any, person: Person, known: date = KNOWN, unit_path: str = "60/593/22924") -> UUID:
    async with world.db.transaction(SYSTEM("test")) as tx:
        await take_people_lock(tx)
        person_id = await insert(tx, person, unit_path)
        await dues.recompute(tx, [person_id], known)
    return person_id


async def lines(world: Any, person_id: UUID, month: int) -> dict[tuple[str, str], int]:
    """(funding source, line) → đồng of a month."""
    async with world.db.read() as tx:
        return {
            (row["funding_source"], row["benefit_line"]): row["amount"] for row in await dues.intervals_of(tx, person_id, first_day(month))
        }


async def sums(world: Any, person_id: UUID, months: Sequence[int]) -> list[int]:
    return [sum((await lines(world, person_id, month)).values()) for month in months]


async def again(world: Any, statement: str, person_id: UUID, known: date = KNOWN, **values: Any) -> None:
    async with world.db.transaction(SYSTEM("test")) as tx:
        await take_people_lock(tx)
        await tx.execute(statement, id=person_id, **values)
        await dues.recompute(tx, [person_id], known)


def as_owner(world: Any, statement: str) -> None:
    with psycopg.connect(world.settings.owner_database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


# category, birthday, whose, đồng in the months before, of and after the birthday
BIRTHDAYS = (
    ("SA1_LT4", 4, False, (1_250_000, 750_000, 750_000)), ("SA1_GE4", 16, False, (750_000, 750_000, 0)),
    ("SA2", 22, False, (750_000, 750_000, 0)), ("SA3_LT4", 4, False, (1_250_000, 1_000_000, 1_000_000)),
    ("SA3_4_16", 16, False, (1_000_000, 1_000_000, 0)), ("SA4", 16, True, (500_000, 500_000, 0)),
    ("SA4_STUDY", 22, True, (500_000, 500_000, 0)), ("SA5A_60_80", 80, False, (750_000, 1_000_000, 1_000_000)),
    ("SA5B", 80, False, (500_000, 500_000, 500_000)), ("SA6_XS_CE", 16, False, (1_250_000, 1_000_000, 1_000_000)),
    ("SA6_XS", 60, False, (1_000_000, 1_250_000, 1_250_000)), ("SA6_S_CE", 16, False, (1_000_000, 750_000, 750_000)),
    ("SA6_S", 60, False, (750_000, 1_000_000, 1_000_000)), ("SA7", 3, False, (750_000, 750_000, 0)),
    ("CS_CHILD_LT4", 4, True, (1_250_000, 750_000, 750_000)), ("CS_CHILD_4_16", 16, True, (750_000, 750_000, 0)),
    ("CS_PREG1", 3, True, (750_000, 750_000, 0)), ("CS_PREG2", 3, True, (1_000_000, 750_000, 750_000)),
    ("CS_FOSTER_XS_CHILD", 16, True, (1_250_000, 750_000, 750_000)),
)  # fmt: skip


async def test_birthdays_change_the_level_in_their_month_or_stop_it_the_month_after(world: Any) -> None:
    birthday = at(2025, 2)
    for category, years, of_child, amounts in BIRTHDAYS:
        born = birthday - years * 12
        decision = Decision(category, START, child_born=born if of_child else None)
        person_id = await store(world, Person(None if of_child else born, (decision,)))
        assert tuple(await sums(world, person_id, (birthday - 1, birthday, birthday + 1))) == amounts, category


async def test_a_birth_year_alone_counts_from_january_until_the_question_is_answered_otherwise(world: Any) -> None:
    person_id = await store(world, Person(at(1945, 1), (Decision("SA5A_60_80", START),)))
    await again(world, "UPDATE person SET birth_date = '1945' WHERE person_id = :id", person_id)
    assert await sums(world, person_id, (at(2024, 12), at(2025, 1))) == [750_000, 1_000_000]
    as_owner(
        world, "UPDATE policy_setting SET value = 'LAST', decided_by = 'x', decided_on = '2024-08-01' WHERE code = 'BIRTH_MONTH_UNKNOWN'"
    )
    await again(world, "UPDATE person SET version = version + 1 WHERE person_id = :id", person_id)
    assert await sums(world, person_id, (at(2025, 11), at(2025, 12))) == [750_000, 1_000_000]


async def test_a_pause_takes_its_months_away_and_gives_them_back_when_it_proves_wrong(world: Any) -> None:
    pause = Span(at(2024, 9), at(2024, 10))
    person_id = await store(world, Person(None, (Decision("SA6_S", START, pauses=(pause,)),)))
    months = (at(2024, 8), at(2024, 9), at(2024, 10), at(2024, 11))
    assert await sums(world, person_id, months) == [750_000, 0, 0, 750_000]
    await again(
        world,
        "UPDATE entitlement_pause u SET back_pay = true FROM entitlement e WHERE e.entitlement_id = u.entitlement_id AND e.person_id = :id",
        person_id,
    )
    assert await sums(world, person_id, months) == [750_000] * 4


async def test_a_household_that_leaves_poverty_loses_the_allowance_the_month_after_and_regains_it(world: Any) -> None:
    groups = (Span(at(2024, 8), at(2024, 10), "POOR"), Span(at(2024, 11), at(2025, 1), "NEAR_POOR"), Span(at(2025, 2), None, "POOR"))
    person_id = await store(world, Person(None, (Decision("SA5A_60_80", START),), groups=groups))
    expected = [750_000] * 4 + [0] * 3 + [750_000]  # July 2024 is not recorded yet: the decision holds
    assert await sums(world, person_id, range(at(2024, 7), at(2025, 3))) == expected


async def test_an_unrecorded_group_is_a_question_with_an_answer(world: Any) -> None:
    person_id = await store(world, Person(None, (Decision("SA5A_60_80", START), Decision("SA6_S", START))))
    assert await sums(world, person_id, (START,)) == [750_000]
    as_owner(world, "UPDATE policy_setting SET value = 'SET_ASIDE' WHERE code = 'GROUP_NOT_RECORDED'")
    await again(world, "DELETE FROM entitlement WHERE person_id = :id AND category = 'SA6_S'", person_id)
    assert await sums(world, person_id, (START,)) == [0]


async def test_a_stay_in_an_institution_ends_the_community_allowance_from_the_month_after(world: Any) -> None:
    person_id = await store(world, Person(None, (Decision("SA6_S", START),), stays=(Span(at(2024, 8), at(2024, 10)),)))
    assert await sums(world, person_id, range(at(2024, 7), at(2024, 12))) == [750_000, 750_000, 0, 0, 750_000]


async def test_a_pension_excludes_the_social_pension_unless_it_is_lower(world: Any) -> None:
    known, months = date(2025, 8, 1), (at(2025, 8),)
    for amount, expected in ((499_999, 500_000), (500_000, 0), (None, 0)):
        other = Other(Span(at(2025, 7), None), amount)
        person_id = await store(world, Person(None, (Decision("SP_75", at(2025, 7)),), others=(other,)), known)
        assert await sums(world, person_id, months) == [expected]
    person_id = await store(world, Person(None, (Decision("SA5C", START),), others=(Other(Span(at(2024, 9), None), 1),)), known)
    assert await sums(world, person_id, (at(2024, 8), at(2024, 9))) == [500_000, 0], "clause 5c knows no lower pension"


async def test_two_survivor_allowances_and_one_for_nurturing_and_the_highest_for_carers(world: Any) -> None:
    held = [Decision("MR_SURVIVOR", START)] * 3 + [Decision("MR_NURTURE", START), Decision("MR_SURVIVOR_NURTURE", START)]
    held += [Decision("MR_WOUNDED_CARER_81", START), Decision("MR_WOUNDED_CARER_SPECIAL", START), Decision("MR_MARTYR_1", START)]
    person_id = await store(world, Person(None, tuple(held)))
    assert await lines(world, person_id, START) == {
        ("CENTRAL_BUDGET", "M11"): 2 * 1_565_000, ("CENTRAL_BUDGET", "M04"): 2_231_000, ("CENTRAL_BUDGET", "M12"): 3_582_000,
        ("CENTRAL_BUDGET", "M03"): 2_789_000,
    }  # fmt: skip
    async with world.db.read() as tx:
        found = await dues.candidates(tx, person_id, first_day(START), KNOWN)
    outcomes = sorted((row["category"], row["outcome"]) for row in found if row["outcome"] != "COUNTS")
    (nurturing,) = [one for one in outcomes if "NURTURE" in one[0]]
    assert nurturing[1] == "HIGHEST_ONLY"
    assert [one for one in outcomes if one != nurturing] == [("MR_SURVIVOR", "LIMIT"), ("MR_WOUNDED_CARER_81", "HIGHEST_ONLY")]
    assert all(row["basis"] for row in found)


async def test_single_parent_beside_disability_but_not_beside_a_social_pension(world: Any) -> None:
    known = date(2025, 8, 1)
    children = (Decision("SA4", at(2025, 7)), Decision("SA4", at(2025, 7)))
    for other, expected in (("SA6_S", 1_750_000), ("SA8", 1_750_000), ("SP_75", 1_000_000), ("SA2", 1_000_000)):
        person_id = await store(world, Person(None, (*children, Decision(other, at(2025, 7)))), known)
        assert await sums(world, person_id, (at(2025, 8),)) == [expected], other


async def test_assistance_and_social_pension_pay_the_higher_one_only_care_support_on_top(world: Any) -> None:
    held = (Decision("SA6_S", at(2025, 7)), Decision("SP_75", at(2025, 7)), Decision("CS_HH_XS", at(2025, 7)))
    person_id = await store(world, Person(None, held), date(2025, 8, 1))
    assert await lines(world, person_id, at(2025, 8)) == {("LOCAL_BUDGET", "A01"): 750_000, ("LOCAL_BUDGET", "A03"): 500_000}


async def test_death_of_a_child_ends_what_its_carer_is_paid_for_it(world: Any) -> None:
    child = await store(world, Person(at(2020, 1), ()))
    carer = await store(world, Person(None, (Decision("CS_CHILD_4_16", START),)))
    await again(world, "UPDATE entitlement SET dependant_id = :child WHERE person_id = :id", carer, child=child)
    await again(world, "UPDATE person SET status = 'DECEASED', death_date = '2024-10-03' WHERE person_id = :id", child)
    assert await sums(world, carer, (at(2024, 10), at(2024, 11))) == [750_000, 0], "recomputed with the child"


async def test_one_off_sums_stand_in_their_month_on_a_line_of_their_own_and_after_death(world: Any) -> None:
    person = Person(None, (Decision("SA6_S", START),), died=at(2024, 8), one_offs=((at(2024, 9), 10_000_000),))
    person_id = await store(world, person)
    assert [await lines(world, person_id, month) for month in range(at(2024, 8), at(2024, 11))] == [
        {("LOCAL_BUDGET", "A01"): 750_000}, {("CENTRAL_BUDGET", "C01"): 10_000_000}, {}
    ]  # fmt: skip
    await again(world, "UPDATE one_off_due SET cancelled_on = '2024-09-10' WHERE person_id = :id", person_id)
    assert await lines(world, person_id, at(2024, 9)) == {}


async def test_a_province_pays_the_difference_to_its_own_standard_from_its_own_budget(world: Any) -> None:
    as_owner(
        world,
        "INSERT INTO provincial_top_up (code, unit_prefixes, mode, standard, category, amount_vnd, applies_from, applies_to, known_from,"
        " legal_basis) VALUES"
        " ('HIGHER', '{60}', 'DIFFERENCE', 'SA_STANDARD', NULL, 650000, '2024-09-01', '2024-11-30', '2024-08-01', 'NQ 1'),"
        " ('BESIDE', '{60/593}', 'BESIDE', NULL, 'SA6_XS', 100000, '2024-10-01', NULL, '2024-08-01', 'NQ 2'),"
        " ('ELSEWHERE', '{38}', 'BESIDE', NULL, 'SA6_XS', 900000, '2024-07-01', NULL, '2024-08-01', 'NQ 3'),"
        " ('INSTEAD', NULL, 'INSTEAD', NULL, 'SA5D', 2000000, '2024-10-01', NULL, '2024-08-01', 'NQ 4')",
    )
    severe = await store(world, Person(None, (Decision("SA6_XS", START),)))
    a, own = ("LOCAL_BUDGET", "A01"), ("PROVINCIAL_BUDGET", "A01")
    assert [await lines(world, severe, month) for month in range(at(2024, 8), at(2025, 1))] == [
        {a: 1_000_000}, {a: 1_000_000, own: 300_000}, {a: 1_000_000, own: 400_000}, {a: 1_000_000, own: 400_000},
        {a: 1_000_000, own: 100_000},
    ]  # fmt: skip
    both = await store(world, Person(None, (Decision("SA6_XS", START), Decision("SA5D", START))))
    assert [await lines(world, both, month) for month in (at(2024, 8), at(2024, 9), at(2024, 10))] == [
        {a: 1_500_000}, {a: 1_500_000, own: 450_000}, {own: 2_000_000},
    ], "the higher level counts, with what the province adds"  # fmt: skip
    elsewhere = await store(world, Person(None, (Decision("SA6_S", START),)), unit_path="38/1/2")
    assert await lines(world, elsewhere, at(2024, 10)) == {a: 750_000}
    async with world.db.read() as tx:
        (row,) = [one for one in await dues.candidates(tx, severe, first_day(at(2024, 10)), KNOWN) if one["outcome"] == "COUNTS"]
    assert sorted((top["funding_source"], top["amount"], top["basis"]) for top in row["tops"]) == [
        ("PROVINCIAL_BUDGET", 100_000, "NQ 2"), ("PROVINCIAL_BUDGET", 300_000, "NQ 1")
    ]  # fmt: skip


async def test_a_draft_of_the_law_counts_for_nobody_until_asked_for_or_approved(world: Any) -> None:
    person_id = await store(world, Person(None, (Decision("SA6_S", START),)))

    async def what_if(change: UUID) -> int:
        async with world.db.transaction(SYSTEM("test")) as tx:
            await dues.derive(tx, [person_id], KNOWN, change)
            return int(await tx.value("SELECT sum(amount) FROM due_now WHERE from_month <= '2025-06-01' AND until > '2025-06-01'"))

    async with world.db.transaction(SYSTEM("test")) as tx:
        change = await tx.value(
            "INSERT INTO law_change (title_vi, title_en, legal_basis, created_by) VALUES ('a', 'b', 'c', 'maker') RETURNING change_id"
        )
        await tx.execute(
            "INSERT INTO benefit_standard (standard, applies_from, known_from, amount_vnd, legal_basis, confidence, change_id)"
            " VALUES ('SA_STANDARD', '2025-01-01', '2025-01-01', 600000, 'c', 'draft', :change)",
            change=change,
        )
    assert await what_if(change) == 900_000
    async with world.db.transaction(SYSTEM("test")) as tx:
        assert await dues.recompute(tx, [person_id], date(2025, 2, 1)) == 0
    assert await sums(world, person_id, (at(2025, 6),)) == [750_000]
    as_owner(world, "UPDATE law_change SET state = 'APPROVED', approved_by = 'checker', approved_at = now()")
    async with world.db.transaction(SYSTEM("test")) as tx:
        assert await dues.recompute(tx, [person_id], date(2025, 2, 1)) == 1
    assert await sums(world, person_id, (at(2024, 12), at(2025, 1), at(2025, 6))) == [750_000, 900_000, 900_000]


async def test_the_application_writes_no_law_in_force(world: Any) -> None:
    for statement in (
        "INSERT INTO category_step (category, age_months, legal_basis) VALUES ('SA8', 1, 'x')",
        "DELETE FROM category_step",
        "UPDATE category_step SET age_months = 1",
        "UPDATE stacking_rule SET keep = 3",
        "DELETE FROM policy_setting",
        "UPDATE policy_setting SET value = 'SET_ASIDE' WHERE code = 'GROUP_NOT_RECORDED'",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with world.db.transaction() as tx:
                await tx.execute(statement)


async def test_a_setting_takes_only_an_answer_the_engine_knows(world: Any) -> None:
    with pytest.raises(Exception, match="policy_setting_check"):
        as_owner(world, "UPDATE policy_setting SET value = 'PERHAPS' WHERE code = 'GROUP_NOT_RECORDED'")


OUTCOMES = (
    (Person(None, (Decision("SA6_S", START),)), START, "COUNTS"),
    (Person(None, (Decision("SA6_S", START),)), START - 1, "NOT_STARTED"),
    (Person(None, (Decision("SA6_S", START, end=START + 2),)), START + 2, "ENDED"),
    (Person(None, (Decision("SA6_S", START),), died=START), START + 1, "AFTER_DEATH"),
    (Person(at(2008, 8), (Decision("SA1_GE4", START),)), START + 2, "AGE_STOP"),
    (Person(None, (Decision("SA5C", START),)), at(2025, 7), "NOT_IN_FORCE"),
    (Person(None, (Decision("SP_75", START),)), START, "NOT_IN_FORCE"),
    (Person(None, (Decision("MR_WORSHIP", START),)), START + 1, "NOT_THIS_MONTH"),
    (Person(None, (Decision("MR_PRISON", START - 1),)), START - 1, "RATE_MISSING"),
    (Person(None, (Decision("SA6_S", START, pauses=(Span(START, None),)),)), START, "PAUSED"),
    (Person(None, (Decision("SA6_S", START),), stays=(Span(START, None),)), START + 1, "INSTITUTION"),
    (Person(None, (Decision("SA5C", START),), others=(Other(Span(START, None), 5),)), START, "OTHER_BENEFIT"),
    (Person(None, (Decision("SA8", START),), groups=(Span(START, None, "NEAR_POOR"),)), START, "NOT_IN_GROUP"),
)  # fmt: skip


async def test_every_decision_of_a_month_says_whether_it_counts_and_by_which_rule_not(world: Any) -> None:
    for person, month, expected in OUTCOMES:
        person_id = await store(world, person)
        async with world.db.read() as tx:
            (row,) = await dues.candidates(tx, person_id, first_day(month), KNOWN)
        assert row["outcome"] == expected, person
        assert row["basis"] or RULES[expected].legal_basis
        assert RULES[expected].vi
        assert RULES[expected].en


async def test_the_catalogue_and_the_rules_name_each_other(world: Any) -> None:
    async with world.db.read() as tx:
        assert (
            await tx.value("SELECT count(*) FROM benefit_category c JOIN stacking_rule g USING (stack_group) WHERE g.rule <> c.stack_rule")
            == 0
        )
        assert await tx.value("SELECT count(*) FROM benefit_category c WHERE c.name_en = '' OR c.start_basis = ''") == 0
        assert await tx.value("SELECT count(*) FROM policy_setting WHERE question_vi = '' OR question_en = '' OR legal_ref = ''") == 0
        # a line of one HIGHEST group only may carry arrears among its months; any other line keeps them apart
        shared = await tx.rows(
            "SELECT benefit_line FROM benefit_category GROUP BY 1"
            " HAVING count(DISTINCT stack_group) > 1 OR bool_or(stack_rule <> 'HIGHEST')"
        )
        mixed = await tx.rows("SELECT DISTINCT benefit_line FROM benefit_category WHERE NOT arrears_apart")
        assert not {row["benefit_line"] for row in shared} & {row["benefit_line"] for row in mixed}


async def test_open_questions_are_read_with_their_answers(world: Any) -> None:
    items = (await world.maker.get("/v1/dues/policy-settings")).json()["items"]
    found = {item["code"]: item for item in items}
    assert found["GROUP_NOT_RECORDED"]["value"] == "KEEP"
    assert found["GROUP_NOT_RECORDED"]["allowed"] == ["KEEP", "SET_ASIDE"]
    assert all(item["question_vi"] and item["question_en"] and item["value"] in item["allowed"] for item in items)
    as_owner(
        world,
        "UPDATE policy_setting SET value = 'SET_ASIDE', decided_by = 'x', decided_on = '2024-08-01' WHERE code = 'GROUP_NOT_RECORDED'",
    )
    await load_reference_data(world.settings)
    async with world.db.read() as tx:
        kept = await tx.value("SELECT value FROM policy_setting WHERE code = 'GROUP_NOT_RECORDED'")
    assert kept == "SET_ASIDE", "an answer somebody gave outlives a release"
