"""One person with several files: who was counted among the people of a year once more for another file.

Two people in the register merged the files. What was paid stays with the file it was paid to, and months stay as they were paid; of a year
the person is one, at the place (month and unit) where any of the files was paid first. `month_sum` holds who is to be taken off: a row of
`TWICE` and the measure, at the place where each further file was paid first. Only files that were merged have such rows, so that nobody
else's figures cost more. A merge heard before the payments or after them, undone or made again comes out the same: whatever batch touches
one of the files takes off what its person added before, and adds what it adds after it (`storage.sums`).
"""

from __future__ import annotations

from typing import Final

from reporting.domain.indicators import CAMPAIGN
from reporting.storage.contributions import EVERYBODY, YEAR_MEASURES

__all__ = ["MERGED", "MERGE_EVENTS", "TOUCHED_BY_LINES", "TOUCHED_BY_MERGES", "TWICE", "counted_twice", "of_person"]

TWICE: Final = "twice:"
"""Before a measure of the year: people counted in it more than once, each time but one."""

MERGED: Final = "SELECT beneficiary_id FROM {prefix}beneficiary WHERE merged_into IS NOT NULL"
"""A file of every person with several."""

MERGE_EVENTS: Final = ("BeneficiaryRegistered", "BeneficiaryUpdated", "BeneficiaryMoved", "BeneficiaryDeceased")
"""Events that say where a file went."""

# By keys: a batch has thousands of files, of which nearly none was merged.
_INTO: Final = "(SELECT b.merged_into FROM {{prefix}}beneficiary AS b WHERE b.beneficiary_id = {file})"
TOUCHED_BY_LINES: Final = f"""
INSERT INTO touched_file
SELECT t.beneficiary_id FROM (SELECT DISTINCT beneficiary_id FROM touched_line) AS t
WHERE {_INTO.format(file="t.beneficiary_id")} IS NOT NULL
   OR (SELECT b.beneficiary_id FROM {{prefix}}beneficiary AS b WHERE b.merged_into = t.beneficiary_id LIMIT 1) IS NOT NULL
"""
# Where the file went, where it goes now, and itself: between them lie the people before and after.
TOUCHED_BY_MERGES: Final = f"""
INSERT INTO touched_file
SELECT f.file FROM (
    SELECT key, CAST(body ->> 'merged_into' AS uuid) AS next, {_INTO.format(file="key")} AS before
    FROM event_log WHERE seq BETWEEN :low AND :high AND type = ANY(:types)
) AS m CROSS JOIN LATERAL unnest(ARRAY[key, next, before]) AS f (file)
WHERE coalesce(next, before) IS NOT NULL AND f.file IS NOT NULL
"""


def of_person(files: str, prefix: str = "") -> str:
    """CTEs (recursive) up to `of_person (file, person)`: every file of the people to whom some files belong.

    `files`: a query of one column.
    """
    return f"""
    kin (start, file) AS (
        SELECT f.file, f.file FROM ({files}) AS f (file)
        UNION
        SELECT k.start, n.file FROM kin AS k CROSS JOIN LATERAL (
            SELECT b.merged_into AS file FROM {prefix}beneficiary AS b WHERE b.beneficiary_id = k.file AND b.merged_into IS NOT NULL
            UNION ALL SELECT b.beneficiary_id FROM {prefix}beneficiary AS b WHERE b.merged_into = k.file
        ) AS n
    ),
    of_person AS MATERIALIZED (
        SELECT DISTINCT file, first_value(file) OVER (PARTITION BY start ORDER BY file) AS person FROM kin
    )"""


def counted_twice(files: str, prefix: str = "") -> str:
    """SQL: `month, unit_path, programme, measure, people, lines, dong, payments` of the people of some files.

    `files` is a query of one column; every file of the same people is looked at with them. `prefix` is `rebuild_` for fresh tables.
    """
    return f"""
    WITH RECURSIVE {of_person(files, prefix)},
    of_file AS MATERIALIZED (
        SELECT o.person, o.file, p.programme, p.year, m.measure, p.place
        FROM of_person AS o CROSS JOIN LATERAL (
            SELECT programme, date_trunc('year', month) AS year, channel, min(CAST(month AS text) || unit_path) AS place
            FROM {prefix}payment AS q WHERE q.beneficiary_id = o.file AND q.status IN ('SETTLED', 'COLLECTED')
            GROUP BY programme, date_trunc('year', month), channel
        ) AS p CROSS JOIN LATERAL unnest(ARRAY[{YEAR_MEASURES}]) AS m (measure) WHERE m.measure IS NOT NULL
    ),
    first_of_file AS (
        SELECT person, file, programme, year, measure, min(place) AS place FROM of_file GROUP BY person, file, programme, year, measure
        UNION ALL
        SELECT person, file, '{EVERYBODY}', year, measure, min(place) FROM of_file WHERE programme <> '{CAMPAIGN}'
        GROUP BY person, file, year, measure
    ),
    numbered AS (
        SELECT programme, measure, place, row_number() OVER (PARTITION BY person, programme, year, measure ORDER BY place, file) AS number
        FROM first_of_file
    )
    SELECT CAST(left(place, 10) AS date) AS month, substr(place, 11) COLLATE "C" AS unit_path, programme, '{TWICE}' || measure AS measure,
           count(*) AS people, 0 AS lines, 0 AS dong, 0 AS payments
    FROM numbered WHERE number > 1 GROUP BY place, programme, measure
    """
