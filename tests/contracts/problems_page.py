"""Writes docs/integrate/problems.md and a page per type from the error classes: `python tests/contracts/problems_page.py`."""

from __future__ import annotations

import importlib
from pathlib import Path

from common.openapi.catalogue import catalogue, index_of, page_of

SERVICES = ("registry", "identity_verify", "accounts", "disbursement", "reporting")
FOLDER = Path(__file__).parents[2] / "docs" / "integrate"


def pages() -> dict[Path, str]:
    """File → text."""
    for service in SERVICES:
        importlib.import_module(f"{service}.main")
    found = catalogue("common", *SERVICES)
    return {FOLDER / "problems.md": index_of(found)} | {
        FOLDER / "problems" / f"{name}.md": page_of(name, kinds) for name, kinds in found.items()
    }


if __name__ == "__main__":
    wanted = pages()
    (FOLDER / "problems").mkdir(exist_ok=True)
    for old in (FOLDER / "problems").glob("*.md"):
        if old not in wanted:
            old.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
