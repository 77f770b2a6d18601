"""Worked examples that succeed on sample data: what an operation is given, and where the ids in it come from.

In the document, `x-example-from` of an operation says of each value that only the data can give where it comes from, in order of
preference: `{"call": "GET /v1/moves?limit=1", "at": "/items/0/id"}` reads it (`at` is a JSON pointer, or `ETag`; `*` in it is any item,
another each time), `{"call": "POST /v1/moves", "at": "/id"}` first sends that operation's own example, `{"new": "BT-#####"}` is a value
nobody has yet (each # a digit, each ? one that is not 0; so is each # in the text of a file, where `{name}` is a value found). Keys are
names of parameters, JSON pointers into the body, or names only for the calls after them. `{name}` in `call` is a value already found,
kept by an operation that is sent first.

What sample data cannot show (a partner's signed word, an event that cannot be applied) says why in `x-example-cannot` and which refusal
its example gets in `x-example-refused`: that is executed as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["METHODS", "Example", "Examples", "From", "New", "apply"]

METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_PLACEHOLDER: Final = "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e"
_WORDS: Final = "Theo hồ sơ của xã"
_DEEP: Final = 4


@dataclass(frozen=True)
class From:
    """A value from an answer of this service: of a read, or of another operation's own example, which is then sent first."""

    call: str
    at: str
    service: str = ""
    """Another service that is asked; by itself the operation's own."""
    wait: bool = False
    """What it made is worked on first: the operation is tried again while it is refused for that, a read until it tells the value."""
    many: bool = False
    """The value goes into a list of one."""


@dataclass(frozen=True)
class New:
    """A value nobody has yet: each # becomes a digit, each ? a digit that is not 0."""

    new: str


Source = From | New


@dataclass(frozen=True)
class Example:
    """What one operation's example needs beyond what its schema and its path tell."""

    body: Any = None
    """The body (JSON), or the fields of a form."""
    file: tuple[str, str] | Source | None = None
    """Name and text of the file of a form, or where its bytes come from."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by name, as they are."""
    sources: Mapping[str, Source | tuple[Source, ...]] = field(default_factory=dict)
    """Parameters by name and places in the body by JSON pointer: where their value comes from."""
    by: str = ""
    """Ready user of the development issuer it is meant for, when the roles alone do not tell (two different people)."""
    cannot: str = ""
    """Why it cannot succeed in a state that sample data reaches; English, a sentence."""
    refused: str = ""
    """The problem type it is answered with instead; sent as it is written, with what `sources` finds."""


@dataclass(frozen=True)
class Examples:
    """The examples of one service: by operation (`"POST /v1/moves"`), by path parameter (`"/v1/lists/{list_id}"`), by field of a body."""

    operations: Mapping[str, Example] = field(default_factory=dict)
    paths: Mapping[str, Source | tuple[Source, ...]] = field(default_factory=dict)
    fields: Mapping[str, Source | tuple[Source, ...]] = field(default_factory=dict)


_ERASURE: Final = From("POST /v1/people/{person_id}/erasures", "/erasure_id")
_EVERYWHERE: Final = {
    f"POST /v1/parked-events/{{key}}/{what}": Example(
        cannot="nothing is parked while every event can be applied, as in the sample data",
        refused="conflict" if "/" in what else "not-found",
    )
    for what in ("replay", "replay/approve")
} | {
    "POST /v1/clients/{registration_id}/decision": Example(sources={"registration_id": From("POST /v1/clients", "/id")}, by="approver"),
    "POST /v1/clients/{registration_id}/end": Example(
        sources={"registration_id": From("POST /v1/clients/{registration_id}/decision", "/id")}
    ),
    "GET /v1/erasures/{erasure_id}": Example(sources={"erasure_id": _ERASURE}),
    "POST /v1/erasures/{erasure_id}/decision": Example(sources={"erasure_id": _ERASURE}, by="approver"),
    "POST /v1/retention-terms/{term_id}/decision": Example(
        sources={"term_id": From("POST /v1/retention/{rule}/terms", "/term_id")}, by="approver"
    ),
}


def apply(document: dict[str, Any], examples: Examples) -> None:
    """Write every operation's example and its sources into an OpenAPI document."""
    known = {f"{verb.upper()} {path}" for path, verbs in document["paths"].items() for verb in verbs if verb in METHODS}
    if unknown := set(examples.operations) - known:
        raise ValueError(f"examples for operations that do not exist: {sorted(unknown)}")
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            if verb in METHODS:
                name = f"{verb.upper()} {path}"
                example = examples.operations.get(name) or _EVERYWHERE.get(name, Example())
                _Operation(document, examples, example, path, verb, operation).write()


@dataclass
class _Operation:
    document: dict[str, Any]
    examples: Examples
    example: Example
    path: str
    verb: str
    operation: dict[str, Any]

    def write(self) -> None:
        found: dict[str, list[dict[str, str]]] = {}
        for parameter in self.operation.get("parameters", []):
            self._parameter(parameter, found)
        if content := self.operation.get("requestBody", {}).get("content"):
            kind, media = next(iter(content.items()))
            self._body(kind, media, found)
        for key, source in self.example.sources.items():
            found.pop(key, None)  # in the order they are said: a call may need what stands before it
            found[key] = _written(source)
        if found:
            self.operation["x-example-from"] = found
        if self.example.refused:
            self.operation["x-example-refused"] = f"/problems/{self.example.refused}"
        if self.example.by:
            self.operation["x-example-by"] = self.example.by
        if self.example.cannot:
            self.operation["x-example-cannot"] = self.example.cannot

    def _parameter(self, parameter: dict[str, Any], found: dict[str, list[dict[str, str]]]) -> None:
        name, schema = parameter["name"], parameter.get("schema", {})
        if name in self.example.values:
            _show(parameter, self.example.values[name])
        elif name == "If-Match":
            if not self.example.refused and (
                reads := tuple(From(f"GET {path}{_needed(self.document['paths'][path]['get'])}", "ETag") for path in self._own_reads())
            ):
                found[name] = _written(reads)
            parameter.setdefault("example", '"1"')
        elif name == "Idempotency-Key":
            found[name] = _written(New("vi-du-########"))
            parameter.setdefault("example", "vi-du-20240820-01")
        elif parameter["in"] == "query" and parameter.get("required") and name in self.examples.fields:
            found[name] = _written(self.examples.fields[name])
            parameter.setdefault("example", _PLACEHOLDER)
        elif parameter["in"] == "path":
            sources = () if self.example.refused else self._path_source(name)
            if sources:
                found[name] = _written(sources)
            elif not self.example.refused:
                return
            parameter.setdefault("example", _PLACEHOLDER if schema.get("format") == "uuid" else "…")

    def _own_reads(self) -> Iterator[str]:
        """Paths from this one upwards to its last path parameter that can be read."""
        parts = self.path.split("/")
        for length in range(len(parts), 2, -1):
            path = "/".join(parts[:length])
            if "get" in self.document["paths"].get(path, {}):
                yield path
            if parts[length - 1].startswith("{"):
                return

    def _path_source(self, name: str) -> tuple[Source, ...]:
        upto = self.path[: self.path.index("{" + name + "}") + len(name) + 2]
        given = self.examples.paths.get(upto) or (self.examples.fields.get(name) if "items" not in upto else None)
        if given is not None:
            return given if isinstance(given, tuple) else (given,)
        collection = upto.rsplit("/", 1)[0]
        verbs = self.document["paths"].get(collection, {})
        sources: list[Source] = []
        if "get" in verbs and (key := self._key_in_list(verbs["get"], name)):
            sources.append(From(f"GET {collection}{_needed(verbs['get'])}", f"/items/0/{key}"))
        if "post" in verbs:
            key = self._key_in(_answer(verbs["post"]), name) or "id"
            made = From(f"POST {collection}", f"/{key}")
            # A read finds what is there; whatever changes something had better change what nobody has touched yet.
            sources.insert(len(sources) if self.verb == "get" else 0, made)
        return tuple(sources)

    def _schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def _key_in(self, schema: dict[str, Any], name: str) -> str | None:
        properties = self._schema(schema).get("properties", {})
        return next((key for key in (name, "id", "code") if key in properties), None)

    def _key_in_list(self, operation: dict[str, Any], name: str) -> str | None:
        items = self._schema(_answer(operation)).get("properties", {}).get("items", {}).get("items", {})
        return self._key_in(items, name)

    def _body(self, kind: str, media: dict[str, Any], found: dict[str, list[dict[str, str]]]) -> None:
        schema = self._schema(media.get("schema", {}))
        shown = media.get("example", next((each["value"] for each in media.get("examples", {}).values() if "value" in each), None))
        if self.example.body is not None:
            shown = self.example.body
            media.pop("examples", None)
        elif shown is None:
            shown = next(iter(schema.get("examples", [])), schema.get("example"))
        if shown is None:
            shown = self._made(schema)
        if self.example.file is not None and kind == "multipart/form-data":
            shown = dict(shown or {})
            file = self.example.file
            if isinstance(file, tuple):
                media["x-example-file"] = {"name": file[0], "text": file[1]}
                shown["file"] = file[0]
            else:
                found["file"] = _written(file)
        if shown is None:
            return
        media["example"] = shown
        media.pop("examples", None)
        for pointer, name in _leaves(shown):
            if name in self.examples.fields:
                found[pointer] = _written(self.examples.fields[name])

    def _made(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """An example from those of the fields: what is required, and what shows an example of its own."""
        schema = self._schema(schema)
        for key in ("oneOf", "anyOf"):
            if key in schema:
                return self._made(schema[key][0], depth)
        if "properties" not in schema:
            return _value(schema, self._made(schema["items"], depth + 1) if "items" in schema and depth < _DEEP else None)
        required = schema.get("required", [])
        return {
            name: self._made(inner, depth + 1)
            for name, inner in schema["properties"].items()
            if (name in required or "examples" in inner) and inner.get("contentMediaType") is None
        }


def _value(schema: dict[str, Any], item: Any) -> Any:
    for known in (schema.get("examples") or [], schema.get("enum") or [], [schema[key] for key in ("const", "default") if key in schema]):
        if known:
            return known[0]
    kind = schema.get("type")
    by_kind = {"boolean": True, "integer": schema.get("minimum", 1), "number": 1, "array": [] if item is None else [item], "object": {}}
    by_format = {"date": "2024-09-20", "uuid": _PLACEHOLDER}
    return by_kind.get(str(kind), by_format.get(schema.get("format", ""), _WORDS if kind == "string" else None))


def _answer(operation: dict[str, Any]) -> dict[str, Any]:
    for status in ("200", "201", "202"):
        content = operation.get("responses", {}).get(status, {}).get("content", {})
        if "application/json" in content:
            schema: dict[str, Any] = content["application/json"].get("schema", {})
            return schema
    return {}


def _needed(operation: dict[str, Any]) -> str:
    """The query a list cannot do without, from its own examples."""
    asked = []
    for parameter in operation.get("parameters", []):
        shown = next(iter(parameter["schema"].get("examples", [])), parameter.get("example"))
        if parameter["in"] == "query" and parameter.get("required") and shown is not None:
            asked.append(f"{parameter['name']}={shown}")
    return "?" + "&".join(asked) if asked else ""


def _show(parameter: dict[str, Any], value: Any) -> None:
    """Set a parameter's example; None takes away the one it has, where it stands for another way to ask."""
    parameter.pop("examples", None)
    parameter["schema"] = {key: inner for key, inner in parameter["schema"].items() if key not in ("example", "examples")}
    parameter.pop("example", None)
    if value is not None:
        parameter["example"] = value


def _leaves(value: Any, pointer: str = "", name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{pointer}/{key}", key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{number}", name)
    elif name:
        yield pointer, name


def _written(source: Source | tuple[Source, ...]) -> list[dict[str, str]]:
    sources = source if isinstance(source, tuple) else (source,)
    flags = ("wait", "many")
    return [
        {"new": one.new}
        if isinstance(one, New)
        else {"call": one.call, "at": one.at}
        | ({"service": one.service} if one.service else {})
        | {flag: "true" for flag in flags if getattr(one, flag)}
        for one in sources
    ]
