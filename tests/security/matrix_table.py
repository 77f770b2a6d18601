"""The authorisation matrix: `python tests/security/matrix_table.py` writes it from the guards; read the difference before you commit.

One file per service in `matrix/`: a line per route; for each role `x` (may call) or nothing (403); `other` says what somebody of another
unit or another partner gets: `404` as if the object were not there, `own` only what lies in the caller's units, `all` what is the whole
province's and no unit's (named with its reason in `EVERYBODYS`), `province` that it is settled by people of a whole province (403 to
anybody else, operators apart), `signed` and `public` where no token is taken.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from ansinh.stack.layout import SERVICES
from ansinh.stack.secrets import make_keyrings
from common.actor import Role
from common.openapi.document import roles_of
from common.work_list import for_a_province

FOLDER: Final = Path(__file__).with_name("matrix")
ROLES: Final = tuple(role.value for role in Role if role is not Role.SYSTEM)

#: Objects that belong to no unit: beginning of the path → why everybody with the role sees them.
EVERYBODYS: Final = {
    "/v1/law-changes/": "rates and benefits are law for the whole province",
    "/v1/units/": "the table of administrative units is public",
    "/v1/providers/": "the directory of banks and wallets is public",
    "/v1/cut-offs/": "markers of whole cycles, counts only",
    "/v1/parked-events/": "operators mend the transport; bodies stay closed",
    "/v1/verification/grace-periods/": "a grace period is the province's",
    "/v1/budget-codes/": "budget codes are the province's",
    "/v1/partners/": "limits and totals of a partner: staff of any unit (totals in their units), a partner only its own",
    "/v1/pauses/": "a pause stops the whole partner or programme",
    "/v1/quarantine/": "notices that are of no payment of ours",
    "/v1/statements/{statement_id}": "a partner's statement is of the whole province",
    "/v1/breaks/": "differences of such a statement",
    "/v1/fees/": "fees of a partner",
    "/v1/money-movements/": "movements of the collecting account",
    "/v1/settlements/": "settlements with a partner",
    "/v1/rulings/": "decisions on the calendar are the province's",
    "/v1/milestones/": "the plan's milestones are the province's",
    "/v1/lists/{programme}/{payee}": "a list in the caller's units, named by programme and payee",
    "/v1/lists/plan-152/{group}/{receiver}": "a list in the caller's units, named by group and receiver",
    "/v1/imports/mappings/": "a learnt layout of columns holds no people",
    "/v1/retention/": "how long things are kept is the province's",
    "/v1/retention-terms/": "terms of those rules",
}
#: Rows in the caller's units come back, so a stranger gets an empty list rather than 404.
NAMED_NOT_STORED: Final = ("/v1/lists/", "/v1/partners/{partner}/totals")


def apps() -> Iterator[tuple[str, FastAPI]]:
    """The five services without a database: their guards answer, everything behind them is away."""
    with tempfile.TemporaryDirectory() as folder:
        for name, keys in make_keyrings().items():
            (Path(folder) / name).write_text(json.dumps(keys), encoding="utf-8")
        for service in SERVICES:
            kind = importlib.import_module(f"{service.package}.settings").Settings
            given = {
                "database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none",
                "keys_file": Path(folder) / service.name,
                "environment": "development",
                "person_calls_at_once": 1_000_000,  # one person asks every route here
            }
            needed = {name: "http://127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required() and name not in given}
            yield service.name, importlib.import_module(f"{service.package}.main").make_app(kind(**given, **needed))


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Every route below /v1 that the application answers at, whether its document names it or not."""
    flat = [inner for route in app.routes for inner in getattr(route, "original_router", app).routes if isinstance(inner, APIRoute)]
    return sorted({id(route): route for route in flat if route.path.startswith("/v1/")}.values(), key=lambda route: route.path)


def other_of(path: str, *, signed_in: bool) -> str:
    """What a caller of another unit gets."""
    if not signed_in:
        return "signed" if "/webhooks/" in path else "public"
    if "{" not in path or path.startswith(NAMED_NOT_STORED):
        return "own"
    return "all" if path.startswith(tuple(EVERYBODYS)) else "404"


def rows_of(app: FastAPI) -> list[dict[str, str]]:
    """The table of one service, by the function that writes `x-required-roles` into its document."""
    rows = []
    for route in routes_of(app):
        allowed = {role.value for role in roles_of(route.dependant)}
        marks = {role: "x" if role in allowed else "" for role in ROLES}
        other = "province" if for_a_province(route.dependant) else other_of(route.path, signed_in=bool(allowed))
        rows += [{"method": method, "path": route.path, **marks, "other": other} for method in route.methods or ()]
    return sorted(rows, key=lambda row: (row["path"], row["method"]))


def text_of(rows: list[dict[str, str]]) -> str:
    """The table as a file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ["method", "path", *ROLES, "other"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(service: str) -> list[dict[str, str]]:
    """The committed table of one service."""
    path = FOLDER / f"{service}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, app in apps():
        (FOLDER / f"{name}.csv").write_text(text_of(rows_of(app)), encoding="utf-8")
        sys.stdout.write(f"{name}: {len(rows_of(app))} routes\n")
