"""Write what is derived from the contracts: JSON Schemas, worked examples, the AsyncAPI document.

    python -m common.contracts.generate            # rewrite the committed files
    python -m common.contracts.generate --release  # also freeze today's schemas in schemas/history/

The page docs/architecture/events.md also needs every service's subscriptions; tests/contracts/events_page.py writes it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from common.contracts.catalogue import (
    PRODUCERS,
    Publication,
    example_headers,
    example_key,
    example_of,
    example_partition,
    publications,
)
from common.contracts.envelope import Event
from common.topics import ALL_TOPICS, PARTITIONS

__all__ = ["HISTORY", "asyncapi_document", "events_page", "example_document", "files", "main", "schema_document"]

_HERE: Final = Path(__file__).parent
_REPOSITORY: Final = _HERE.parents[4]
SCHEMAS: Final = _HERE / "schemas"
EXAMPLES: Final = _HERE / "examples"
HISTORY: Final = SCHEMAS / "history"
ASYNCAPI: Final = _REPOSITORY / "docs" / "architecture" / "asyncapi.yaml"
_SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"


def schema_document(event: type[Event]) -> dict[str, Any]:
    """JSON Schema (2020-12) of one event's body.

    Open for fields it does not name: a consumer that checks with it accepts a later release of the same major version.
    """
    schema = _open(event.model_json_schema(mode="validation"))
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:ansinh:{event.schema_name()}"
    return dict(sorted(schema.items()))


def _open(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _open(value) for key, value in node.items() if (key, value) != ("additionalProperties", False)}
    if isinstance(node, list):
        return [_open(item) for item in node]
    return node


def example_document(publication: Publication) -> dict[str, Any]:
    """One event as it lies in Kafka: topic, key, partition, headers and body."""
    event = publication.event
    return {
        "topic": publication.topic,
        "partition": example_partition(event),
        "key": example_key(event),
        "headers": example_headers(publication.producer, event),
        "data": example_of(event).model_dump(mode="json"),
    }


def asyncapi_document() -> dict[str, Any]:
    """AsyncAPI 3.0 of all topics: messages, keys, and which service sends what."""
    events = {event.type_name(): event for group in PRODUCERS.values() for event in group}
    by_topic: dict[str, list[str]] = {topic: [] for topic in ALL_TOPICS}
    senders: dict[str, tuple[str, list[str]]] = {}
    for publication in publications():
        name = publication.event.type_name()
        if name not in by_topic[publication.topic]:
            by_topic[publication.topic].append(name)
        senders.setdefault(publication.topic, (publication.producer, []))[1].append(name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cashless social-security payments: events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in binary mode: attributes in Kafka headers `ce_*`, JSON body. The key decides the partition; "
            "order holds per key. Every event carries the full state of its part and a growing `version`: apply only a higher one.",
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, names, events) for topic, names in by_topic.items()},
        "operations": {
            f"{producer}.sends.{topic}": {
                "action": "send",
                "summary": f"{producer} publishes on {topic}",
                "channel": {"$ref": f"#/channels/{topic}"},
                "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in names],
            }
            for topic, (producer, names) in senders.items()
        },
        "components": {
            "messages": {name: _message(event) for name, event in sorted(events.items())},
            "messageTraits": {"cloudEvent": {"headers": _HEADERS}},
        },
    }


_HEADERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_dataschema"],
    "properties": {
        "ce_id": {"type": "string", "format": "uuid", "description": "Event id; consumers drop what they have already applied"},
        "ce_type": {"type": "string", "description": "Name of the event"},
        "ce_source": {"type": "string", "description": "Producing service"},
        "ce_subject": {"type": "string", "format": "uuid", "description": "The Kafka key"},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it was committed (real clock, UTC)"},
        "ce_dataschema": {"type": "string", "description": "JSON Schema of the body, <Event>.v1"},
        "ce_correlationid": {"type": "string", "description": "The request that led here, through however many events"},
        "ce_causationid": {"type": "string", "description": "The event that led to this one"},
        "traceparent": {"type": "string", "description": "W3C trace context: that of the request or event that led here"},
    },
}


def _channel(topic: str, names: list[str], events: Mapping[str, type[Event]]) -> dict[str, Any]:
    keys = sorted({events[name].KEY for name in names})
    return {
        "address": topic,
        "description": f"Keyed by {', '.join(keys)}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topic": topic, "partitions": PARTITIONS, "bindingVersion": "0.5.0"}},
    }


def _message(event: type[Event]) -> dict[str, Any]:
    path = f"../../libs/common/src/common/contracts/schemas/{event.schema_name()}.schema.json"
    return {
        "name": event.type_name(),
        "summary": _summary(event),
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": path}},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid", "description": event.KEY}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": "worked", "payload": example_of(event).model_dump(mode="json")}],
    }


def _summary(event: type[Event]) -> str:
    return (event.__doc__ or "").strip().splitlines()[0]


def events_page(subscribers: Mapping[str, Mapping[str, frozenset[str]]]) -> str:
    """The page docs/architecture/events.md.

    `subscribers`: service → topic → names of the events it applies there.
    """
    lines = [
        "# Events",
        "",
        "Who says what to whom. Written by `python tests/contracts/events_page.py` from the contracts and from every",
        "service's subscriptions; a test compares. Bodies: the JSON Schemas and examples beside the contracts; transport:",
        "[asyncapi.yaml](asyncapi.yaml).",
        "",
        f"All topics have {PARTITIONS} partitions; the key's last byte decides. Every event carries the full state of its part and a",
        "growing `version`: a consumer applies only a higher one, in any order across topics, and repeats are harmless.",
    ]
    topic = ""
    for publication in sorted(publications(), key=lambda p: ALL_TOPICS.index(p.topic)):
        if publication.topic != topic:
            topic = publication.topic
            lines += ["", f"## {topic}", "", "| event | publisher | key | subscribers | meaning |", "|---|---|---|---|---|"]
        event = publication.event
        name = event.type_name()
        heard_by = sorted(service for service, topics in subscribers.items() if name in topics.get(topic, frozenset()))
        schema = f"../../libs/common/src/common/contracts/schemas/{event.schema_name()}.schema.json"
        lines.append(f"| [{name}]({schema}) | {publication.producer} | `{event.KEY}` | {', '.join(heard_by) or '–'} | {_summary(event)} |")
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Path → text of everything this module writes, except the history."""
    written: dict[Path, str] = {}
    for publication in publications():
        event = publication.event
        example = EXAMPLES / f"{event.schema_name()}.json"
        if example not in written:
            written[SCHEMAS / f"{event.schema_name()}.schema.json"] = _json(schema_document(event))
            written[example] = _json(example_document(publication))
    written[ASYNCAPI] = _yaml(asyncapi_document())
    return written


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _yaml(document: Any) -> str:
    import yaml  # a development dependency: documents are generated by developers, not by a running service

    head = "# Written by python -m common.contracts.generate; do not edit.\n"
    return head + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=140)


def _freeze(say: Callable[[str], None]) -> None:
    """Keep today's schemas as `<Event>.v1.<n>.schema.json` where they differ from the newest kept ones."""
    HISTORY.mkdir(exist_ok=True)
    for path, text in files().items():
        if path.parent != SCHEMAS:
            continue
        stem = path.name.removesuffix(".schema.json")
        kept = sorted(HISTORY.glob(f"{stem}.*.schema.json"), key=lambda p: int(p.name.split(".")[2]))
        if kept and kept[-1].read_text(encoding="utf-8") == text:
            continue
        target = HISTORY / f"{stem}.{len(kept) + 1}.schema.json"
        target.write_text(text, encoding="utf-8")
        say(f"kept {target.name}")


def main(argv: list[str] | None = None) -> int:
    """Write the files; remove those of events that no longer exist."""
    parser = argparse.ArgumentParser(prog="python -m common.contracts.generate", description=__doc__)
    parser.add_argument("--release", action="store_true", help="freeze today's schemas in schemas/history/")
    arguments = parser.parse_args(argv)

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")

    wanted = files()
    for folder in (SCHEMAS, EXAMPLES, ASYNCAPI.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    for stale in {*SCHEMAS.glob("*.json"), *EXAMPLES.glob("*.json")} - wanted.keys():
        stale.unlink()
    if arguments.release:
        _freeze(say)
    say(f"{len(wanted)} files written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
