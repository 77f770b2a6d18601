"""Contracts: committed files are what the code says, v1 only gains optional fields, examples hold, every event has a hearer."""

from __future__ import annotations

import copy
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ansinh.chaos.hears import HEARS
from common.contracts import generate
from common.contracts.catalogue import PRODUCERS, example_of, publications
from common.contracts.compatibility import differences
from common.contracts.envelope import Event
from common.topics import ALL_TOPICS, PARTITIONS

EVENTS = sorted({p.event for p in publications()}, key=lambda event: event.type_name())
FIRST_OF = {p.event: p for p in reversed(list(publications()))}
LIMIT = 64 * 1024
REGENERATE = "run: python -m common.contracts.generate"


@pytest.fixture(scope="module")
def pages() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).with_name("events_page.py")))


def test_committed_files_are_what_the_contracts_say() -> None:
    wanted = generate.files()
    for path, text in wanted.items():
        assert path.exists(), f"{path.name} is missing; {REGENERATE}"
        assert path.read_text(encoding="utf-8") == text, f"{path.name} differs; {REGENERATE}"
    stale = {*generate.SCHEMAS.glob("*.json"), *generate.EXAMPLES.glob("*.json")} - wanted.keys()
    assert not stale, REGENERATE


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type_name())
def test_v1_only_gains_optional_fields(event: type[Event]) -> None:
    now = generate.schema_document(event)
    kept = sorted(generate.HISTORY.glob(f"{event.schema_name()}.*.schema.json"))
    assert kept, "a published event has a history; run: python -m common.contracts.generate --release"
    for path in kept:
        assert differences(json.loads(path.read_text(encoding="utf-8")), now) == [], path.name


def test_no_published_event_disappears() -> None:
    known = {event.schema_name() for event in EVENTS}
    assert {path.name.rsplit(".", 3)[0] for path in generate.HISTORY.glob("*.json")} <= known


OLD: dict[str, Any] = {
    "$defs": {"Part": {"properties": {"a": {"type": "integer"}}, "required": ["a"], "type": "object"}, "Kind": {"enum": ["X", "Y"]}},
    "properties": {"n": {"type": "integer", "description": "count"}, "note": {"type": "string", "default": ""}},
    "required": ["n"],
    "type": "object",
}


def changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    inner: Any = new
    for part in path[:-1]:
        inner = inner[part]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return new


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("properties", "more"), {"type": "string"}, None),
        (("properties", "n", "description"), "another text", None),
        (("properties", "n"), None, "$.n: removed"),
        (("properties", "n", "type"), "string", "$.n: changed"),
        (("properties", "n", "minimum"), 1, "$.n: changed"),
        (("required",), ["n", "note"], "$.note: new fields must be optional"),
        (("required",), [], "$.n: was required"),
        (("$defs", "Part"), None, "$defs.Part: removed"),
        (("$defs", "Part", "properties", "a", "type"), "string", "$defs.Part.a: changed"),
        (("$defs", "Kind", "enum"), ["X"], "$defs.Kind: changed"),
    ],
)
def test_the_rule_itself(path: tuple[str, ...], value: Any, fault: str | None) -> None:
    found = differences(OLD, changed(path, value))
    assert (found == []) if fault is None else any(line.startswith(fault) for line in found), found


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type_name())
def test_examples_validate_and_round_trip(event: type[Event]) -> None:
    document = json.loads((generate.EXAMPLES / f"{event.schema_name()}.json").read_text(encoding="utf-8"))
    schema = generate.schema_document(event)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document["data"])
    back = event.model_validate_json(json.dumps(document["data"]))
    assert back == example_of(event)
    assert json.loads(back.model_dump_json()) == document["data"]
    assert event.parse_tolerant(document["data"] | {"of_tomorrow": 1}) == back
    Draft202012Validator(schema).validate(document["data"] | {"of_tomorrow": 1})
    assert document["headers"]["ce_type"] == event.type_name()
    assert document["headers"]["ce_subject"] == document["key"] == str(getattr(back, event.KEY))
    assert 0 <= document["partition"] < PARTITIONS
    assert document["topic"] in ALL_TOPICS
    assert len(json.dumps(document)) < LIMIT


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type_name())
def test_an_event_without_a_required_field_is_refused(event: type[Event]) -> None:
    schema = generate.schema_document(event)
    data = example_of(event).model_dump(mode="json")
    validator = Draft202012Validator(schema)
    for name in schema["required"]:
        assert not validator.is_valid({key: value for key, value in data.items() if key != name}), name


@pytest.mark.parametrize("producer", PRODUCERS)
def test_topics_are_named_after_their_producer(producer: str) -> None:
    for publication in publications():
        if publication.producer == producer:
            assert publication.topic.startswith(f"{producer}.")


def test_asyncapi_references_resolve() -> None:
    document = generate.asyncapi_document()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/"):
                target: Any = document
                for part in reference[2:].split("/"):
                    target = target[part]
            elif isinstance(reference, str):
                assert (generate.ASYNCAPI.parent / reference).resolve().exists(), reference
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    assert set(document["channels"]) == set(ALL_TOPICS)


def test_events_page_is_what_the_services_subscribe_to(pages: dict[str, Any]) -> None:
    text = generate.events_page(pages["subscribers"]())
    assert pages["PAGE"].read_text(encoding="utf-8") == text, "run: python tests/contracts/events_page.py"


def test_the_kill_harness_knows_who_applies_what(pages: dict[str, Any]) -> None:
    subscribed = {
        service: {(topic, name) for topic, names in topics.items() for name in names} for service, topics in pages["subscribers"]().items()
    }
    assert subscribed == HEARS


def test_every_subscription_names_an_event_of_that_topic(pages: dict[str, Any]) -> None:
    said = {(p.topic, p.event.type_name()) for p in publications()}
    for service, topics in pages["subscribers"]().items():
        for topic, names in topics.items():
            assert {(topic, name) for name in names} <= said, service


def test_every_event_has_a_hearer(pages: dict[str, Any]) -> None:
    heard = {(topic, name) for topics in pages["subscribers"]().values() for topic, names in topics.items() for name in names}
    assert {(p.topic, p.event.type_name()) for p in publications()} <= heard


def test_an_event_on_a_subscribed_topic_is_applied_or_declared_ignored(pages: dict[str, Any]) -> None:
    said: dict[str, set[str]] = {}
    for publication in publications():
        said.setdefault(publication.topic, set()).add(publication.event.type_name())
    ignored = pages["ignored"]()
    for service, topics in pages["subscribers"]().items():
        for topic, names in topics.items():
            silent = said[topic] - names - ignored[service].get(topic, frozenset())
            assert not silent, f"{service} neither applies nor ignores {sorted(silent)} of {topic}"
