"""Bearer tokens (OIDC): signature by the issuer's JWKS, an algorithm allow-list, issuer, audience, expiry; roles per route."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from common.actor import SYSTEM, Actor, Role
from common.http import client
from common.problems import Forbidden, ServiceUnavailable, Unauthenticated

__all__ = ["SYSTEM", "Actor", "Authenticator", "Role", "require"]

_ALGORITHMS: Final = ["RS256", "ES256"]
_JWKS_SECONDS: Final = 300.0
_JWKS_RETRY_SECONDS: Final = 5.0
_SKEW_SECONDS: Final = 30
_bearer = HTTPBearer(auto_error=False, description="Access token of the issuer (OIDC)")


class Authenticator:
    """Checks tokens. Keys are cached; an unknown key id asks the issuer again, at most every few seconds."""

    def __init__(self, *, issuer: str, audience: str, jwks_url: str) -> None:
        self.issuer = issuer
        self.audience = audience
        self.jwks_url = jwks_url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = 0.0
        self._lock = asyncio.Lock()

    def use_keys(self, jwks: dict[str, Any]) -> None:
        """Set the keys directly (tests, and issuers without a JWKS address)."""
        self._keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(jwks).keys if key.key_id}
        self._fetched = time.monotonic()

    async def _key(self, kid: str) -> jwt.PyJWK:
        async with self._lock:
            age = time.monotonic() - self._fetched
            if (kid not in self._keys and (age > _JWKS_RETRY_SECONDS or not self._keys)) or age > _JWKS_SECONDS:
                try:
                    async with client(timeout=5.0) as http:
                        answer = await http.get(self.jwks_url)
                        answer.raise_for_status()
                        self.use_keys(answer.json())
                except Exception as error:
                    if kid not in self._keys:
                        raise ServiceUnavailable("The token issuer cannot be reached", headers={"Retry-After": "5"}) from error
        if kid not in self._keys:
            raise Unauthenticated("The token is signed with an unknown key")
        return self._keys[kid]

    async def actor(self, token: str, request_id: str | None) -> Actor:
        """The actor of a token. Raises :class:`Unauthenticated`."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS or not header.get("kid"):
                raise Unauthenticated("The token's algorithm or key id is not accepted")
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
        except jwt.PyJWTError as error:
            raise Unauthenticated("The token is not valid", headers={"WWW-Authenticate": "Bearer"}) from error
        known = {role.value for role in Role} - {Role.SYSTEM.value}
        units = claims.get("units") or []
        return Actor(
            subject=str(claims["sub"]),
            name=str(claims.get("name") or claims["sub"]),
            roles=frozenset(Role(role) for role in claims.get("roles") or [] if role in known),
            unit_paths=tuple(str(unit) for unit in units),
            partner=claims.get("partner"),
            client_id=str(claims.get("azp") or claims.get("client_id") or claims["sub"]),
            request_id=request_id,
            everywhere="*" in units,
        )


def require(*roles: Role) -> Callable[..., Awaitable[Actor]]:
    """A route dependency: the caller must hold one of the roles (named, never empty). The actor is the result."""
    if not roles:
        raise ValueError("a route must name the roles it is for")

    async def guard(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Actor:
        if credentials is None:
            raise Unauthenticated("Send a bearer token", headers={"WWW-Authenticate": "Bearer"})
        authenticator: Authenticator = request.app.state.authenticator
        actor = await authenticator.actor(credentials.credentials, getattr(request.state, "request_id", None))
        if not actor.has(*roles):
            raise Forbidden(f"This needs one of the roles {', '.join(sorted(roles))}")
        request.state.actor = actor
        return actor

    guard.required_roles = roles  # type: ignore[attr-defined]
    return guard
