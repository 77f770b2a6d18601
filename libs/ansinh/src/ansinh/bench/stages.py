"""What a finished run left in the databases, as figures: how many, from when to when. Read only; the bench's own stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import psycopg

__all__ = ["Figure", "from_databases"]


@dataclass(frozen=True)
class Figure:
    """One stage: `n` things in `seconds`; `peak_mib` is the highest memory of the processes that did it."""

    n: int
    seconds: float
    what: str
    processes: tuple[str, ...]
    extra: Mapping[str, float] | None = None

    def row(self, peaks: Mapping[str, float]) -> dict[str, Any]:
        """As written to JSON."""
        peak = round(sum(peaks.get(name, 0.0) for name in self.processes), 1)
        rate = round(self.n / self.seconds, 1) if self.seconds > 0 else None
        shown = asdict(self)
        row = {"n": self.n, "seconds": round(self.seconds, 3), "per_second": rate, "peak_mib": peak, "what": shown["what"]}
        return row | {name: round(value, 4) for name, value in (self.extra or {}).items()}


#: Stage → (database, what is counted, processes, SQL that gives n and seconds).
_MEASURES: Final[dict[str, tuple[str, str, tuple[str, ...], str]]] = {
    "imports": (
        "registry", "rows of import files: received → registered", ("registry-api", "registry-worker"),
        "SELECT (SELECT count(*) FROM import_row), extract(epoch FROM max(finished_at) - min(created_at)) FROM job WHERE state = 'DONE'",
    ),
    "dues": (
        "registry", "people whose dues were derived and said", ("registry-worker",),
        "SELECT count(*), extract(epoch FROM max(created_at) - min(created_at)) FROM outbox WHERE type = 'DuesChanged'",
    ),
    "verify": (
        "identity-verify", "answers of the population database, judged and recorded", ("identity-verify-worker",),
        "SELECT count(*), extract(epoch FROM max(recorded_at) - min(recorded_at)) FROM evidence",
    ),
    "list": (
        "disbursement", "list lines computed from one snapshot", ("disbursement-worker",),
        "SELECT (SELECT count(*) FROM list_line), sum(extract(epoch FROM finished_at - created_at)) FROM job WHERE state = 'DONE'",
    ),
    "accept": (
        "disbursement", "payments: created → accepted by an instant partner", ("disbursement-worker",),
        "SELECT (SELECT count(*) FROM payment), extract(epoch FROM max(b.answered_at) - min(p.created_at))"  # noqa: ISC004
        " FROM payment_batch b JOIN payment p USING (batch_id)",
    ),
    "results": (
        "disbursement", "results in signed notices: received → applied, in the ledger", ("disbursement-api", "disbursement-worker"),
        "SELECT sum(results), extract(epoch FROM max(applied_at) - min(received_at)) FROM partner_notice WHERE state = 'APPLIED'",
    ),
    "projection": (
        "reporting", "events received into the log and the read models", ("reporting-worker",),
        "SELECT count(*), extract(epoch FROM max(received_at) - min(received_at)) FROM event_log",
    ),
}  # fmt: skip


def from_databases(dsns: Mapping[str, str]) -> dict[str, Figure]:
    """The stages of the run that just ended."""
    figures = {}
    for stage, (service, what, processes, query) in _MEASURES.items():
        with psycopg.connect(dsns[service]) as connection:
            row = connection.execute(query).fetchone()
        if row and row[0]:
            figures[stage] = Figure(int(row[0]), float(row[1] or 0), what, processes)
    return figures
