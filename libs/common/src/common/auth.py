"""Bearer tokens (OIDC): signature by the issuer's JWKS, an algorithm allow-list, issuer, audience, expiry; roles per route."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

import httpx
import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.applications import Starlette
from starlette.types import Scope

from common.actor import OF_A_PROVINCE, ROLE_NAMES, SYSTEM, Actor, Role
from common.clients import admit, is_client
from common.http import AnswerTooLarge, client, read_bounded
from common.problems import Forbidden, NotFound, Problem, ServiceUnavailable, TooManyRequests, Unauthenticated
from common.telemetry import get_logger

__all__ = ["SYSTEM", "Actor", "Authenticator", "Role", "require", "stranger_of"]

_ALGORITHMS: Final = ["RS256", "ES256"]
_KEY_KINDS: Final = frozenset({"RSA", "EC"})
_JWKS_SECONDS: Final = 300.0
_JWKS_RETRY_SECONDS: Final = 5.0
_JWKS_LONGEST_SECONDS: Final = 3600.0  # no token lives longer: an issuer away so long could have taken any of its keys back
_JWKS_BYTES: Final = 256 * 1024
_SKEW_SECONDS: Final = 30
_bearer = HTTPBearer(auto_error=False, description="Access token of the issuer (OIDC)")
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_CLOSE: Final = {"Connection": "close"}
_log = get_logger(__name__)


class Authenticator:
    """Checks tokens. Keys are cached; an unknown key id asks the issuer again, at most every few seconds, whatever it answers."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        jwks_url: str,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`clock` and `transport` are replaced in tests."""
        self.issuer = issuer
        self.audience = audience
        self.jwks_url = jwks_url
        self._clock = clock
        self._transport = transport
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._away = False
        self._lock = asyncio.Lock()

    def use_keys(self, jwks: dict[str, Any]) -> None:
        """Set the keys directly (tests, and issuers without a JWKS address). Only public signing keys are taken."""
        signing = [key for key in jwks["keys"] if key.get("kty") in _KEY_KINDS and key.get("use", "sig") == "sig"]
        self._keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict({"keys": signing}).keys if key.key_id}
        self._fetched = self._clock()
        self._away = False

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock() - moment

    def _wanted(self, kid: str) -> bool:
        """Whether the issuer is to be asked now: for a key we do not know, or because the answer is old."""
        stale = kid not in self._keys or self._age(self._fetched) > _JWKS_SECONDS
        return stale and self._age(self._tried) > _JWKS_RETRY_SECONDS and self._age(self._fetched) > _JWKS_RETRY_SECONDS

    async def _fetch(self) -> None:
        self._tried = self._clock()
        try:
            made = client(to=(self.jwks_url,), timeout=5.0, total=5.0, transport=self._transport)
            async with made as http, http.stream("GET", self.jwks_url) as answer:
                answer.raise_for_status()
                self.use_keys(json.loads(await read_bounded(answer, _JWKS_BYTES)))
        except (httpx.HTTPError, AnswerTooLarge, jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._away = True
            _log.warning("auth.issuer_away", error=type(error).__name__)

    async def _key(self, kid: str) -> jwt.PyJWK:
        if self._wanted(kid) or (kid not in self._keys and self._lock.locked()):  # while somebody asks, the others wait for the answer
            async with self._lock:
                if self._wanted(kid):  # not when somebody has just asked
                    await self._fetch()
        if self._age(self._fetched) > _JWKS_LONGEST_SECONDS or (self._away and kid not in self._keys):
            raise ServiceUnavailable("The token issuer cannot be reached", headers={"Retry-After": "5"})
        if kid not in self._keys:
            raise Unauthenticated("The token is signed with an unknown key", headers=_CHALLENGE)
        return self._keys[kid]

    async def actor(self, token: str, request_id: str | None) -> Actor:
        """The actor of a token. Raises :class:`Unauthenticated`."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS or not header.get("kid"):
                raise Unauthenticated("The token's algorithm or key id is not accepted", headers=_CHALLENGE)
            key = await self._key(header["kid"])
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self.audience,
                issuer=self.issuer,
                leeway=_SKEW_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthenticated("The token is not valid", headers=_CHALLENGE) from error
        return _actor_of(claims, request_id)


def _words(claims: Mapping[str, Any], name: str) -> list[str]:
    """A claim that is a list of texts; anything else is no token of our issuer."""
    found = claims.get(name) or []
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise Unauthenticated(f"The token's claim {name} is not a list of texts", headers=_CHALLENGE)
    return found


def _actor_of(claims: Mapping[str, Any], request_id: str | None) -> Actor:
    known = {role.value for role in Role} - {Role.SYSTEM.value}
    units = [unit.rstrip("/") for unit in _words(claims, "units")]
    partner = claims.get("partner")
    if partner is not None and not isinstance(partner, str):
        raise Unauthenticated("The token's claim partner is not a text", headers=_CHALLENGE)
    return Actor(
        subject=str(claims["sub"]),
        name=str(claims.get("name") or claims["sub"]),
        roles=frozenset(Role(role) for role in _words(claims, "roles") if role in known),
        unit_paths=tuple(unit for unit in units if unit),  # an empty path would be everybody's parent
        partner=partner or None,
        client_id=str(claims.get("azp") or claims.get("client_id") or claims["sub"]),
        request_id=request_id,
        everywhere="*" in units,
    )


def require(*roles: Role, of_a_province: bool = False) -> Callable[..., Awaitable[Actor]]:
    """A route dependency: the caller must hold one of the roles (named, never empty). The actor is the result.

    `of_a_province`: it settles what holds for everybody, so the caller's area must be a whole province (an operator's is the machines).
    """
    if not roles:
        raise ValueError("a route must name the roles it is for")

    async def guard(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Actor:
        if credentials is None:
            raise Unauthenticated("Send a bearer token", headers=_CHALLENGE)
        authenticator: Authenticator = request.app.state.authenticator
        known: tuple[str, Actor] | None = getattr(request.state, "bearer", None)
        if known is not None and known[0] == credentials.credentials:
            actor = token = known[1]
        else:
            actor = token = await authenticator.actor(credentials.credentials, getattr(request.state, "request_id", None))
        if is_client(token):  # before anything is refused: what a system tries and may not is written down and counted too
            request.state.client = token
            actor = await admit(request.app.state.db, request.app.state.settings, token)
        elif seconds := request.app.state.pace.wait(token.subject):
            raise TooManyRequests("So many calls at once are no person's work: wait", headers={"Retry-After": str(seconds)})
        if not token.has(*roles):
            called = ", ".join(ROLE_NAMES[role][0] for role in roles if role in ROLE_NAMES)
            raise Forbidden(f"This needs one of the roles {', '.join(sorted(roles))}", detail_vi=f"cần một trong các vai trò: {called}")
        if token.has(Role.PARTNER) and request.path_params.get("partner", token.partner) != token.partner:
            raise NotFound("No such partner")  # a partner speaks for itself only, and does not learn who else is there
        if not actor.has(*roles):
            raise Forbidden("The client's registration does not allow this")
        if of_a_province and not (actor.of_a_province or (Role.OPERATOR in roles and actor.has(Role.OPERATOR))):
            raise Forbidden(OF_A_PROVINCE)
        request.state.actor = actor
        return actor

    guard.required_roles = roles  # type: ignore[attr-defined]
    guard.of_a_province = of_a_province  # type: ignore[attr-defined]
    return guard


def stranger_of(app: Starlette, public: tuple[str, ...]) -> Callable[[Scope, Mapping[str, str]], Awaitable[Problem | None]]:
    """For the edge: who sends a body to a route of /v1 that is not public shows a valid token first. It is kept for the route's guard."""

    async def judge(scope: Scope, headers: Mapping[str, str]) -> Problem | None:
        if not scope["path"].startswith("/v1/") or scope["path"].startswith(public):
            return None
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return Unauthenticated("Send a bearer token", headers=_CHALLENGE | _CLOSE)
        try:
            actor = await app.state.authenticator.actor(token.strip(), scope["state"].get("request_id"))
        except (Unauthenticated, ServiceUnavailable) as refused:
            refused.headers = {**(refused.headers or {}), **_CLOSE}
            return refused
        scope["state"]["bearer"] = (token.strip(), actor)
        return None

    return judge
