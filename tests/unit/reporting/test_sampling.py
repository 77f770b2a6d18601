"""How many cases a stratum gets, and what a sample says about everybody."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.domain.sampling import allocate, estimated

POPULATIONS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 5_000), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None, print_blob=True)
@given(POPULATIONS, st.integers(1, 2_000))
def test_the_sum_is_the_size_and_no_stratum_gives_more_than_it_has(strata: dict[str, int], size: int) -> None:
    given_out = allocate(size, strata)
    assert set(given_out) == set(strata)
    assert sum(given_out.values()) == min(size, sum(strata.values()))
    assert all(0 <= count <= strata[name] for name, count in given_out.items())
    if size >= len(strata):
        assert min(given_out.values()) >= 1


def test_shares_follow_the_people() -> None:
    assert allocate(100, {"a": 9_137, "b": 45_486}) == {"a": 17, "b": 83}
    assert allocate(1, {"a": 5, "b": 9}) == {"a": 0, "b": 1}


def test_an_estimate_weighs_each_stratum_and_is_silent_about_people_nobody_looked_at() -> None:
    assert estimated({"a": (1_000, 10, 1), "b": (100, 5, 0)}) == 100
    assert estimated({"a": (1_000, 10, 1), "b": (100, 0, 0)}) is None
