"""No two mechanisms, and no mechanism and service, take the same advisory lock."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from common.locks import Lock

ROOT = Path(__file__).parents[3]
NUMBER = re.compile(r"\b7_?[23]\d{2}_?\d{2,3}\b|\b7_?[23]\d_?\d{3}\b")
# The trigger that watches for duplicates takes the people lock on purpose.
MIGRATED = ROOT / "services/registry/src/registry/migrations/versions/0008_duplicates.py"


def locks_in(folder: Path) -> dict[int, set[str]]:
    """Numbers that look like a lock's, in lines that speak of locks → the files they stand in."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in folder.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "LOCK" in line or "advisory" in line or "BARRIER" in line:
                for number in NUMBER.findall(line):
                    found[int(number.replace("_", ""))].add(str(path.relative_to(ROOT)))
    return found


def test_each_lock_has_a_number_of_its_own() -> None:
    mechanisms = {int(lock) for lock in Lock}
    elsewhere = {number: files for number, files in locks_in(ROOT / "libs/common/src").items() if number in mechanisms}
    assert set().union(*elsewhere.values(), set()) <= {"libs/common/src/common/locks.py"}, "mechanisms' locks stand in common.locks"
    seen = 0
    for service in sorted((ROOT / "services").iterdir()):
        for number, files in locks_in(service / "src").items():
            seen += 1
            assert number not in mechanisms, f"{number} of {sorted(files)} is a mechanism's lock"
            assert len(files - {str(MIGRATED.relative_to(ROOT))}) == 1, f"{number} stands in {sorted(files)}"
    assert seen >= 6, "the test does not see the locks any more"
