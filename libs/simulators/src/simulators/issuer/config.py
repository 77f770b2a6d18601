"""What the issuer reads from its JSON file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from simulators.serving import beside

__all__ = ["Client", "IssuerConfig", "PublicClient", "Subject", "User"]


class Subject(BaseModel):
    """What a token says of whoever holds it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    name: str = ""
    roles: list[str] = Field(default_factory=list)
    units: list[str] = Field(default_factory=list, description="Unit paths in scope, e.g. 60/593")
    partner: str | None = None


class User(Subject):
    """A person who signs in with a password."""

    password: str = Field(min_length=1)


class Client(Subject):
    """A system that signs in with its secret."""

    secret: str = Field(min_length=1)


class PublicClient(BaseModel):
    """An application in a browser: it keeps no secret, so it proves itself with PKCE and is answered at these addresses only."""

    model_config = ConfigDict(extra="ignore")

    redirect_uris: list[str] = Field(min_length=1, description="Compared as a whole: no wildcard, no prefix")


class IssuerConfig(BaseModel):
    """The issuer's file: where it listens, and who may sign in."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = 18013
    issuer: str | None = Field(default=None, description="`iss` of the tokens; default http://host:port")
    audience: str = "ansinh"
    token_seconds: int = Field(default=3600, ge=60, le=86_400)
    session_seconds: int = Field(default=28_800, ge=60, le=86_400, description="How long refresh tokens prolong a person's sign-in")
    keys_file: Path = Field(default=Path("issuer-key.pem"), validate_default=True)
    cors_origins: list[str] = Field(default_factory=list)
    users: dict[str, User] = Field(default_factory=dict)
    clients: dict[str, Client] = Field(default_factory=dict)
    public_clients: dict[str, PublicClient] = Field(default_factory=dict)
    ready_password: str | None = Field(default=None, description="Users who still have it are chosen on the page without typing it")

    @field_validator("keys_file")
    @classmethod
    def _beside_config(cls, path: Path, info: ValidationInfo) -> Path:
        return beside(path, info)

    @property
    def url(self) -> str:
        """`iss` of the tokens, without a trailing slash."""
        return (self.issuer or f"http://{self.host}:{self.port}").rstrip("/")

    def is_ready(self, user: User) -> bool:
        """Whether a user may be chosen without a password: nobody has changed the one that everybody knows."""
        return self.ready_password is not None and user.password == self.ready_password
