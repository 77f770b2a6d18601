"""Executes the worked examples of OpenAPI documents against a running stack, as `x-example-from` says (see common.openapi.examples)."""

from __future__ import annotations

import json
import math
import mimetypes
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

READY = (
    "department.officer", "commune.officer", "district.officer", "approver", "auditor", "operator", "commune.police",
    "department.officer2", "approver2", "inspector",
)  # fmt: skip
WAIT_SECONDS = 30.0
_STRIDES = (7, 11, 13, 1)  # neighbours in a list are often of one commune
METHODS = frozenset({"get", "post", "put", "patch", "delete"})


class Unresolved(Exception):
    """A value of an example is not found in the data."""


@dataclass
class Ran:
    """What became of one operation's example."""

    status: int
    said: str
    user: str
    answer: httpx.Response | None = None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    def told(self) -> str:
        """The problem type of a refusal."""
        try:
            return str(json.loads(self.answer.text)["type"]) if self.answer is not None else self.said
        except (ValueError, KeyError, TypeError):
            return f"{self.status} without a problem type"


@dataclass
class Runner:
    """One stack: addresses, users, documents."""

    services: dict[str, str]
    issuer: str
    partner: str
    users: dict[str, dict[str, Any]]
    clients: dict[str, dict[str, Any]]
    documents: dict[str, dict[str, Any]]
    seed: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        self.http = httpx.Client(timeout=60, trust_env=False, limits=httpx.Limits(keepalive_expiry=1))  # a service closes after 5 s
        self.random = random.Random(self.seed)
        self.tokens: dict[str, str] = {}
        self.taken: dict[str, int] = {}
        self.made: set[str] = set()

    def operations(self, service: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, verbs in self.documents[service]["paths"].items():
            for verb, operation in verbs.items():
                if verb in METHODS:
                    yield f"{verb.upper()} {path}", operation

    def operation(self, service: str, name: str) -> dict[str, Any]:
        verb, path = name.split(" ", 1)
        found: dict[str, Any] = self.documents[service]["paths"][path][verb.lower()]
        return found

    def fitting(self, operation: dict[str, Any]) -> list[str]:
        """Ready users and systems with a role of the operation; the one it names first."""
        roles = set(operation.get("x-required-roles", ()))
        people = [name for name in READY if roles & set(self.users[name]["roles"])]
        systems = [name for name, client in self.clients.items() if roles & set(client["roles"])]
        named = [operation["x-example-by"]] if "x-example-by" in operation else []
        return list(dict.fromkeys([*named, *people, *systems])) or ["operator"]

    def token(self, who: str) -> str:
        if who not in self.tokens:
            form = (
                {"grant_type": "password", "username": who, "password": self.users[who]["password"]}
                if who in self.users
                else {"grant_type": "client_credentials", "client_id": who, "client_secret": self.clients[who]["secret"]}
            )
            answer = self.http.post(f"{self.issuer}/token", data=form)
            answer.raise_for_status()
            self.tokens[who] = answer.json()["access_token"]
        return self.tokens[who]

    def run(self, service: str, name: str, depth: int = 0, given: dict[str, Any] | None = None) -> Ran:
        """Send one operation's example, by the first fitting user to whom the service does not refuse it."""
        operation = self.operation(service, name)
        last = Ran(0, "nobody fits", "")
        others = "/*/" in json.dumps(operation.get("x-example-from", {}))  # another item each time
        fitting = self.fitting(operation)[:5]
        # The same person as long as it can be: who sent something takes it back, who proposed it does not decide it.
        for user in [each for each in fitting for _ in range(3)] if others and depth < 2 else fitting:
            last = self._send(service, name, operation, user, depth, given or {})
            again = (0, 401, 403, 404, 409, 422) if others else (0, 401, 403, 404, 409)
            if last.good or last.status not in again:
                break
        return last

    def _send(self, service: str, name: str, operation: dict[str, Any], user: str, depth: int, given: dict[str, Any]) -> Ran:
        verb, path = name.split(" ", 1)
        try:
            found = self._values(service, operation, user, depth, given)
        except Unresolved as error:
            return Ran(0, str(error), user)
        query: dict[str, Any] = {}
        headers: dict[str, str] = {"Authorization": f"Bearer {self.token(user)}"} if operation.get("x-required-roles") else {}
        for parameter in operation.get("parameters", []):
            value = found.get(parameter["name"], parameter.get("example"))
            if value is None:
                value = next(iter(parameter.get("schema", {}).get("examples", [])), None)
            if value is None or (value == "…"):
                if parameter.get("required"):
                    return Ran(0, f"no example for {parameter['name']}", user)
                continue
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", str(value))
            elif parameter["in"] == "query":
                query[parameter["name"]] = value
            elif parameter["in"] == "header":
                headers[parameter["name"]] = str(value)
        body = self._body(operation, found)
        headers |= body.pop("headers", {})
        waits = any("wait" in source for sources in operation.get("x-example-from", {}).values() for source in sources)
        until = time.monotonic() + (WAIT_SECONDS if waits else 0)
        while True:
            answer = self.http.request(verb, self.services[service] + path, params=query, headers=headers, **body)
            if answer.status_code not in (404, 409, 422) or time.monotonic() > until or b"same-person" in answer.content:
                break
            time.sleep(0.3)  # a job works on what the example waits for
        return Ran(answer.status_code, "" if answer.is_success else answer.text[:400], user, answer)

    def _values(self, service: str, operation: dict[str, Any], user: str, depth: int, given: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = dict(given)
        wanted = {key: value for key, value in operation.get("x-example-from", {}).items() if key not in given}
        left = list(wanted)
        while left:
            # As the document says them, but what a call names is found before it.
            key = next((each for each in left if not _needs(wanted[each]) & (set(left) - {each})), left[0])
            left.remove(key)
            found[key] = self._value(service, key, wanted[key], found, user, depth)
        return found

    def _value(self, service: str, key: str, sources: list[dict[str, str]], found: dict[str, Any], user: str, depth: int) -> Any:
        tried = []
        for source in sources:
            if "new" in source:
                return self._new(source["new"])
            if depth > 6:
                raise Unresolved(f"{key}: too deep")
            call, service = source["call"], source.get("service", service)
            verb, path = call.split(" ", 1)
            if verb == "GET" or "?" in path or not self._is_operation(service, call):
                for name, value in found.items():
                    path = path.replace("{" + name + "}", str(value))
                ran = self._read(service, verb, path, user)
                until = time.monotonic() + (WAIT_SECONDS if "wait" in source else 0)
                while time.monotonic() < until and not (
                    ran.good and ran.answer is not None and self._at(ran.answer, call, source["at"]) is not None
                ):
                    time.sleep(0.2)
                    ran = self._read(service, verb, path, user)
            else:
                kept = {name: value for name, value in found.items() if "{" + name + "}" in path}
                ran = self.run(service, call, depth + 1, kept)
            if not ran.good or ran.answer is None:
                tried.append(f"{call}: {ran.status} {ran.said[:160]}")
                continue
            value = self._at(ran.answer, call, source["at"])
            if value is not None:
                return [value] if "many" in source else value
            tried.append(f"{call}: nothing at {source['at']}")
        raise Unresolved(f"{key} ← {'; '.join(tried)}")

    def _new(self, pattern: str) -> str:
        """A value not given out before in this run, as long as the pattern has one."""
        for _ in range(1_000):
            made = re.sub("[#?]", lambda found: str(self.random.randrange(int(found[0] == "?"), 10)), pattern)
            if made not in self.made or made == pattern:
                break
        self.made.add(made)
        return made

    def _at(self, answer: httpx.Response, call: str, place: str) -> Any:
        if place == "ETag":
            return answer.headers.get("etag")
        if place == "":
            return answer.content
        value = answer.json()
        for part in place.strip("/").split("/"):
            try:
                if part == "*":
                    self.taken[call] = self.taken.get(call, -1) + 1
                    stride = next(each for each in _STRIDES if math.gcd(each, len(value)) == 1)
                    value = value[self.taken[call] * stride % len(value)]
                else:
                    value = value[int(part)] if isinstance(value, list) else value[part]
            except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
                return None
        return value

    def _is_operation(self, service: str, call: str) -> bool:
        verb, path = call.split(" ", 1)
        return verb.lower() in self.documents[service]["paths"].get(path, {})

    def _read(self, service: str, verb: str, path: str, user: str) -> Ran:
        """A read by whoever sends the example, or by whoever may."""
        bare = path.split("?")[0]
        pattern = next(
            (each for each, verbs in self.documents[service]["paths"].items() if verb.lower() in verbs and _matches(each, bare)), None
        )
        fitting = self.fitting(self.documents[service]["paths"][pattern][verb.lower()]) if pattern else []
        ran = Ran(0, "nobody reads it", user)
        for reader in [user] * (user in fitting) + [who for who in fitting if who != user][:3]:
            answer = self.http.request(verb, self.services[service] + path, headers={"Authorization": f"Bearer {self.token(reader)}"})
            ran = Ran(answer.status_code, "" if answer.is_success else answer.text[:200], reader, answer)
            if ran.good:
                break
        return ran

    def _body(self, operation: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        content = operation.get("requestBody", {}).get("content")
        if not content:
            return {}
        kind, media = next(iter(content.items()))
        example = media.get("example")
        if example is None:
            return {}
        example = json.loads(json.dumps(example))
        for pointer, value in found.items():
            if pointer.startswith("/"):
                _put(example, pointer, value)
        if kind == "application/json":
            return {"json": example}
        if kind != "multipart/form-data":
            return {"content": str(example).encode(), "headers": {"Content-Type": kind}}
        file = media.get("x-example-file")
        text = found["file"] if "file" in found else self._new(_named(file["text"], found)) if file else ""
        content_bytes = text if isinstance(text, bytes) else str(text).encode("utf-8")
        fields = {key: _plain(value) for key, value in example.items() if key != "file"}
        upload = (file or {"name": "vi-du.csv"})["name"]
        return {"data": fields, "files": {"file": (upload, content_bytes, mimetypes.guess_type(upload)[0] or "text/csv")}}


def _needs(sources: list[dict[str, str]]) -> set[str]:
    return {name for source in sources for name in re.findall(r"{([^}]+)}", source.get("call", ""))}


def _named(text: str, found: dict[str, Any]) -> str:
    for name, value in found.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _plain(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _matches(pattern: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", pattern), path) is not None


def _put(example: Any, pointer: str, value: Any) -> None:
    *parts, last = pointer.strip("/").split("/")
    for part in parts:
        example = example[int(part)] if isinstance(example, list) else example.setdefault(part, {})
    if isinstance(example, list):
        example[int(last)] = value
    else:
        example[last] = value
