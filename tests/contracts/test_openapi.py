"""The five OpenAPI documents: every operation says what it does in two languages, for whom, what it can answer, with an example."""

from __future__ import annotations

import importlib
import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from ansinh.stack.layout import SERVICES
from ansinh.stack.secrets import make_keyrings
from common.actor import Role

pytestmark = pytest.mark.timeout(300)  # the first test waits for five documents: 20 s of work, minutes on a busy machine

LONGEST_PAGE = 5_000
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
VIETNAMESE = re.compile("[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)
# Words that Vietnamese has not: `in` is to print there, `to` is large, `an` is peace.
ENGLISH = re.compile(r"\b(the|of|is|are|and|for|with|it|by|on|or|not|as|one|what|who|each|only|which|that|has|have)\b", re.IGNORECASE)
PART = re.compile(r"(?<=[.:;…!?])\s+| · |\n")
Operation = tuple[str, str, dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("keys")
    found = {}
    for name, keys in make_keyrings().items():
        (folder / name).write_text(json.dumps(keys), encoding="utf-8")
    for service in SERVICES:
        kind = importlib.import_module(f"{service.package}.settings").Settings
        given = {
            "database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none",
            "keys_file": folder / service.name,
            "environment": "development",
        }
        needed = {name: "http://127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required() and name not in given}
        found[service.name] = importlib.import_module(f"{service.package}.main").make_app(kind(**given, **needed)).openapi()
    return found


def operations(documents: dict[str, dict[str, Any]]) -> Iterator[Operation]:
    for service, document in documents.items():
        for path, verbs in document["paths"].items():
            for verb, operation in verbs.items():
                if verb in METHODS:
                    yield service, f"{verb.upper()} {path}", operation, document


def own_words(operation: dict[str, Any]) -> str:
    """An operation's description without what is added to each (who may)."""
    return str(operation["description"]).partition("\n\n**Ai được làm")[0]


def both(text: str) -> bool:
    """Vietnamese, and beside it English: `vi · en`, or a Vietnamese sentence and an English one."""
    return bool(VIETNAMESE.search(text)) and (" · " in text or any(english(part) for part in PART.split(text)))


def english(part: str) -> bool:
    """A sentence of English words: none has a letter that only Vietnamese has, but for names of the law and of money."""
    words = re.findall(r"[\w'-]+", part)
    return bool(ENGLISH.search(part)) or (len(words) > 1 and not VIETNAMESE.search(part))


def test_every_operation_is_told_in_vietnamese_and_english(documents: dict[str, dict[str, Any]]) -> None:
    missing = []
    for service, name, operation, _ in operations(documents):
        vi = operation["x-summary-vi"]
        if not (both(operation["summary"]) and operation["summary"].endswith(f" · {vi}")):
            missing.append((service, name, "summary", operation["summary"]))
        if not VIETNAMESE.search(vi) or ENGLISH.search(vi):
            missing.append((service, name, "summary in Vietnamese", vi))
        if not both(own_words(operation)):
            missing.append((service, name, "description", own_words(operation)))
    assert not missing, "begin the description with a Vietnamese sentence, go on in English"


def test_every_parameter_and_answer_is_told_in_vietnamese_and_english(documents: dict[str, dict[str, Any]]) -> None:
    missing = set()
    for service, name, operation, _ in operations(documents):
        for parameter in operation.get("parameters", []):
            if not both(parameter.get("description", "")):
                missing.add((service, parameter["name"], parameter.get("description", ""), name))
        for status, answer in operation["responses"].items():
            if not both(answer["description"]):
                missing.add((service, status, answer["description"], name))
    assert not missing, "say it beside the parameter, or in words.toml of the service (common.openapi.words)"


def fields_of(document: dict[str, Any], schema: dict[str, Any], name: str, seen: set[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every field of a body, however deep: its model, its name, its schema."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name not in seen:
            seen.add(name)
            yield from fields_of(document, document["components"]["schemas"][name], name, seen)
        return
    for field, inner in schema.get("properties", {}).items():
        yield name, field, inner
        yield from fields_of(document, inner, f"{name}.{field}", seen)
    for inner in [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ()), *filter(None, [schema.get("items")])]:
        yield from fields_of(document, inner, name, seen)


def test_every_field_that_is_filled_in_is_told_in_vietnamese_and_english(documents: dict[str, dict[str, Any]]) -> None:
    found, missing = 0, set()
    for service, document in documents.items():
        seen: set[str] = set()
        for _, name, operation, _ in operations({service: document}):
            for media in operation.get("requestBody", {}).get("content", {}).values():
                for model, field, schema in fields_of(document, media.get("schema", {}), name, seen):
                    found += 1
                    if not both(schema.get("description", "")):
                        missing.add((service, f"{model}.{field}", schema.get("description", "")))
    assert not missing, "say it beside the field, or in words.toml of the service (common.openapi.words)"
    assert found > 800


def test_a_class_s_own_words_are_not_shown_beside_a_field(documents: dict[str, dict[str, Any]]) -> None:
    """The console puts what a list of values says of itself in the place of what the field says."""
    for service, document in documents.items():
        told = [name for name, schema in document["components"]["schemas"].items() if "enum" in schema and schema.get("description")]
        assert not told, service


def test_no_words_are_left_of_what_is_gone(documents: dict[str, dict[str, Any]]) -> None:
    known = {service.package: set(words_in(documents[service.name])) for service in SERVICES}
    known["common"] = known["common.contracts"] = set().union(*known.values())
    stale = []
    for package, names in known.items():
        entries = tomllib.loads(files(package).joinpath("words.toml").read_text(encoding="utf-8"))
        stale += [(package, section, key) for section, given in entries.items() for key in given if key not in names]
    assert not stale


def words_in(document: dict[str, Any]) -> Iterator[str]:
    """What the words of a document may be given for: its operations, what is filled in, and texts, each language by itself."""
    for service, name, operation, _ in operations({"": document}):
        yield name
        for parameter in operation.get("parameters", []):
            yield from (parameter["name"], f"{name} {parameter['name']}", *parameter.get("description", service).split(" · "))
        for answer in operation["responses"].values():
            yield from answer["description"].split(" · ")
    for model, schema in document["components"]["schemas"].items():
        for field, inner in schema.get("properties", {}).items():
            yield from (field, f"{model.rpartition('__')[2]}.{field}", *inner.get("description", "").split(" · "))


def test_every_operation_names_its_roles_or_says_why_there_is_no_token(documents: dict[str, dict[str, Any]]) -> None:
    known = {role.value for role in Role}
    public = {name for _, name, operation, _ in operations(documents) if not operation["x-required-roles"]}
    assert all("/v1/webhooks/" in name or "/v1/public/" in name for name in public), "only signed calls and public figures need no token"
    for _, name, operation, _ in operations(documents):
        assert set(operation["x-required-roles"]) <= known, name
        assert "Ai được làm · Who may" in operation["description"], name


def test_every_operation_lists_the_problems_it_can_answer(documents: dict[str, dict[str, Any]]) -> None:
    for service, name, operation, document in operations(documents):
        where = f"{service} {name}"
        answered = {kind for status, answer in operation["responses"].items() if status >= "400" for kind in _problems(answer)}
        assert {f"/problems/{kind}" for kind in answered} == set(operation["x-problem-types"]), where
        assert {"unexpected", "service-unavailable"} <= answered, where
        if operation["x-required-roles"]:
            assert {"unauthenticated", "forbidden"} <= answered, where
        for kind in answered:
            shown = document["components"]["examples"][kind]["value"]
            assert VIETNAMESE.search(shown["title_vi"]), kind
        assert any(status < "400" for status in operation["responses"]), where


def _problems(answer: dict[str, Any]) -> list[str]:
    return list(answer["content"]["application/problem+json"]["examples"])


def test_known_refusals_are_found_in_the_code(documents: dict[str, dict[str, Any]]) -> None:
    def problems(service: str, path: str, verb: str = "post") -> set[str]:
        return {kind.removeprefix("/problems/") for kind in documents[service]["paths"][path][verb]["x-problem-types"]}

    assert {"four-eyes", "list-hash-mismatch", "budget-exceeded", "idempotency-mismatch"} <= problems(
        "disbursement", "/v1/cycles/{cycle_id}/approve"
    )
    assert "inputs-incomplete" in problems("disbursement", "/v1/cycles/{cycle_id}/compute")
    assert {"not-found", "precondition-required"} <= problems("registry", "/v1/beneficiaries/{beneficiary_id}", "patch")
    assert "inputs-incomplete" not in problems("disbursement", "/v1/cycles", "get")


def test_every_operation_has_a_worked_example(documents: dict[str, dict[str, Any]]) -> None:
    missing = []
    for service, name, operation, _ in operations(documents):
        sources = operation.get("x-example-from", {})
        for parameter in operation.get("parameters", []):
            shown = "example" in parameter or parameter["schema"].get("examples") or "default" in parameter["schema"]
            if parameter.get("required") and not shown and parameter["name"] not in sources and "x-example-cannot" not in operation:
                missing.append(f"{service} {name}: {parameter['name']}")
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            file = kind != "multipart/form-data" or "x-example-file" in media or "file" in sources
            if ("example" not in media or not file) and "x-example-cannot" not in operation:
                missing.append(f"{service} {name}: body")
    assert not missing, "say it beside the field (examples=…) or in the service's api/examples.py"


def test_an_example_that_cannot_succeed_says_which_of_its_refusals_it_gets(documents: dict[str, dict[str, Any]]) -> None:
    for service, name, operation, _ in operations(documents):
        if "x-example-cannot" in operation:
            assert operation.get("x-example-refused") in operation["x-problem-types"], f"{service} {name}"


def test_what_an_example_refers_to_exists(documents: dict[str, dict[str, Any]]) -> None:
    for service, name, operation, _ in operations(documents):
        for key, sources in operation.get("x-example-from", {}).items():
            for source in sources:
                if "new" in source:
                    continue
                verb, path = source["call"].split(" ", 1)
                paths = documents[source.get("service", service)]["paths"]
                bare = path.split("?")[0]
                assert any(_same(known, bare) and verb.lower() in verbs for known, verbs in paths.items()), (
                    f"{service} {name}: {key} ← {source['call']}"
                )


def _same(known: str, given: str) -> bool:
    return re.sub(r"\{[^}]+\}", "{}", known) == re.sub(r"\{[^}]+\}", "{}", given)


def test_every_page_has_an_end(documents: dict[str, dict[str, Any]]) -> None:
    endless = []
    for service, name, operation, document in operations(documents):
        asked = {each["name"]: each["schema"] for each in operation.get("parameters", [])}
        if "limit" in asked and not 0 < asked["limit"].get("maximum", 0) <= LONGEST_PAGE:
            endless.append((service, name, "limit"))
        told = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        model = document["components"]["schemas"].get(told.get("$ref", "").rpartition("/")[2], told)
        if name.startswith("GET ") and "next_cursor" in model.get("properties", {}) and not {"limit", "cursor"} <= asked.keys():
            endless.append((service, name, "next_cursor"))
    assert not endless


def test_operation_ids_are_unique_so_that_links_lead_to_one(documents: dict[str, dict[str, Any]]) -> None:
    for service, document in documents.items():
        ids = [operation["operationId"] for verbs in document["paths"].values() for verb, operation in verbs.items() if verb in METHODS]
        assert len(ids) == len(set(ids)), service


def test_a_problem_type_has_one_status_and_one_pair_of_titles_in_all_services(documents: dict[str, dict[str, Any]]) -> None:
    said: dict[str, set[tuple[str, str, int]]] = {}
    for document in documents.values():
        for kind, example in document["components"]["examples"].items():
            value = example["value"]
            if isinstance(value, dict) and "title_vi" in value:
                said.setdefault(kind, set()).add((value["title"], value["title_vi"], value["status"]))
    assert len(said) > 100, "the documents name their problems"
    assert not {kind: told for kind, told in said.items() if len(told) > 1}, "one class for all services (common.problems)"


def test_pages_of_problems_are_what_the_classes_say() -> None:
    pages: dict[Path, str] = runpy.run_path(str(Path(__file__).with_name("problems_page.py")))["pages"]()
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [path.name for path in (Path(__file__).parents[2] / "docs/integrate/problems").glob("*.md") if path not in pages]
    assert not stale, "run: python tests/contracts/problems_page.py"


#: Request bodies that are not closed: part of the name → why.
OPEN: dict[str, str] = {
    "Body_": "a form with a file: its own fields are checked, a part that nobody asks for is left aside",
}


def open_objects(document: dict[str, Any], schema: dict[str, Any], name: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Objects within a schema that take any field, by name."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name not in seen:
            yield from open_objects(document, document["components"]["schemas"][name], name, seen | {name})
        return
    more = schema.get("additionalProperties", True)
    if schema.get("type") == "object" or "properties" in schema:
        if isinstance(more, dict) and more:
            yield from open_objects(document, more, f"{name}.*", seen)
        elif more is not False:
            yield name
    elif not schema.keys() - {"title", "description", "examples", "default"}:
        yield f"{name} (anything)"
    for field, inner in schema.get("properties", {}).items():
        yield from open_objects(document, inner, f"{name}.{field}", seen)
    for inner in [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ()), *filter(None, [schema.get("items")])]:
        yield from open_objects(document, inner, name, seen)


@pytest.mark.promise("running.hostile-input")
def test_every_request_body_is_closed(documents: dict[str, dict[str, Any]]) -> None:
    found, used = set(), set()
    for service, name, operation, document in operations(documents):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for part in open_objects(document, media.get("schema", {"type": "string"}), f"{name} body"):
                known = next((known for known in OPEN if known in part), None)
                used.add(known)
                if known is None:
                    found.add((service, name, part))
    assert not found, "model_config = ConfigDict(extra='forbid'), or say in OPEN why not"
    assert used - {None} == OPEN.keys()


def test_an_open_model_is_found_however_deep() -> None:
    document = {"components": {"schemas": {"Inner": {"type": "object", "properties": {}}}}}
    closed = {"type": "object", "additionalProperties": False}
    deep = closed | {
        "properties": {"rows": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]}}}
    }
    assert list(open_objects(document, deep, "body")) == ["Inner"]
    assert list(open_objects(document, closed | {"properties": {"any": {}}}, "body")) == ["body.any (anything)"]
    assert not list(open_objects(document, closed | {"properties": {"n": {"type": "integer"}}}, "body"))
