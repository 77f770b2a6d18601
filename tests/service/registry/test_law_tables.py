"""Every category and every rate, through the engine, against the amounts of the legal texts."""

from __future__ import annotations

from datetime import date
from typing import Any

from registry_law_model import Decision, Person, amounts_of, at, insert

from common.actor import SYSTEM
from registry.storage import dues
from registry.storage.publishing import take_people_lock

KNOWN = date(2026, 10, 6)

# Decree 20/2021 with the standards 360,000 (from July 2021), 500,000 (Decree 76/2024, July 2024), 540,000 (Decree 335/2026, July 2026).
ASSISTANCE = {
    "SA1_LT4": (900_000, 1_250_000, 1_350_000),
    "SA1_GE4": (540_000, 750_000, 810_000),
    "SA2": (540_000, 750_000, 810_000),
    "SA3_LT4": (900_000, 1_250_000, 1_350_000),
    "SA3_4_16": (720_000, 1_000_000, 1_080_000),
    "SA4": (360_000, 500_000, 540_000),
    "SA5A_60_80": (540_000, 750_000, 810_000),
    "SA5A_GE80": (720_000, 1_000_000, 1_080_000),
    "SA5B": (360_000, 500_000, 540_000),
    "SA5C": (360_000, 500_000, 540_000),
    "SA5D": (1_080_000, 1_500_000, 1_620_000),
    "SA6_XS": (720_000, 1_000_000, 1_080_000),
    "SA6_XS_CE": (900_000, 1_250_000, 1_350_000),
    "SA6_S": (540_000, 750_000, 810_000),
    "SA6_S_CE": (720_000, 1_000_000, 1_080_000),
    "SA7": (540_000, 750_000, 810_000),
    "SA8": (540_000, 750_000, 810_000),
    "CS_CHILD_LT4": (900_000, 1_250_000, 1_350_000),
    "CS_CHILD_4_16": (540_000, 750_000, 810_000),
    "CS_PREG1": (540_000, 750_000, 810_000),
    "CS_PREG2": (720_000, 1_000_000, 1_080_000),
    "CS_HH_XS": (360_000, 500_000, 540_000),
    "CS_FOSTER_XS": (540_000, 750_000, 810_000),
    "CS_FOSTER_XS_CHILD": (900_000, 1_250_000, 1_350_000),
    "SA4_STUDY": (360_000, 500_000, 540_000),
}
EXPIRED = ("SA5B", "SA5C")  # replaced by the social pension on 1 July 2025

# Consolidated text 4804/VBHN-BLĐTBXH 2024 (Decree 75/2021 as amended by Decree 77/2024), July 2024 to June 2026.
MERIT = {
    "MR_BEFORE_1945_LEFT": 3_117_000, "MR_SENIORITY": 529_000, "MR_BEFORE_1945_STAYED": 5_291_000, "MR_1945": 2_884_000,
    "MR_MARTYR_1": 2_789_000, "MR_MARTYR_2": 5_578_000, "MR_MARTYR_3": 8_367_000, "MR_NURTURE": 2_231_000, "MR_MOTHER": 8_367_000,
    "MR_MOTHER_SUPPL": 2_337_000, "MR_MOTHER_CARER": 2_789_000, "MR_HERO": 2_337_000, "MR_WOUNDED_SUPPL_81": 1_399_000,
    "MR_WOUNDED_SUPPL_SPECIAL": 2_867_000, "MR_WOUNDED_CARER_81": 2_789_000, "MR_WOUNDED_CARER_SPECIAL": 3_582_000,
    "MR_SICK_41_50": 2_911_000, "MR_SICK_51_60": 3_627_000, "MR_SICK_61_70": 4_622_000, "MR_SICK_71_80": 5_329_000,
    "MR_SICK_81_90": 6_378_000, "MR_SICK_91_100": 7_104_000, "MR_SICK_SUPPL_81": 1_399_000, "MR_SICK_SUPPL_SPECIAL": 2_789_000,
    "MR_CHEM_21_40": 2_120_000, "MR_CHEM_41_60": 3_542_000, "MR_CHEM_61_80": 4_964_000, "MR_CHEM_81": 6_358_000,
    "MR_CHEM_SUPPL_81": 1_399_000, "MR_CHEM_SUPPL_SPECIAL": 2_789_000, "MR_CHEM_CHILD_61_80": 1_673_000, "MR_CHEM_CHILD_81": 2_789_000,
    "MR_PRISON": 1_673_000, "MR_HELPER_1945": 2_789_000, "MR_HELPER_MEDAL": 1_639_000, "MR_SURVIVOR": 1_565_000,
    "MR_SURVIVOR_NURTURE": 2_231_000, "MR_EDUCATION_FULL": 2_789_000, "MR_EDUCATION_PART": 1_399_000,
}  # fmt: skip

# Appendices II and III of the same text: thousands of đồng for 21%, 22% … 100%.
WOUNDED = (
    1878, 1969, 2053, 2144, 2236, 2323, 2411, 2505, 2589, 2683, 2770, 2862, 2950, 3040, 3132, 3217,
    3304, 3399, 3489, 3576, 3667, 3753, 3839, 3934, 4024, 4113, 4200, 4289, 4382, 4469, 4561, 4650,
    4736, 4827, 4918, 5009, 5093, 5185, 5277, 5364, 5450, 5545, 5629, 5721, 5809, 5902, 5990, 6081,
    6170, 6257, 6343, 6436, 6530, 6617, 6708, 6794, 6884, 6970, 7060, 7150, 7240, 7332, 7421, 7507,
    7601, 7686, 7773, 7865, 7959, 8050, 8134, 8222, 8314, 8398, 8495, 8582, 8669, 8761, 8850, 8941,
)  # fmt: skip
WOUNDED_B = (
    1552, 1626, 1695, 1772, 1848, 1917, 1991, 2060, 2137, 2211, 2280, 2356, 2430, 2505, 2577, 2646,
    2719, 2795, 2869, 2939, 3015, 3089, 3163, 3234, 3304, 3379, 3444, 3520, 3592, 3667, 3741, 3809,
    3886, 3960, 4102, 4174, 4253, 4326, 4395, 4469, 4543, 4615, 4691, 4760, 4835, 4911, 4983, 5052,
    5124, 5200, 5277, 5347, 5421, 5493, 5570, 5641, 5712, 5782, 5860, 5936, 6005, 6081, 6149, 6225,
    6303, 6371, 6446, 6516, 6594, 6663, 6736, 6811, 6884, 6960, 7031, 7104, 7174, 7246, 7322, 7397,
)  # fmt: skip


async def said(world: Any, people: list[Person], first: int, last: int) -> list[dict[int, int | None]]:
    """For each person, each month's sum over all programmes (None: a rate is missing)."""
    async with world.db.transaction(SYSTEM("test")) as tx:
        await take_people_lock(tx)
        ids = [await insert(tx, one) for one in people]
        await dues.recompute(tx, ids, KNOWN)
        found = []
        for person_id in ids:
            by_month = await amounts_of(tx, person_id, first, last)
            found.append({month: None if None in sums.values() else sum(v or 0 for v in sums.values()) for month, sums in by_month.items()})
    return found


async def test_every_assistance_category_under_its_three_standards(world: Any) -> None:
    people = [Person(None, (Decision(category, at(2021, 7)),)) for category in ASSISTANCE]
    for category, months in zip(ASSISTANCE, await said(world, people, at(2021, 6), at(2027, 1)), strict=True):
        first, second, third = ASSISTANCE[category]
        for month, amount in months.items():
            rate = 0 if month < at(2021, 7) else first if month < at(2024, 7) else second if month < at(2026, 7) else third
            assert amount == (0 if category in EXPIRED and month >= at(2025, 7) else rate), (category, month // 12, month % 12 + 1)


async def test_social_pension(world: Any) -> None:
    for months in await said(
        world, [Person(None, (Decision(code, at(2025, 1)),)) for code in ("SP_75", "SP_70")], at(2025, 1), at(2027, 1)
    ):
        for month, amount in months.items():
            assert amount == (0 if month < at(2025, 7) else 500_000 if month < at(2026, 7) else 540_000)


async def test_every_merit_category_and_all_160_values_of_the_wounded(world: Any) -> None:
    expected = list(MERIT.values()) + [thousand * 1_000 for thousand in WOUNDED + WOUNDED_B]
    people = [Person(None, (Decision(category, at(2024, 1)),)) for category in MERIT]
    for category, values in (("MR_WOUNDED", WOUNDED), ("MR_WOUNDED_B", WOUNDED_B)):
        assert len(values) == 80
        people += [Person(None, (Decision(category, at(2024, 1), percent=percent),)) for percent in range(21, 101)]
    for person, amount, months in zip(people, expected, await said(world, people, at(2024, 6), at(2026, 7)), strict=True):
        assert months.pop(at(2024, 6)) is None, "no table before July 2024 is loaded"
        assert months.pop(at(2026, 7)) is None, "the tables of Decree 321/2026 are not loaded"
        assert set(months.values()) == {amount}, person


async def test_seniority_is_paid_per_year_and_worship_once_a_year_for_each_martyr(world: Any) -> None:
    people = [
        Person(None, (Decision("MR_BEFORE_1945_LEFT", at(2024, 7)), Decision("MR_SENIORITY", at(2024, 7), quantity=7))),
        Person(None, (Decision("MR_WORSHIP", at(2024, 7)), Decision("MR_WORSHIP", at(2024, 8)))),
    ]
    senior, worship = await said(world, people, at(2024, 7), at(2025, 12))
    assert set(senior.values()) == {3_117_000 + 7 * 529_000}
    assert {month: amount for month, amount in worship.items() if amount} == {at(2024, 7): 1_400_000, at(2025, 7): 2_800_000}


async def test_no_category_of_the_catalogue_is_left_out(world: Any) -> None:
    async with world.db.read() as tx:
        codes = {row["code"] for row in await tx.rows("SELECT code FROM benefit_category")}
    assert codes == set(ASSISTANCE) | set(MERIT) | {"MR_WOUNDED", "MR_WOUNDED_B", "MR_WORSHIP", "SP_70", "SP_75"}
