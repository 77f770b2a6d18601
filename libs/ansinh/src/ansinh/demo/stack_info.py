"""What the demo has to know of a running stack: addresses and who may do what. Nothing of its inside."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["StackInfo"]


@dataclass(frozen=True)
class StackInfo:
    """Addresses and ready users of a running stack.

    `services` maps registry, identity-verify, accounts, disbursement and reporting to base URLs; `partner` is the partner simulator.
    `passwords` holds the users whose password is not `password`. `patience_seconds`: a process that is away is back well within this.
    """

    services: dict[str, str]
    issuer: str
    partner: str
    password: str
    passwords: dict[str, str] = field(default_factory=dict)
    maker: str = "department.officer"
    checker: str = "approver"
    operator: str = "operator"
    patience_seconds: float = 90.0

    def password_of(self, user: str) -> str:
        """The password of a ready user."""
        return self.passwords.get(user, self.password)
