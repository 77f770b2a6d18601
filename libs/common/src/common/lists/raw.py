"""A list's rows as they stand in the file, before anybody asks what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from common.letters import plain

__all__ = ["MAX_CELL", "MAX_COLUMNS", "MAX_ROWS", "BrokenFile", "RawRow", "letter", "tidy"]

MAX_ROWS: Final = 1_100_000
MAX_COLUMNS: Final = 256
MAX_CELL: Final = 1_000
"""Characters of a cell that are looked at; a longer one is a fault of its row."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


class BrokenFile(Exception):
    """The file as a whole cannot be read: not a spreadsheet, no header row, a required column missing."""


@dataclass(slots=True)
class RawRow:
    """One row. `number` is its row in the file as the office sees it, from 1; `faults` are codes by column index."""

    number: int
    cells: list[str]
    hidden: bool = False
    wide: bool = False
    """A merge over three columns or more starts here: a heading, not a person."""
    faults: dict[int, str] = field(default_factory=dict)

    def at(self, index: int) -> str:
        """The cell, empty beyond the row's end."""
        return self.cells[index] if index < len(self.cells) else ""


def tidy(text: str) -> str:
    """A cell's text: NFC, single spaces, nothing invisible, nothing of full width."""
    if not text or (text.isascii() and text.isalnum()):
        return text
    return " ".join(_CONTROL.sub("", plain(text)).split())


def letter(index: int) -> str:
    """The column's letters as a spreadsheet shows them: 0 → A, 26 → AA."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text
