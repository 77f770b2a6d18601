"""Every kind of fact that may stand against undoing a merge says what to do."""

from __future__ import annotations

from registry.domain.merge_words import changed_facts
from registry.storage import merging


def test_every_table_a_merge_watches_says_what_to_do_in_both_languages() -> None:
    said = changed_facts(sorted(merging.WATCHED))
    assert len({item["detail"] for item in said}) == len({item["detail_vi"] for item in said}) == len(merging.WATCHED)
