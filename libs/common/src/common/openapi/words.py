"""What is said of parameters, fields and answers in Vietnamese and English, where the code says it in one language or not at all.

Each package that has routes may bring a `words.toml` at its top (this one has that of the mechanisms): `[text]` gives the other language of
a text that stands beside its field, `[name]` both languages of what is filled in and says nothing of itself (`Model.field` or
`GET /path field` before `field`), `[summary]` the Vietnamese summary of an operation whose description begins with another sentence. Texts
are written `tiếng Việt · English`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

__all__ = ["Words", "tell", "words_of"]

_VIETNAMESE: Final = re.compile("[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)
_STATUS: Final = {
    "200": "Thành công · Success",
    "201": "Đã tạo · Created",
    "202": "Đã nhận, còn phải xử lý tiếp · Accepted, there is more to come",
    "204": "Xong, không có nội dung trả về · Done, there is nothing to return",
}
_FASTAPI: Final = "Successful Response"


@dataclass(frozen=True)
class Words:
    """The words of one service and of the mechanisms it uses."""

    texts: Mapping[str, str]
    names: Mapping[str, str]
    summaries: Mapping[str, str]

    def both(self, told: str, *names: str) -> str:
        """A text in both languages, as far as the words go; `names` of the field where nothing is told, the most exact first."""
        if not told:
            return next((self.names[name] for name in names if name in self.names), "")
        other = self.texts.get(told)
        if other is None:
            return told
        return f"{told} · {other}" if _VIETNAMESE.search(told) else f"{other} · {told}"


@cache
def words_of(package: str) -> Words:
    """The words of a service's package, over those of the mechanisms and those that events and services share."""
    found: dict[str, dict[str, str]] = {"text": {}, "name": {}, "summary": {}}
    for root in ("common", "common.contracts", package):
        file = files(root) / "words.toml"
        if file.is_file():
            for section, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
                found[section] |= entries
    return Words(found["text"], found["name"], found["summary"])


def tell(document: dict[str, Any], words: Words) -> None:
    """Write the words into a document: operations (their `x-summary-vi` is there), parameters, answers, fields of all models."""
    for name, operation in _operations(document):
        vi = operation["x-summary-vi"] = words.summaries.get(name, operation["x-summary-vi"])
        if not operation.get("summary", "").endswith(f" · {vi}"):
            operation["summary"] = f"{operation.get('summary', '').partition(' · ')[0]} · {vi}"
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            told = words.both(
                parameter.get("description") or schema.get("description", ""), f"{name} {parameter['name']}", parameter["name"]
            )
            if told:
                parameter["description"] = told
                schema.pop("description", None)
        for status, answer in operation["responses"].items():
            told = answer.get("description", "")
            answer["description"] = _STATUS.get(status, told) if told == _FASTAPI else words.both(told)
    filled_in = set(_filled_in(document))
    for model, schema in document["components"]["schemas"].items():
        for field, inner in schema.get("properties", {}).items():
            names = (f"{model.rpartition('__')[2]}.{field}", field) if model in filled_in else ()
            if told := words.both(inner.get("description", ""), *names):
                inner["description"] = told


def _filled_in(document: dict[str, Any]) -> Iterator[str]:
    """Models within request bodies; a field of an answer may mean something else by the same name."""
    waiting: list[Any] = [operation.get("requestBody") for _, operation in _operations(document)]
    seen: set[str] = set()
    while waiting:
        node = waiting.pop()
        waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        name = str(node.get("$ref", "")).rpartition("/")[2] if isinstance(node, dict) else ""
        if name and name not in seen:
            seen.add(name)
            waiting.append(document["components"]["schemas"][name])
            yield name


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            if isinstance(operation, dict) and "x-summary-vi" in operation:
                yield f"{verb.upper()} {path}", operation
