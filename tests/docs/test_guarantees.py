"""The page of guarantees is what the tests say, and nothing is promised that no test proves."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from promises import ALSO, PAGE, PROMISES, ROOT, page, proofs


def test_every_promise_is_proved_and_every_mark_names_a_promise() -> None:
    known = {name for promises in PROMISES.values() for name in promises}
    proved = proofs().keys()
    assert known - proved == set(), "promises without a test"
    assert proved - known == set(), "marks that name no promise"


def test_files_named_as_proofs_are_there() -> None:
    for named in ALSO:
        path, _, test = named.partition("::")
        assert (ROOT / path).is_file(), named
        assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), named


def test_the_page_is_what_the_tests_say() -> None:
    before = PAGE.read_text(encoding="utf-8")
    assert page(before) == before, "stale: python tests/promises.py"
