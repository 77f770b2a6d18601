"""`./ansinh secrets --out DIR`: passwords, keyrings and partner file for `docker-compose.yml`, random and made once.

A real installation keeps these in its own vault; the partners' entries are then replaced by what each partner agreed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

from ansinh.stack.layout import SERVICES
from ansinh.stack.secrets import CONTRACTS, PARTNERS, make_keyrings, webhook_secret

__all__ = ["write_compose_secrets"]


def write_compose_secrets(folder: Path, say: Callable[[str], None]) -> int:
    """Write what compose mounts and reads; 1 when the folder already holds secrets (they are never overwritten)."""
    if folder.exists() and any(folder.iterdir()):
        say(f"{folder} is not empty; secrets are never overwritten")
        return 1
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = secrets.token_urlsafe(32)
    names = ["POSTGRES_PASSWORD", "KEYCLOAK_ADMIN_PASSWORD", "KEYCLOAK_DATABASE_PASSWORD", "GRAFANA_ADMIN_PASSWORD"]
    names += [f"{service.prefix}{kind}_PASSWORD" for service in SERVICES for kind in ("OWNER", "APP")]
    environment = {name: secrets.token_urlsafe(24) for name in names}
    environment |= {"POPULATION_URL": "http://population:18011", "POPULATION_TOKEN": token}
    files = {f"keys-{name}.json": keys for name, keys in make_keyrings().items()}
    files["population.json"] = {
        "host": "0.0.0.0",  # noqa: S104 - inside its container
        "port": 18011,
        "world": "/data/world.sqlite",
        "state": "/data/population.sqlite",
        "token": token,
    }
    files["partners.json"] = {
        "host": "0.0.0.0",  # noqa: S104 - inside its container
        "port": 18012,
        "books": "/data/partner-books.sqlite",
        "callback_url": "http://disbursement-api:8000",
        "partners": {
            name: {
                "kind": kind,
                "url": f"http://partner:18012/{name}",
                "outbound_secret": webhook_secret(),
                "inbound_secrets": [webhook_secret()],
                "instant": True,
                **({"channel": CONTRACTS[name], "merchant": "ansinh"} if name in CONTRACTS else {}),
            }
            for name, kind in PARTNERS.items()
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
        # Compose mounts the file as it is, and the services run as a user of their own: the folder keeps others out.
        (folder / name).chmod(0o644)
    env_file = folder / ".env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in environment.items()), encoding="utf-8")
    env_file.chmod(0o600)
    say(f"written to {folder}: {', '.join([*files, '.env'])}")
    return 0
