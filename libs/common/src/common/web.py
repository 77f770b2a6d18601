"""FastAPI glue: problem answers, request id, body limits, health, metrics, jobs, quiet. No business here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from common import problem_words
from common.audit_api import audit_router
from common.auth import Actor, Authenticator, Role, require, stranger_of
from common.clients import AccessLog
from common.clients_api import clients_router
from common.db import Database, Tx
from common.edge import BODY_LIMIT, Edge, Limits
from common.failures import is_transient, unstorable
from common.masking import hide_long_numbers
from common.openapi import Examples, document_of
from common.pace import Pace
from common.problems import (
    Conflict,
    Forbidden,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    UnexpectedError,
)
from common.settings import MechanismSettings
from common.telemetry import get_logger

__all__ = ["Probe", "create_app", "jobs_router", "problem_response", "quiet_router"]

_log = get_logger(__name__)

Probe = Callable[[Tx], Awaitable[dict[str, int]]]
"""Counts of work that is not done yet, by name; all zero means quiet."""


def problem_response(problem: Problem, request_id: str | None = None) -> Response:
    """A problem as an HTTP answer."""
    body = problem.body()
    if request_id:
        body["request_id"] = request_id
    headers = problem.headers | ({"X-Request-ID": request_id} if request_id else {})
    content = orjson.dumps(body, default=str)
    return Response(content, status_code=problem.status, headers=headers, media_type="application/problem+json")


def _validation_errors(error: RequestValidationError) -> list[dict[str, Any]]:
    def place(item: Mapping[str, Any]) -> str:
        if item["type"] == "json_invalid":  # its place is a position in the text, not a field
            return "body"
        # A field's name is what somebody sent, too: a number in the wrong place is not repeated.
        return hide_long_numbers(".".join(str(part) for part in item["loc"] if part != "body")) or "body"

    return [{"field": place(item), "detail": item["msg"], "detail_vi": _in_vietnamese(item)} for item in error.errors()]


_VIETNAMESE: Final[Mapping[str, str]] = {
    "missing": "thiếu trường bắt buộc", "extra_forbidden": "không có trường này", "json_invalid": "không phải JSON hợp lệ",
    "string_too_short": "quá ngắn: ít nhất {min_length} ký tự", "string_too_long": "quá dài: nhiều nhất {max_length} ký tự",
    "string_pattern_mismatch": "không đúng dạng {pattern}", "string_type": "phải là chuỗi ký tự",
    "too_short": "quá ít phần tử: ít nhất {min_length}", "too_long": "quá nhiều phần tử: nhiều nhất {max_length}",
    "greater_than": "phải lớn hơn {gt}", "greater_than_equal": "phải từ {ge} trở lên",
    "less_than": "phải nhỏ hơn {lt}", "less_than_equal": "phải từ {le} trở xuống",
    "int_parsing": "phải là số nguyên", "int_type": "phải là số nguyên", "bool_parsing": "phải là true hoặc false",
    "date_parsing": "không phải ngày dạng NĂM-THÁNG-NGÀY", "date_from_datetime_parsing": "không phải ngày dạng NĂM-THÁNG-NGÀY",
    "uuid_parsing": "không phải mã hợp lệ", "literal_error": "phải là một trong: {expected}", "enum": "phải là một trong: {expected}",
}  # fmt: skip
"""What the schema's own checks say, for the officer who reads Vietnamese; by pydantic's type of error."""


def _in_vietnamese(item: Mapping[str, Any]) -> str:
    kind = item["type"]
    if kind in ("too_short", "too_long") and isinstance(item.get("input"), str):  # of a text that was trimmed first
        kind = f"string_{kind}"
    return _VIETNAMESE.get(kind, "giá trị không hợp lệ").format_map(defaultdict(str, item.get("ctx", {})))


def _first(errors: Sequence[Mapping[str, Any]], words: str) -> str:
    more = f" (+{len(errors) - 1})" if len(errors) > 1 else ""
    return f"{errors[0]['field']}: {errors[0][words]}{more}" if errors else ""


_HTTP: Final[Mapping[int, type[Problem]]] = {
    400: InvalidInput, 401: Unauthenticated, 403: Forbidden, 404: NotFound, 405: MethodNotAllowed, 409: Conflict,
    413: PayloadTooLarge, 422: InvalidInput, 429: TooManyRequests, 503: ServiceUnavailable,
}  # fmt: skip


def _install_handlers(app: FastAPI, vietnamese: Mapping[str, str]) -> None:
    known = {**problem_words.VIETNAMESE, **vietnamese}

    def answer(request: Request, problem: Problem) -> Response:
        if problem.detail is not None and problem.detail in known:
            problem.extensions.setdefault("detail_vi", known[problem.detail])
        return problem_response(problem, getattr(request.state, "request_id", None))

    @app.exception_handler(Problem)
    async def on_problem(request: Request, problem: Problem) -> Response:
        return answer(request, problem)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        errors = _validation_errors(error)
        return answer(request, InvalidInput(_first(errors, "detail"), errors=errors, detail_vi=_first(errors, "detail_vi")))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        kind = _HTTP.get(error.status_code, UnexpectedError)
        return answer(request, kind(str(error.detail), headers=dict(error.headers or {})))

    @app.exception_handler(Exception)
    async def on_defect(request: Request, error: Exception) -> Response:
        if is_transient(error):
            _log.warning("http.database_away", error=type(error).__name__)
            return answer(request, ServiceUnavailable(headers={"Retry-After": "5"}))
        if (told := unstorable(error)) is not None:
            return answer(request, InvalidInput(told))
        # What is no database error comes here from outside of the edge, which has let go of its names by then.
        ids = {name: getattr(request.state, name, None) for name in ("request_id", "trace_id")}
        _log.error("http.defect", path=request.url.path, exc_info=error, **{name: value for name, value in ids.items() if value})
        return answer(request, UnexpectedError("An error of ours; tell us the request id"))

    # Answered like any other, or every request of a busy hour would leave a trace of the whole stack in the log.
    for kind in (PoolTimeout, DBAPIError, ConnectionError, UnicodeEncodeError):
        app.add_exception_handler(kind, on_defect)


def create_app(
    *,
    title: str,
    description: str,
    settings: MechanismSettings,
    db: Database,
    routers: Sequence[APIRouter],
    body_limits: Mapping[str, int] | None = None,
    on_close: Callable[[], Awaitable[None]] | None = None,
    public: Sequence[str] = (),
    vietnamese: Mapping[str, str] | None = None,
    examples: Examples | None = None,
) -> FastAPI:
    """The API of one service. `body_limits`: path prefix → bytes, where more than 1 MiB is taken.

    `public`: path prefixes below /v1 that carry no token (a webhook's signature is its own proof). Any other route
    without a role guard is refused here, so that a forgotten guard stops the service instead of opening it. `vietnamese`: `detail` of
    a problem → its `detail_vi`; a problem raised with a `detail_vi` of its own keeps it. `examples`: what worked examples need
    beyond schema and path (:mod:`common.openapi`).
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if on_close is not None:
            await on_close()
        await db.close()

    app = FastAPI(title=title, description=description, version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.settings = settings
    app.state.db = db
    app.state.authenticator = Authenticator(issuer=settings.oidc_issuer, audience=settings.oidc_audience, jwks_url=settings.oidc_jwks_url)
    app.state.pace = Pace(settings.person_calls_per_second, settings.person_calls_at_once)
    _install_handlers(app, vietnamese or {})
    limits = Limits(
        dict(body_limits or {}), settings.request_seconds, settings.body_pause_seconds, settings.requests_at_once,
        settings.reading_pause_seconds, settings.answers_of_one_person, settings.bodies_in_hand_bytes,
    )  # fmt: skip
    app.add_middleware(AccessLog, db=db)
    app.add_middleware(Edge, limits=limits, answer=problem_response, stranger=stranger_of(app, tuple(public)))
    # Uploaded lists hold national and account numbers in the clear: they stay in memory, which the body limit bounds, and never reach a
    # temporary file.
    MultiPartParser.spool_max_size = max([BODY_LIMIT, *(body_limits or {}).values()])
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-ID"],
            expose_headers=["Content-Disposition", "ETag", "Location", "Retry-After", "X-Request-ID"],
        )
    package = type(settings).__module__.partition(".")[0]
    routers = [*routers, audit_router(db, package.replace("_", "-")), clients_router(db)]

    def document() -> dict[str, Any]:
        # Made when somebody first asks: reading the code for its problems takes a second or so.
        app.openapi_schema = app.openapi_schema or document_of(app, routers, package, examples or Examples())
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    app.include_router(_health_router(db))
    for router in routers:
        _refuse_unguarded(router, tuple(public))
        app.include_router(router)
    return app


def _guarded(dependant: Dependant) -> bool:
    return hasattr(dependant.call, "required_roles") or any(_guarded(inner) for inner in dependant.dependencies)


def _refuse_unguarded(router: APIRouter, public: tuple[str, ...]) -> None:
    for route in router.routes:
        if not isinstance(route, APIRoute):
            raise TypeError(f"{route} is not a plain route: add routers flat, so that their guards can be checked")
        if route.path.startswith("/v1/") and not (public and route.path.startswith(public)) and not _guarded(route.dependant):
            raise RuntimeError(f"{route.path} names no role: every route needs one")


def _health_router(db: Database) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/health/live", summary="The process answers", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready", summary="The database answers", include_in_schema=False)
    async def ready() -> dict[str, str]:
        async with db.read() as tx:
            await tx.value("SELECT 1")
        return {"status": "ready"}

    @router.get("/metrics", summary="Prometheus metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


class JobView(BaseModel):
    """A piece of long work."""

    id: UUID
    kind: str
    state: str
    total: int
    done: int
    result: dict[str, Any] | None
    error: str | None
    requested_by: str
    business_date: date
    created_at: datetime
    finished_at: datetime | None


def jobs_router(db: Database, *roles: Role) -> APIRouter:
    """`GET /v1/jobs/{id}`: progress of long work; the asker, or an operator or auditor, may look."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
    guard = require(*roles)

    @router.get(
        "/{job_id}",
        summary="Progress of a job",
        description="Tiến độ của một công việc dài. Progress, result or failure of a long piece of work.",
    )
    async def job(job_id: UUID, actor: Actor = Depends(guard)) -> JobView:
        async with db.read(actor) as tx:
            row = await tx.row("SELECT * FROM job WHERE id = :id", id=job_id)
        mine = row is not None and (row["requested_by"] == actor.subject or actor.has(Role.OPERATOR, Role.AUDITOR))
        if row is None or not (mine or any(actor.sees(unit) for unit in row["requested_units"])):
            raise NotFound("No such job")
        return JobView(**{name: row[name] for name in JobView.model_fields})

    return router


class QuietView(BaseModel):
    """Whether nothing is left to do, and if not, what.

    `consumer_lag` is what the consumer last noted. Whoever asks for the end of everything takes it only once `noted_at` is later than
    an `asked_at` (both on this database's clock) at which all services were quiet: a consumer that has just died notes nothing, and after
    a broker lost its log `noted_at` is null until the consumer has looked at the new one.
    """

    quiet: bool
    waiting: dict[str, int]
    asked_at: datetime
    noted_at: datetime | None


async def _noted(tx: Tx) -> tuple[datetime, datetime | None]:
    row = await tx.row("SELECT clock_timestamp() AS asked_at, (SELECT min(updated_at) FROM consumer_position) AS noted_at")
    assert row is not None
    return row["asked_at"], row["noted_at"]


async def _mechanisms(tx: Tx) -> dict[str, int]:
    row = await tx.row(
        "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox_pending,"
        " (SELECT count(*) FROM parked_event WHERE replayed_at IS NULL) AS parked,"
        " (SELECT count(*) FROM job WHERE state IN ('QUEUED', 'RUNNING')) AS jobs_active,"
        " (SELECT coalesce(sum(greatest(highwater - position, 0)), 0) FROM consumer_position) AS consumer_lag,"
        " (SELECT count(*) FROM (SELECT max(updated_at) AS last FROM consumer_position) p WHERE p.last < now() - interval '15 seconds')"
        "   AS consumer_silent"
    )
    return {name: int(value) for name, value in (row or {}).items()}


def quiet_router(db: Database, probes: Sequence[Probe] = ()) -> APIRouter:
    """`GET /v1/quiet`: outbox empty, consumers at the end, nothing parked, no job running, and the service's own probes at zero."""
    router = APIRouter(prefix="/v1/quiet", tags=["operation"])
    guard = require(Role.OPERATOR, Role.AUDITOR, Role.INTEGRATOR, Role.DEPARTMENT_OFFICER)

    @router.get(
        "", summary="Is everything done?", description="Hệ thống đã yên chưa. Counts of work not yet done; `quiet` when all are zero."
    )
    async def quiet(_actor: Actor = Depends(guard)) -> QuietView:
        async with db.read() as tx:
            waiting = await _mechanisms(tx)
            for probe in probes:
                waiting |= await probe(tx)
            asked_at, noted_at = await _noted(tx)
        return QuietView(quiet=not any(waiting.values()), waiting=waiting, asked_at=asked_at, noted_at=noted_at)

    return router
