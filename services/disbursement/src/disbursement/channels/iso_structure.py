"""Checks of message versions whose schema we may not ship: all that is read stands where the message has it, once and well formed.

Only what is read is judged; what a bank adds beside it is left alone. A failed check names the element and the line, never its content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

__all__ = ["STRUCTURES", "Wrong", "find_wrong"]

_MANY: Final = -1
_ID: Final = re.compile(r".{1,35}")
_CODE: Final = re.compile(r"[A-Z0-9]{1,4}")
_AMOUNT: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,5})?")
_COUNT: Final = re.compile(r"[0-9]{1,15}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first thing that is not as the message has it."""

    element: str
    line: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One child that is read, in the order of its parent's. `most` -1: any number. `inside` or `text`: what it holds."""

    name: str
    least: int = 0
    most: int = 1
    text: re.Pattern[str] | None = None
    inside: tuple[_Part, ...] = ()
    currency: bool = False


_REASON: Final = _Part("StsRsnInf", most=_MANY, inside=(_Part("Rsn", inside=(_Part("Cd", text=_CODE), _Part("Prtry", text=_ID))),))
_TRANSACTION: Final = _Part("TxInfAndSts", most=_MANY, inside=(
    _Part("StsId", text=_ID), _Part("OrgnlEndToEndId", 1, text=_ID), _Part("TxSts", text=_CODE), _REASON,
    _Part("AcctSvcrRef", text=_ID),
    _Part("OrgnlTxRef", inside=(_Part("Amt", inside=(_Part("InstdAmt", text=_AMOUNT, currency=True),)),)),
))  # fmt: skip
_STATUS_REPORT: Final = _Part("CstmrPmtStsRpt", 1, inside=(
    _Part("GrpHdr", 1, inside=(_Part("MsgId", 1, text=_ID), _Part("CreDtTm", 1, text=_MOMENT))),
    _Part("OrgnlGrpInfAndSts", 1, inside=(
        _Part("OrgnlMsgId", 1, text=_ID), _Part("OrgnlMsgNmId", 1, text=_ID), _Part("OrgnlNbOfTxs", text=_COUNT),
        _Part("OrgnlCtrlSum", text=_AMOUNT), _Part("GrpSts", text=_CODE), _REASON,
    )),
    _Part("OrgnlPmtInfAndSts", most=_MANY, inside=(
        _Part("OrgnlPmtInfId", 1, text=_ID), _Part("OrgnlNbOfTxs", text=_COUNT), _Part("OrgnlCtrlSum", text=_AMOUNT),
        _Part("PmtInfSts", text=_CODE), _REASON, _TRANSACTION,
    )),
))  # fmt: skip

STRUCTURES: Final[Mapping[str, _Part]] = {"pain.002.001.10": _Part("Document", 1, inside=(_STATUS_REPORT,))}
"""Message versions that are read without a schema → what must be in them."""


def find_wrong(message: str, root: Any) -> Wrong | None:
    """The first thing in a document of this version that is not as it must be; None where all is well."""
    part = STRUCTURES[message]
    if etree.QName(root).localname != part.name:
        return Wrong(part.name, root.sourceline or 0)
    return _children(root, part, etree.QName(root).namespace)


def _children(element: Any, part: _Part, space: str | None) -> Wrong | None:
    known = {child.name: place for place, child in enumerate(part.inside)}
    counts = [0] * len(part.inside)
    reached = 0
    for child in element:
        name = etree.QName(child)
        place = known.get(name.localname) if name.namespace == space else None
        if place is None:
            continue
        counts[place] += 1
        rule = part.inside[place]
        if place < reached or (rule.most != _MANY and counts[place] > rule.most):
            return Wrong(rule.name, child.sourceline or 0)
        reached = place
        wrong = _content(child, rule, space)
        if wrong is not None:
            return wrong
    missing = next((rule.name for rule, count in zip(part.inside, counts, strict=True) if count < rule.least), None)
    return None if missing is None else Wrong(missing, element.sourceline or 0)


def _content(element: Any, rule: _Part, space: str | None) -> Wrong | None:
    fits = rule.text is None or (len(element) == 0 and rule.text.fullmatch(element.text or "") is not None)
    if not fits or (rule.currency and _CURRENCY.fullmatch(element.get("Ccy") or "") is None):
        return Wrong(rule.name, element.sourceline or 0)
    return _children(element, rule, space) if rule.inside else None
