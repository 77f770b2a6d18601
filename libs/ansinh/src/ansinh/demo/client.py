"""A caller of the public APIs: signs in, retries what may be retried with the same key, follows pages, waits for conditions."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from ansinh.demo.stack_info import StackInfo
from common.http import client

__all__ = ["Api", "ApiProblem", "DeadlineMissed", "wait_for"]

_TOKEN_SECONDS = 2_400.0
_TRANSIENT = frozenset((425, 429, 502, 503, 504))


class ApiProblem(Exception):
    """An answer that is not a success: status, problem type and what it said."""

    def __init__(self, method: str, path: str, response: httpx.Response) -> None:
        self.status = response.status_code
        try:
            body: dict[str, Any] = response.json()
        except ValueError:
            body = {"detail": response.text[:300]}
        self.body = body
        self.kind = str(body.get("type", "")).rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
        said = "; ".join(str(body[k]) for k in ("title", "detail", "errors") if body.get(k))
        super().__init__(f"{method} {path} answered {self.status} {self.kind}: {said}"[:600])


class DeadlineMissed(Exception):
    """A condition did not come true in time; the text says what was still open."""


class Api:
    """HTTP calls as one of the ready users. Close with `async with`."""

    def __init__(self, stack: StackInfo) -> None:
        self._stack = stack
        self._http = client(to=(*stack.services.values(), stack.issuer, stack.partner), timeout=180.0, connections=12)
        self._tokens: dict[str, tuple[str, float]] = {}
        self._signing_in = asyncio.Lock()

    async def __aenter__(self) -> Api:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, service: str, path: str, user: str, **params: Any) -> Any:
        """JSON of a GET. Raises `ApiProblem`."""
        return (await self._call("GET", service, path, user, params={k: v for k, v in params.items() if v is not None})).json()

    async def text(self, service: str, path: str, user: str) -> str:
        """Text of a GET. Raises `ApiProblem`."""
        return (await self._call("GET", service, path, user)).text

    async def post(
        self, service: str, path: str, user: str, body: dict[str, Any] | None = None, *, key: str | None = None, later: bool = False
    ) -> Any:
        """JSON of a POST under an idempotency key (by default made of route and body, so that a repeat is recognised).

        With `later`, long work may answer with a job.
        """
        key = key or hashlib.sha256(f"{path}|{sorted((body or {}).items())}".encode()).hexdigest()[:40]
        headers = {"Idempotency-Key": key} | ({"Prefer": "respond-async"} if later else {})
        return (await self._call("POST", service, path, user, json=body, headers=headers)).json()

    async def upload(self, service: str, path: str, user: str, name: str, content: bytes, fields: dict[str, str]) -> Any:
        """JSON of a multipart POST. Boundary and key come from the content, so that a repeat sends the same bytes."""
        digest = hashlib.sha256(content + repr(sorted(fields.items())).encode() + name.encode()).hexdigest()
        headers = {"Idempotency-Key": digest[:40], "Content-Type": f"multipart/form-data; boundary=ansinh{digest[:24]}"}
        kind = "text/csv" if name.endswith(".csv") else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        files = {"file": (name, content, kind)}
        return (await self._call("POST", service, path, user, data=fields, files=files, headers=headers)).json()

    async def pages(self, service: str, path: str, user: str, *, items: str = "items", **params: Any) -> AsyncIterator[Any]:
        """Every item of a paged list, following the cursor."""
        at: str | None = None
        while True:
            page = await self.get(service, path, user, cursor=at, **params)
            for item in page[items]:
                yield item
            at = page["next_cursor"]
            if not at:
                return

    async def simulator(self, path: str, **params: Any) -> Any:
        """JSON of the partner simulator's control API: the partners' own books, which no service reads."""
        response = await self._send("GET", self._stack.partner + path, params=params)
        if response.status_code != httpx.codes.OK:
            raise ApiProblem("GET", path, response)
        return response.json()

    async def to_simulator(self, path: str, body: dict[str, Any]) -> Any:
        """JSON of a POST to the partner simulator's control API."""
        response = await self._send("POST", self._stack.partner + path, json=body)
        if response.status_code != httpx.codes.OK:
            raise ApiProblem("POST", path, response)
        return response.json()

    async def _call(self, method: str, service: str, path: str, user: str, **kwargs: Any) -> httpx.Response:
        headers = dict(kwargs.pop("headers", {}))
        for fresh in (False, True):
            headers["Authorization"] = f"Bearer {await self._token(user, fresh=fresh)}"
            response = await self._send(method, self._stack.services[service] + path, headers=headers, **kwargs)
            if response.status_code != httpx.codes.UNAUTHORIZED:
                break
        if response.status_code >= httpx.codes.MULTIPLE_CHOICES:
            raise ApiProblem(method, path, response)
        return response

    async def _send(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        """One request, repeated while the other side is away or busy: every POST here is idempotent by its key."""
        began, pause = time.monotonic(), 0.2
        while True:
            try:
                response = await self._http.request(method, url, **kwargs)
            except httpx.TransportError as error:
                if time.monotonic() - began > self._stack.patience_seconds:
                    raise DeadlineMissed(f"{url} does not answer ({type(error).__name__})") from error
            else:
                busy = response.status_code in _TRANSIENT or _in_flight(response)
                if not busy or time.monotonic() - began > self._stack.patience_seconds:
                    return response
            await asyncio.sleep(pause)
            pause = min(pause * 1.7, 3.0)

    async def _token(self, user: str, *, fresh: bool) -> str:
        async with self._signing_in:
            token, since = self._tokens.get(user, ("", 0.0))
            if not fresh and token and time.monotonic() - since < _TOKEN_SECONDS:
                return token
            form = {"grant_type": "password", "username": user, "password": self._stack.password_of(user)}
            response = await self._send("POST", self._stack.issuer + "/token", data=form)
            if response.status_code != httpx.codes.OK:
                raise ApiProblem("POST", "/token", response)
            token = str(response.json()["access_token"])
            self._tokens[user] = (token, time.monotonic())
            return token


def _in_flight(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.CONFLICT and "in-flight" in response.text[:400]


async def wait_for(what: str, probe: Callable[[], Awaitable[str | None]], *, seconds: float, pause: float = 0.4) -> None:
    """Asks `probe` until it answers None. Raises `DeadlineMissed` with its last answer when nothing has changed for `seconds`."""
    last: str | None = "not asked yet"
    since = time.monotonic()
    while True:
        said = await probe()
        if said is None:
            return
        if said != last:
            last, since = said, time.monotonic()
        if time.monotonic() - since > seconds:
            raise DeadlineMissed(f"{what}: nothing has moved for {seconds:.0f} s; still open: {last}")
        await asyncio.sleep(pause)
