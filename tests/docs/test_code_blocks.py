"""Python blocks of the guides for integrators and partners run as they stand, each page in a process's own namespace.

Their shell blocks (bash) run against a stack in tests/e2e/openapi; what only shows something is marked text, json or not at all.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs/integrate").glob("*.md"), *(ROOT / "docs/partner").glob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    (page, number, kind, text) for page in PAGES for number, (kind, text) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(
    ("page", "text"),
    [(page, text) for page, _, kind, text in BLOCKS if kind == "python"],
    ids=[f"{page.parent.name}/{page.stem}-{number}" for page, number, kind, _ in BLOCKS if kind == "python"],
)
def test_python_blocks_run(page: Path, text: str) -> None:
    exec(compile(text, str(page), "exec"), {"__name__": "__main__"})


def test_every_block_is_run_or_plainly_shown() -> None:
    assert {kind for _, _, kind, _ in BLOCKS} <= {"python", "bash", "json", "text", ""}
    assert len([kind for _, _, kind, _ in BLOCKS if kind in ("python", "bash")]) >= 8


def test_the_guides_are_complete() -> None:
    integrate = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/integrate").glob("*.md"))
    for word in (
        "client_credentials",
        "Idempotency-Key",
        "next_cursor",
        "/v1/changes",
        "CloudEvents",
        "ETag",
        "problems.md",
        "on=2024-09-01",
    ):
        assert word in integrate, word
    partner = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/partner").glob("*.md"))
    for word in ("/v1/batches", "/v1/inquiries", "webhook-signature", "Retry", "Checklist", "How to register", "pain.001"):
        assert word in partner, word
