"""Sign-in of people: OAuth 2 authorization code with PKCE (S256 only); codes live for a minute and work once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

from simulators.issuer.config import IssuerConfig, PublicClient
from simulators.issuer.page import sign_in_page

__all__ = ["Asked", "NoReturnError", "RefusedSignInError", "SignIns"]

_PAGE_SECONDS: Final = 600.0
_CODE_SECONDS: Final = 60.0
_AT_ONCE: Final = 10_000
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_STATE: Final = re.compile(r"[\x20-\x7e]{16,512}")


class NoReturnError(Exception):
    """The request names no client, or an address that is not the client's: the browser is sent nowhere (RFC 6749 §4.1.2.1)."""


class RefusedSignInError(Exception):
    """The request is refused, and the client is told at its own address."""

    def __init__(self, error: str, description: str, asked: Asked) -> None:
        super().__init__(description)
        self.error, self.description, self.asked = error, description, asked


@dataclass(frozen=True)
class Asked:
    """What a client asked for when it sent the browser here."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    scope: str
    language: str
    until: float = 0.0

    def back(self, issuer: str, **found: str) -> str:
        """The client's address with the answer, `state` and `iss` (RFC 9207)."""
        return f"{self.redirect_uri}?{urlencode({**found, 'state': self.state, 'iss': issuer})}"


@dataclass(frozen=True)
class _Given:
    login: str
    asked: Asked
    until: float


_KeptT = TypeVar("_KeptT", Asked, _Given)


@dataclass
class SignIns:
    """Open pages, codes and sessions, in memory: a restart only asks people to sign in again."""

    config: IssuerConfig
    _pages: dict[str, Asked] = field(default_factory=dict)
    _codes: dict[str, _Given] = field(default_factory=dict)
    _sessions: dict[str, _Given] = field(default_factory=dict)

    def begin(self, query: dict[str, str]) -> str:
        """Check a request and open a page for it. Gives the page's one-time key. Raises NoReturnError, RefusedSignInError."""
        asked = self._asked(query)
        if query.get("response_type") != "code":
            raise RefusedSignInError("unsupported_response_type", "response_type must be code", asked)
        if query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(asked.challenge):
            raise RefusedSignInError("invalid_request", "PKCE is required: code_challenge with code_challenge_method=S256", asked)
        if not _STATE.fullmatch(asked.state) or not _STATE.fullmatch(asked.nonce):
            raise RefusedSignInError("invalid_request", "state and nonce are required: at least 16 characters each", asked)
        return self._keep(self._pages, asked)

    def asked(self, page: str) -> Asked:
        """What an open page is for. Raises NoReturnError when it is over or was used."""
        found = self._pages.get(page)
        if found is None or found.until < time.monotonic():
            raise NoReturnError("this sign-in page is too old or was used: begin again")
        return found

    def finish(self, page: str, login: str, password: str) -> str | None:
        """Sign a user in. Gives the address to return to with the code, None when user or password are wrong."""
        asked = self.asked(page)
        user = self.config.users.get(login)
        if user is None or not (self.config.is_ready(user) or hmac.compare_digest(user.password.encode(), password.encode())):
            return None
        del self._pages[page]
        code = self._keep(self._codes, _Given(login, asked, time.monotonic() + _CODE_SECONDS))
        return asked.back(self.config.url, code=code)

    def redeem(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> tuple[str, Asked] | None:
        """Whom a code stands for; None when anything of it does not fit. A code is gone after the first try, right or wrong."""
        given = self._codes.pop(code, None)
        if given is None or given.until < time.monotonic() or not _VERIFIER.fullmatch(verifier):
            return None
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()
        same = hmac.compare_digest(challenge, given.asked.challenge)
        if not same or (client_id, redirect_uri) != (given.asked.client_id, given.asked.redirect_uri):
            return None
        return given.login, given.asked

    def remember(self, login: str, asked: Asked) -> str:
        """A refresh token for a session that has just begun."""
        return self._keep(self._sessions, _Given(login, asked, time.monotonic() + self.config.session_seconds))

    def renew(self, token: str, client_id: str) -> tuple[str, Asked, str] | None:
        """Whom a refresh token stands for, and the next one in its place: each works once, and none beyond the end of its session."""
        given = self._sessions.get(token)
        if given is None or given.until < time.monotonic() or client_id != given.asked.client_id or given.login not in self.config.users:
            return None
        del self._sessions[token]
        return given.login, given.asked, self._keep(self._sessions, given)

    def forget(self, token: str, client_id: str) -> None:
        """End a session; a token nobody knows is as good as ended (RFC 7009 §2.2)."""
        if (given := self._sessions.get(token)) is not None and given.asked.client_id == client_id:
            del self._sessions[token]

    def page(self, key: str, *, wrong: bool = False) -> str:
        """The page's HTML."""
        return sign_in_page(self.config, key, self.asked(key).language, wrong=wrong)

    def policy(self, key: str) -> str:
        """Content-Security-Policy of the page: its own style, and a form that may end at the client's address."""
        parts = urlsplit(self.asked(key).redirect_uri)
        ends = f"form-action 'self' {parts.scheme}://{parts.netloc}"
        return f"default-src 'none'; style-src 'self'; {ends}; base-uri 'none'; frame-ancestors 'none'"

    def _asked(self, query: dict[str, str]) -> Asked:
        client: PublicClient | None = self.config.public_clients.get(query.get("client_id", ""))
        redirect_uri = query.get("redirect_uri", "")
        if client is None or redirect_uri not in client.redirect_uris:
            raise NoReturnError("unknown client, or an address that is not one of its own")
        locales = query.get("ui_locales", "vi").split()
        return Asked(
            client_id=query["client_id"],
            redirect_uri=redirect_uri,
            state=query.get("state", ""),
            nonce=query.get("nonce", ""),
            challenge=query.get("code_challenge", ""),
            scope=query.get("scope", ""),
            language="en" if locales and locales[0].startswith("en") else "vi",
            until=time.monotonic() + _PAGE_SECONDS,
        )

    @staticmethod
    def _keep(where: dict[str, _KeptT], what: _KeptT) -> str:
        now = time.monotonic()
        for old in [key for key, value in where.items() if value.until < now]:
            del where[old]
        while len(where) >= _AT_ONCE:
            del where[next(iter(where))]
        key = secrets.token_urlsafe(32)
        where[key] = what
        return key
