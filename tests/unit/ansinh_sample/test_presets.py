"""The published counts come out exactly, at every size and seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from accounts.domain.rows import COLUMNS as ACCOUNT_COLUMNS
from ansinh.demo.check import Differences
from ansinh.demo.published import beside_published
from ansinh.sample import read_manifest, write_sample
from ansinh.sample.law import MERIT, SOCIAL_ASSISTANCE
from ansinh.sample.people import CommunePeople
from ansinh.sample.plan import account_count_for_rate, apportion, make_plan
from ansinh.sample.presets import PRESETS, Outcome, find_preset, scaled
from ansinh.sample.truth import read_people, totals_key
from ansinh.sample.units import load_province
from common.tabular import read_rows
from reporting.domain.indicators import INDICATORS

BINH_THUAN = PRESETS["binh-thuan-2024-09"]


def _planned(seed: int) -> dict[tuple[str, str, int], int]:
    counts: Counter[tuple[str, str, int]] = Counter()
    for plan in make_plan(BINH_THUAN, load_province("60"), seed):
        for programme, hand in plan.outcomes.items():
            for outcome in hand:
                counts[(plan.district.code, programme, outcome)] += 1
    return counts


@pytest.mark.parametrize("seed", [1, 2024, 987_654])
def test_binh_thuan_counts_are_those_published(seed: int) -> None:
    counts = _planned(seed)

    def total(programme: str, *outcomes: int) -> int:
        return sum(n for (_, p, o), n in counts.items() if p == programme and (not outcomes or o in outcomes))

    assert total(MERIT) == 9_137
    assert total(SOCIAL_ASSISTANCE) == 45_486
    assert total(MERIT, Outcome.ACCOUNT) == 3_728
    assert total(SOCIAL_ASSISTANCE, Outcome.ACCOUNT) == 12_667
    assert total(SOCIAL_ASSISTANCE, Outcome.NO_ID, Outcome.NOT_IN_DB) == 307
    assert len({d for (d, _, o), n in counts.items() if n and o in (Outcome.NO_ID, Outcome.NOT_IN_DB)}) == 9


@pytest.mark.parametrize("seed", [1, 2024, 987_654])
def test_district_rates_round_half_up_to_those_published(seed: int) -> None:
    counts = _planned(seed)
    for district, tenths in {"600": 172, "597": 177, "593": 195, "599": 232}.items():
        people = sum(n for (d, p, _), n in counts.items() if d == district and p == SOCIAL_ASSISTANCE)
        paid = counts[(district, SOCIAL_ASSISTANCE, Outcome.ACCOUNT)]
        assert (paid * 2_000 + people) // (2 * people) == tenths


def test_province_has_ten_districts_and_121_communes() -> None:
    province = load_province("60")
    assert (len(province.districts), province.communes) == (10, 121)
    assert len(make_plan(BINH_THUAN, province, 7)) == 121


def test_people_who_share_an_account_live_in_one_commune() -> None:
    for plan in make_plan(BINH_THUAN, load_province("60"), 5):
        for hand in plan.outcomes.values():
            assert hand.count(Outcome.ACCOUNT_SHARED) != 1


def test_kien_giang_ends_with_exactly_the_published_number_of_open_accounts() -> None:
    chosen = PRESETS["kien-giang-2024-03"]
    open_at_the_end = Outcome.REQUESTS - Outcome.NEVER_OPEN
    # merit is not paid in March 2024 (no rate): nobody learns there that an account was closed
    for programme, wanted, open_kinds in (
        (MERIT, 3_223, open_at_the_end),
        (SOCIAL_ASSISTANCE, 5_967, open_at_the_end - {Outcome.FAIL_CLOSED}),
    ):
        hands = [p.outcomes[programme] for p in make_plan(chosen, load_province(chosen.province), 3)]
        assert sum(1 for hand in hands for o in hand if o in open_kinds) == wanted


def test_huong_khe_asks_for_exactly_the_published_number_of_accounts() -> None:
    chosen = PRESETS["huong-khe-2024-01"]
    for programme, wanted in ((MERIT, 240), (SOCIAL_ASSISTANCE, 665)):
        hands = [p.outcomes[programme] for p in make_plan(chosen, load_province(chosen.province), 3)]
        assert sum(1 for hand in hands for o in hand if o in Outcome.REQUESTS) == wanted


def test_huong_khe_files_hold_905_account_rows(tmp_path: Path) -> None:
    manifest = write_sample(tmp_path, "huong-khe")
    assert manifest.people == 10_172
    requests = 0
    for file in manifest.files:
        if file["kind"] == "ACCOUNTS":
            path = tmp_path / str(file["path"])
            requests += sum(1 for row in read_rows(path.read_bytes(), path.name, ACCOUNT_COLUMNS).rows if row.get("account_number"))
    assert requests == 905


@pytest.mark.parametrize("people", [60, 250, 600, 5_000])
def test_any_size_adds_up(tmp_path: Path, people: int) -> None:
    manifest = write_sample(tmp_path, people=people, province="38", seed=11)
    on_list = [p for p in read_people(tmp_path) if p.outcome != "STOPPED"]
    assert len(on_list) == manifest.people == people
    assert len({p.code for p in on_list}) == people
    assert read_manifest(tmp_path) == manifest


def test_totals_of_the_truth_are_those_of_its_people(tmp_path: Path) -> None:
    from ansinh.sample.truth import read_totals

    write_sample(tmp_path, people=600)
    counted: Counter[tuple[str, str, str]] = Counter()
    for p in read_people(tmp_path):
        counted[(p.district, p.programme, totals_key(p))] += 1
        counted[(p.district, p.programme, totals_key(p) + ":amount")] += p.amount
    stated = {(d, p, k): n for d, by in read_totals(tmp_path)["districts"].items() for p, keys in by.items() for k, n in keys.items()}
    assert stated == dict(counted)


def test_apportion_is_exact_and_respects_caps() -> None:
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    capped = apportion(10, [5, 1, 1], [2, 9, 9])
    assert (capped[0], sum(capped)) == (2, 10)
    assert sum(apportion(45_486, [227, 107, 143, 127, 179, 113, 104, 127, 71, 28])) == 45_486
    with pytest.raises(ValueError, match="do not fit"):
        apportion(10, [1, 1], [2, 2])


def test_a_rate_that_no_count_gives_is_refused() -> None:
    assert account_count_for_rate(1_000, 172) == 172
    with pytest.raises(ValueError, match="no whole number"):
        account_count_for_rate(3, 172)


def test_wrong_arguments_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown preset"):
        write_sample(tmp_path, "sao-hoa")
    with pytest.raises(ValueError, match="no province"):
        write_sample(tmp_path, province="03")
    with pytest.raises(ValueError, match="between 60 and"):
        write_sample(tmp_path, people=1_000_001)
    assert scaled(find_preset("binh-thuan"), None, None).people == 54_623


def test_the_published_figures_of_a_preset_are_compared_with_the_report() -> None:
    rows = [
        {"group": one.group, "is_total": one.unit is None, "unit_code": one.unit or "60", "values": {one.indicator: one.value}}
        for one in BINH_THUAN.published
    ]
    merged: dict[tuple[str, bool, str], dict[str, object]] = {}
    for row in rows:
        values = merged.setdefault((str(row["group"]), bool(row["is_total"]), str(row["unit_code"])), {})
        values |= {code: int(value) if value.isdigit() else value for code, value in row["values"].items()}  # type: ignore[attr-defined]
    said = [{"group": g, "is_total": t, "unit_code": u, "values": v} for (g, t, u), v in merged.items()]
    found = Differences()
    assert len(beside_published("binh-thuan-2024-09", said, found)) == 14
    assert not found.texts
    merged["MERIT", True, "60"]["by_account_people"] = 3_729
    beside_published("binh-thuan-2024-09", said, found)
    assert found.texts == ["published: BT-01: MERIT by_account_people was published as 3728 and is reported as 3729"]
    assert beside_published("province-60-1000", said, found) == []
    assert {one.indicator for preset in PRESETS.values() for one in preset.published} <= set(INDICATORS)


def test_who_has_no_number_has_no_namesake() -> None:
    """Two files of one name and birth date without two numbers are held as a possible duplicate, and the truth would not know of it."""
    plan = next(p for p in make_plan(BINH_THUAN, load_province("60"), 5) if Outcome.NO_ID in p.outcomes[SOCIAL_ASSISTANCE])
    commune = CommunePeople(
        plan, province="60", initials="BT", business_date="2024-08-20", seed=5, serials=(plan.first_index, 10**6), exact_requests=True
    ).build()
    without = [p for p in commune.people if not p.number]
    assert without
    assert all(" Hoài " in p.name.full for p in without)
    assert not any(" Hoài " in p.name.full for p in commune.people if p.number)
