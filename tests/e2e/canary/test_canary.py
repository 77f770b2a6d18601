"""A small month on a stack of its own; then numbers, accounts, phones, secrets, words of health are looked for where they must not be."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import re
import sqlite3
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import sql

from ansinh.stack.embedded import Embedded
from ansinh.stack.layout import SERVICES, Layout
from ansinh.testing import own_stack
from common.ids import new_id
from common.topics import PARTITIONS

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(1_500), pytest.mark.xdist_group("embedded-stack")]
READERS = ("department.officer", "auditor", "commune.officer", "operator")
REGISTRY_ONLY = "registry"
"""The one service that must know a person's category; a word of health in its own tables is its business, anywhere else a leak."""
REGISTRY_LISTS = (
    "/v1/beneficiaries", "/v1/changes", "/v1/data-sets", "/v1/duplicates", "/v1/households", "/v1/lists/", "/v1/representatives/",
    "/v1/survey", "/v1/transfers", "/v1/units/work-list",
)  # fmt: skip
"""Its lists of people, which must not have one either; its law, and a single person's own page, may."""
PHONES = 20

_WORD = re.compile(rb"[0-9A-Za-z]{8,40}")
_SEALED = re.compile(rb"v1:[^:\s\"]+:[0-9a-f-]{36}:[a-z_0-9.]+:[A-Za-z0-9+/=]+")
_HEALTH = re.compile(r"(?<![\w+/=])(?:HIV|AIDS)(?![\w+/=])|(?i:tâm thần|thần kinh|khuyết tật|nạn nhân chất độc)")
_SECRET_LENGTH = 20


@dataclass(frozen=True)
class Known:
    """What is looked for. Numbers are those of everybody in the world the simulators know: the month's people among them."""

    numbers: frozenset[bytes]
    secrets: Mapping[str, bytes]

    def in_bytes(self, data: bytes, *, health: bool = False) -> list[str]:
        """What of it stands in the data; of numbers only the last four digits are said."""
        found = [f"number …{word[-4:].decode()}" for word in set(_WORD.findall(data)) & self.numbers]
        found += [f"secret {name}" for name, value in self.secrets.items() if value in data]
        if health and (word := _HEALTH.search(_SEALED.sub(b"", data).decode(errors="replace"))):
            found.append(f"health {word[0]}")
        return sorted(found)


def known_of(home: Path) -> Known:
    """Everything sensitive of a stack's home: the world's numbers, and every long secret of the secrets folder."""
    with sqlite3.connect(f"file:{home / 'sim' / 'world.sqlite'}?mode=ro", uri=True) as world:
        numbers = {row[0].encode() for table, column in (("person", "number"), ("account", "account_number"))
                   for row in world.execute(f"SELECT {column} FROM {table}")}  # fmt: skip
    secrets: dict[str, bytes] = {}
    for path in sorted((home / "secrets").glob("*.json")):
        for place, value in _strings(json.loads(path.read_text(encoding="utf-8"))):
            if len(value) >= _SECRET_LENGTH and not value.startswith(("http", "/")) and " " not in value:
                secrets[f"{path.name}:{place}"] = value.encode()
    key = (home / "secrets" / "issuer-key.pem").read_text(encoding="utf-8").splitlines()
    secrets["issuer-key.pem"] = key[2].encode()
    return Known(frozenset(number for number in numbers if len(number) >= 8), secrets)


def _strings(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, f"{place}.{index}")
    elif isinstance(value, str) and place.rpartition(".")[2] not in ("issuer", "audience", "keys_file", "world", "books", "state"):
        yield place, value


def in_database(dsn: str, wanted: Known, *, health: bool) -> dict[str, list[str]]:
    """Every table as text, as a dump would show it, with binary columns as their characters; table → what was found."""
    leaks: dict[str, list[str]] = {}
    with psycopg.connect(dsn) as connection:
        tables: dict[str, list[sql.Composable]] = {}
        for table, column, kind in connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1, ordinal_position"
        ):
            name = sql.Identifier(column)
            shown = sql.SQL("encode({}, 'escape')").format(name) if kind == "bytea" else sql.SQL("CAST({} AS text)").format(name)
            tables.setdefault(table, []).append(shown)
        for table, columns in tables.items():
            query = sql.SQL("COPY (SELECT concat_ws(' ', {}) FROM {}) TO STDOUT").format(sql.SQL(", ").join(columns), sql.Identifier(table))
            with connection.cursor() as cursor, cursor.copy(query) as copy:
                if found := wanted.in_bytes(b"".join(bytes(piece) for piece in copy), health=health):
                    leaks[table] = found
    return leaks


def in_files(paths: Iterable[Path], wanted: Known) -> dict[str, list[str]]:
    """File → what was found in it."""
    return {path.name: found for path in paths if (found := wanted.in_bytes(path.read_bytes(), health=True))}


def unpacked(content: bytes) -> bytes:
    """An answer's bytes; the parts of an XLSX one after the other."""
    if not content.startswith(b"PK\x03\x04"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


@pytest.fixture(scope="module")
def stack() -> Iterator[Layout]:
    """A month of 300 people, left running; `ANSINH_CANARY_HOME` and `ANSINH_PORT_BASE` name one that runs already."""
    if given := os.environ.get("ANSINH_CANARY_HOME"):
        yield replace(Layout.from_environment(), home=Path(given))
        return
    with own_stack() as own:
        own.must("demo", "--people", "300", "--keep")
        yield own.demo


@pytest.fixture(scope="module")
def known(stack: Layout, dsns: dict[str, str]) -> Known:
    found = known_of(stack.home)
    assert len(found.numbers) > 300
    assert len(found.secrets) > 30
    return replace(found, numbers=found.numbers | phones_given(stack, dsns))


def phones_given(stack: Layout, dsns: Mapping[str, str]) -> frozenset[bytes]:
    """The phones of some people, told to the register (the lists of the sample hold none), once disbursement has them sealed."""
    with psycopg.connect(dsns["registry"]) as registry:
        people = [row[0] for row in registry.execute(
            "SELECT person_id FROM person WHERE status = 'ACTIVE' ORDER BY person_id LIMIT %s", (PHONES,))]  # fmt: skip
    draw = random.Random(20261122)
    phones = {person: f"09{draw.randrange(10**8):08d}" for person in people}
    headers = {"Authorization": f"Bearer {_token(stack, 'department.officer')}"}
    with httpx.Client(base_url=stack.url("registry"), headers=headers, timeout=60) as client:
        for person, phone in phones.items():
            path = f"/v1/beneficiaries/{person}"
            version = client.get(path).raise_for_status().headers["ETag"]
            body = {"business_date": "2024-09-30", "phone": phone}
            client.patch(path, json=body, headers={"If-Match": version}).raise_for_status()
    sealed, until = 0, time.monotonic() + 60
    with psycopg.connect(dsns["disbursement"], autocommit=True) as disbursement:
        while sealed < len(people) and time.monotonic() < until:
            time.sleep(0.2)
            query = "SELECT count(*) FROM beneficiary WHERE beneficiary_id = ANY(%s) AND phone_token IS NOT NULL"
            [(sealed,)] = disbursement.execute(query, (people,)).fetchall()
    assert sealed == len(people) == PHONES
    return frozenset(phone.encode() for phone in phones.values())


@pytest.fixture(scope="module")
def dsns(stack: Layout) -> dict[str, str]:
    return Embedded(stack, lambda _text: None).dsns


def _token(stack: Layout, user: str) -> str:
    password = json.loads((stack.secrets / "issuer.json").read_text(encoding="utf-8"))["users"][user]["password"]
    form = {"grant_type": "password", "username": user, "password": password}
    return str(httpx.post(f"{stack.url('issuer')}/token", data=form).raise_for_status().json()["access_token"])


def _ids(dsns: Mapping[str, str]) -> dict[str, str]:
    """An id of each kind that paths name, from the tables."""
    wanted = {
        "beneficiary_id": ("registry", "SELECT person_id FROM person LIMIT 1"),
        "cycle_id": ("disbursement", "SELECT cycle_id FROM payment_cycle LIMIT 1"),
        "payment_id": ("disbursement", "SELECT payment_id FROM payment LIMIT 1"),
        "account_id": ("accounts", "SELECT account_id FROM account LIMIT 1"),
        "payee_id": ("accounts", "SELECT payee_id FROM account LIMIT 1"),
        "import_id": ("registry", "SELECT import_id FROM import_file LIMIT 1"),
        "batch_id": ("disbursement", "SELECT batch_id FROM payment_batch LIMIT 1"),
    }
    found = {}
    for name, (service, query) in wanted.items():
        with psycopg.connect(dsns[service]) as connection:
            row = connection.execute(query).fetchone()
            assert row is not None, name
            found[name] = str(row[0])
    return found


def _reads(document: Mapping[str, Any], ids: Mapping[str, str]) -> Iterator[str]:
    """Every GET whose path can be filled in; what needs a purpose is a full read, and is left out."""
    for path, verbs in document["paths"].items():
        get = verbs.get("get")
        asked = {item["name"] for item in (get or {}).get("parameters", []) if item["in"] == "path"}
        if get and path.startswith("/v1/") and asked <= set(ids) and not path.endswith(("/stream", "/events")):
            yield path.format(**ids)


def _without_health(service: str, path: str) -> bool:
    """Whether no word of health may stand in this answer: anything of the other services, and the register's lists of people."""
    if service != REGISTRY_ONLY:
        return True
    return path.startswith(REGISTRY_LISTS) and (path == REGISTRY_LISTS[0] or not path.startswith(REGISTRY_LISTS[0]))


async def test_no_answer_shows_a_whole_number_a_secret_or_in_a_list_a_fact_of_health(
    stack: Layout, known: Known, dsns: dict[str, str]
) -> None:
    ids = _ids(dsns)
    leaked, answered = {}, 0
    for user in READERS:
        headers = {"Authorization": f"Bearer {_token(stack, user)}"}
        async with httpx.AsyncClient(headers=headers, timeout=60) as client:
            for service in SERVICES:
                document = (await client.get(f"{stack.url(service.name)}/openapi.json")).json()
                for path in _reads(document, ids):
                    answer = await client.get(stack.url(service.name) + path)
                    answered += answer.is_success
                    assert answer.status_code < 500 or answer.status_code == 503, (service.name, path, answer.text)
                    health = _without_health(service.name, path) and not answer.content.startswith(b"%PDF")  # packed text is noise
                    if found := known.in_bytes(unpacked(answer.content) + repr(answer.headers).encode(), health=health):
                        leaked[f"{user} {service.name} {path}"] = found
    assert answered > 100
    assert leaked == {}


async def test_no_problem_answer_repeats_what_was_sent(stack: Layout, known: Known) -> None:
    number = max(known.numbers, key=lambda each: (len(each) == 12, each)).decode()
    body = {"national_number": number, "account_number": number, "not_a_field": number, "items": [number], number: {"name": number}}
    leaked, refused = {}, 0
    headers = {"Authorization": f"Bearer {_token(stack, 'department.officer')}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        for service in SERVICES:
            document = (await client.get(f"{stack.url(service.name)}/openapi.json")).json()
            for path, verbs in document["paths"].items():
                for verb in set(verbs) & {"post", "put", "patch"}:
                    filled = stack.url(service.name) + path.replace("{", "").replace("}", "")
                    answer = await client.request(verb, filled, json=body, headers={"Idempotency-Key": new_id().hex, "If-Match": '"1"'})
                    refused += answer.status_code == 422
                    assert answer.status_code < 500, (path, answer.text)
                    if found := known.in_bytes(answer.content):
                        leaked[f"{verb} {service.name} {path}"] = found
    assert refused > 50
    assert leaked == {}


async def _topics(stack: Layout) -> Mapping[str, bytes]:
    """All bytes of every topic: keys, headers, bodies."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, enable_auto_commit=False)
    await consumer.start()
    held: dict[str, list[bytes]] = {}
    try:
        topics = sorted(topic for topic in await consumer.topics() if topic.endswith(".v1"))
        consumer.assign([TopicPartition(topic, partition) for topic in topics for partition in range(PARTITIONS)])
        await consumer.seek_to_beginning()
        quiet = 0
        while quiet < 3:
            got = await consumer.getmany(timeout_ms=1_000)
            quiet = 0 if got else quiet + 1
            for place, records in got.items():
                for record in records:
                    held.setdefault(place.topic, []).append(
                        b" ".join([record.key or b"", record.value or b"", *(value for _, value in record.headers)])
                    )
    finally:
        await consumer.stop()
    return {topic: b"\n".join(records) for topic, records in held.items()}


async def test_no_event_holds_a_number_a_secret_or_a_fact_of_health(stack: Layout, known: Known) -> None:
    topics = await _topics(stack)
    assert len(topics) > 4
    assert {topic: found for topic, data in topics.items() if (found := known.in_bytes(data, health=True))} == {}


async def _metrics(stack: Layout) -> dict[str, bytes]:
    async with httpx.AsyncClient(timeout=30) as client:
        ports = {
            f"{s.name}-{kind}": port for s in SERVICES for kind, port in (("api", stack.api_port(s)), ("worker", stack.worker_port(s)))
        }
        return {name: (await client.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status().content for name, port in ports.items()}


async def test_no_metric_names_anybody(stack: Layout, known: Known) -> None:
    assert {name: found for name, data in (await _metrics(stack)).items() if (found := known.in_bytes(data, health=True))} == {}


def test_no_log_holds_any_of_it(stack: Layout, known: Known) -> None:
    logs = sorted(stack.logs.glob("*.log"))
    assert len(logs) > 10
    assert in_files(logs, known) == {}


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_no_dump_holds_any_of_it(service: str, known: Known, dsns: dict[str, str]) -> None:
    assert in_database(dsns[service], known, health=service != REGISTRY_ONLY) == {}


async def test_one_leak_of_each_kind_is_found(known: Known, dsns: dict[str, str], tmp_path: Path) -> None:
    number = min(known.numbers).decode()
    secret = known.secrets["population.json:.token"]
    with psycopg.connect(dsns["reporting"]) as connection:
        connection.execute(
            "INSERT INTO audit_log (subject, roles, units, action, object_type, object_id, detail)"
            " VALUES ('x', '{}', '{}', 'x', 'x', 'x', %s)", (json.dumps({"deep": [number]}),),
        )  # fmt: skip
        connection.commit()
        try:
            found = await asyncio.to_thread(in_database, dsns["reporting"], known, health=True)
        finally:
            connection.execute("DELETE FROM audit_log WHERE action = 'x'")
            connection.commit()
    assert found == {"audit_log": [f"number …{number[-4:]}"]}
    log = tmp_path / "planted.log"
    log.write_bytes(b"token=" + secret + " chẩn đoán HIV".encode())
    assert in_files([log], known) == {"planted.log": ["health HIV", "secret population.json:.token"]}
    assert known.in_bytes(json.dumps({"note": f"số {number}"}).encode()) == [f"number …{number[-4:]}"]
    assert known.in_bytes('{"category":"Người khuyết tật nặng"}'.encode(), health=True) == ["health khuyết tật"]
    [phone] = [each for each in known.numbers if len(each) == 10 and each.startswith(b"09")][:1]
    assert known.in_bytes(b'{"phone":"' + phone + b'"}') == [f"number …{phone[-4:].decode()}"]
    told = ("/v1/beneficiaries", "/v1/lists/no-id", "/v1/beneficiaries/1", "/v1/catalogue/categories")
    assert [_without_health("registry", path) for path in told] == [True, True, False, False]
