"""Inspectors' samples: the population of a month, the cases drawn, what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.sampling import Strata
from reporting.storage.lines import LINES, below

__all__ = [
    "add_cases",
    "add_strata",
    "case",
    "cases",
    "drawn",
    "find_case",
    "keep_population",
    "kept_population",
    "population",
    "put_case",
    "strata",
    "unfinished",
]

_UNIT: Final = "CASE WHEN unit_path = :unit_from THEN unit_path ELSE :unit_from || '/' || split_part(unit_path, '/', :depth) END"
_STRATUM: Final[Mapping[str, str]] = {
    Strata.NONE: "'ALL'",
    Strata.UNIT: _UNIT,
    Strata.PROGRAMME: "programme",
    Strata.UNIT_AND_PROGRAMME: f"{_UNIT} || ' ' || programme",
}

# Only lines of payments and of holds that live: what was released waits for another list. Kept for the transaction, so that the
# digest, the strata and the cases come from the same lines.
_POPULATION: Final = """
CREATE TEMP TABLE sampled ON COMMIT DROP AS
WITH {lines}
SELECT ({stratum}) COLLATE "C" AS stratum, beneficiary_id, cycle_id, programme, unit_path, amount, state,
       (beneficiary_id || '|' || programme || '|' || cycle_id) COLLATE "C" AS key
FROM line WHERE state <> 'RELEASED'
"""

_KEEP: Final = """
INSERT INTO sample_line (sample_id, beneficiary_id, programme, cycle_id, stratum, amount)
SELECT :sample_id, beneficiary_id, programme, cycle_id, stratum, amount FROM sampled
"""
# With the columns of the other: statements that a session has prepared know one shape.
_KEPT: Final = """
CREATE TEMP TABLE sampled ON COMMIT DROP AS
SELECT stratum, beneficiary_id, cycle_id, programme, CAST(NULL AS text) COLLATE "C" AS unit_path, amount, CAST(NULL AS text) AS state,
       (beneficiary_id || '|' || programme || '|' || cycle_id) COLLATE "C" AS key
FROM sample_line WHERE sample_id = :sample_id
"""

_DIGEST: Final = """
SELECT count(*) AS population,
       encode(sha256(coalesce(string_agg(sha256(convert_to(key || '|' || amount, 'UTF8')), ''::bytea ORDER BY key), ''::bytea)), 'hex')
           AS population_hash
FROM sampled
"""

_DRAWN: Final = """
SELECT row_number() OVER (ORDER BY stratum, rank)::int AS position, *
FROM (SELECT *, row_number() OVER (PARTITION BY stratum ORDER BY rank) AS place
      FROM (SELECT s.*, n.drawn, sha256(convert_to(:seed || '|' || key, 'UTF8')) AS rank
            FROM sampled AS s JOIN unnest(CAST(:strata AS text[]), CAST(:counts AS int[])) AS n (name, drawn) ON n.name = s.stratum) AS r
     ) AS placed
WHERE place <= drawn ORDER BY stratum, rank
"""

_CASE_COLUMNS: Final = (
    "sample_id", "position", "stratum", "beneficiary_id", "cycle_id", "programme", "unit_path", "amount", "state_when_drawn",
)  # fmt: skip

_CASES: Final = """
SELECT c.*, b.full_name, b.file_code FROM sample_case AS c LEFT JOIN beneficiary AS b USING (beneficiary_id)
WHERE c.sample_id = :sample_id {more} ORDER BY c.position
"""

_STRATA: Final = """
SELECT s.stratum, s.population, s.drawn, count(c.result) AS looked_at, count(*) FILTER (WHERE c.result = 'RIGHT') AS right_cases,
       count(*) FILTER (WHERE c.result = 'DEVIATION') AS deviations, count(*) FILTER (WHERE c.result = 'NOT_REACHED') AS not_reached,
       coalesce(sum(abs(c.amount_found - c.amount)) FILTER (WHERE c.result = 'DEVIATION'), 0)::bigint AS dong_wrong
FROM sample_stratum AS s LEFT JOIN sample_case AS c USING (sample_id, stratum)
WHERE s.sample_id = :sample_id GROUP BY s.stratum, s.population, s.drawn ORDER BY s.stratum
"""


async def population(tx: Tx, month: date, unit_path: str, strata_by: str) -> tuple[int, str, dict[str, int]]:
    """Freeze the month's lines for this transaction: how many, their digest, how many per stratum."""
    sql = _POPULATION.format(lines=LINES, stratum=_STRATUM[strata_by])
    await tx.execute(sql, month=month, **below(unit_path), **({"depth": unit_path.count("/") + 2} if "UNIT" in strata_by else {}))
    return await _frozen(tx)


async def keep_population(tx: Tx, sample_id: UUID) -> None:
    """Keep with the sample what it was drawn from, after :func:`population`."""
    await tx.execute(_KEEP, sample_id=sample_id)


async def kept_population(tx: Tx, sample_id: UUID) -> tuple[int, str, dict[str, int]]:
    """What the sample was drawn from, in place of the month's lines; nothing where it was drawn before that was kept."""
    await tx.execute("DROP TABLE IF EXISTS pg_temp.sampled")
    await tx.execute(_KEPT, sample_id=sample_id)
    return await _frozen(tx)


async def _frozen(tx: Tx) -> tuple[int, str, dict[str, int]]:
    row = await tx.row(_DIGEST)
    counts = await tx.rows("SELECT stratum, count(*) AS n FROM sampled GROUP BY stratum")
    return row["population"] if row else 0, row["population_hash"] if row else "", {found["stratum"]: found["n"] for found in counts}


async def drawn(tx: Tx, seed: str, counts: Mapping[str, int]) -> Sequence[RowMapping]:
    """The first so many lines of each stratum by rank, after :func:`population`."""
    return await tx.rows(_DRAWN, seed=seed, strata=list(counts), counts=list(counts.values()))


async def add_strata(tx: Tx, sample_id: UUID, people: Mapping[str, int], counts: Mapping[str, int]) -> None:
    """Keep the strata."""
    rows = [(sample_id, name, people[name], counts[name]) for name in sorted(people)]
    await tx.copy("sample_stratum", ("sample_id", "stratum", "population", "drawn"), rows)


async def add_cases(tx: Tx, sample_id: UUID, rows: Sequence[RowMapping]) -> None:
    """Keep the cases."""
    await tx.copy(
        "sample_case", _CASE_COLUMNS,
        [(sample_id, r["position"], r["stratum"], r["beneficiary_id"], r["cycle_id"], r["programme"], r["unit_path"], r["amount"],
          r["state"])
         for r in rows],
    )  # fmt: skip


async def strata(tx: Tx, sample_id: UUID) -> Sequence[RowMapping]:
    """The strata with what was found in each."""
    return await tx.rows(_STRATA, sample_id=sample_id)


async def cases(tx: Tx, sample_id: UUID, after: int, limit: int) -> Sequence[RowMapping]:
    """Cases in their order, after a position."""
    return await tx.rows(_CASES.format(more="AND c.position > :after") + " LIMIT :limit", sample_id=sample_id, after=after, limit=limit)


async def case(tx: Tx, sample_id: UUID, position: int) -> RowMapping | None:
    """One case, with the person's name."""
    return await tx.row(_CASES.format(more="AND c.position = :position"), sample_id=sample_id, position=position)


async def find_case(tx: Tx, sample_id: UUID, position: int) -> RowMapping | None:
    """One case, locked."""
    sql = "SELECT * FROM sample_case WHERE sample_id = :sample_id AND position = :position FOR UPDATE"
    return await tx.row(sql, sample_id=sample_id, position=position)


async def put_case(tx: Tx, sample_id: UUID, position: int, values: Mapping[str, Any]) -> None:
    """Write what was found; the case's version counts up."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(
        f"UPDATE sample_case SET {sets}, version = version + 1 WHERE sample_id = :sample_id AND position = :position",
        sample_id=sample_id, position=position, **values,
    )  # fmt: skip


async def unfinished(tx: Tx, sample_id: UUID) -> int:
    """Cases without a result."""
    count: int = await tx.value("SELECT count(*) FROM sample_case WHERE sample_id = :sample_id AND result IS NULL", sample_id=sample_id)
    return count
