"""Comparing a whole register stays near linear: names as skewed as they are in the country, one in four known by birth year only.

The people are made by SQL. `DUPLICATES_PEOPLE=200000 pytest -m slow tests/service/registry/test_duplicates_scale.py -s` prints the figures
of a province.
"""

from __future__ import annotations

import os
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from ansinh.effort import Effort
from common.jobs import Job
from registry.usecases.duplicates import SCAN, Scanner

PEOPLE = int(os.environ.get("DUPLICATES_PEOPLE", "50000"))
TWINS = min(300, PEOPLE // 650)
SECONDS = max(90.0, 240.0 * PEOPLE / 200_000)

_MAKE = """
INSERT INTO person (file_code, is_beneficiary, full_name, name_folded, birth_date, sex, national_number, number_blind, masked_number,
                    unit_code, unit_path, programmes, status, identity_fingerprint, created_by)
SELECT 'F-' || i, true, f || ' ' || m || ' ' || g, f || ' ' || m || ' ' || g,
       CASE WHEN i %% 4 = 0 THEN to_char(born, 'YYYY') ELSE to_char(born, 'YYYY-MM-DD') END, 'F',
       CASE WHEN i %% 20 > 0 THEN '\\x00'::bytea END, CASE WHEN i %% 20 > 0 THEN sha256(CAST(i AS text)::bytea) END,
       CASE WHEN i %% 20 > 0 THEN '060*****0000' END, CAST(24000 + i %% 124 AS text), '68/' || (24000 + i %% 124),
       '{SOCIAL_ASSISTANCE}', 'ACTIVE', 'x', 'made'
FROM (SELECT i, (ARRAY['NGUYEN','NGUYEN','NGUYEN','NGUYEN','TRAN','LE','PHAM','HOANG','PHAN','VU'])[1 + abs(hashint8(i * 7)) %% 10] AS f,
             (ARRAY['THI','THI','THI','VAN','VAN','VAN','NGOC','DUC','MINH','HUU'])[1 + abs(hashint8(i * 101)) %% 10] AS m,
             'TEN' || translate(CAST(CAST(sqrt(abs(hashint8(i * 3001)) %% 90000) AS int) AS text), '0123456789', 'ABCDEGHKLM') AS g,
             DATE '1935-01-01' + abs(hashint8(i * 11)) %% 21900 AS born
      FROM generate_series(1, %(n)s::bigint) i) x
"""
_TWINS = """
INSERT INTO person (file_code, is_beneficiary, full_name, name_folded, birth_date, sex, unit_code, unit_path, programmes, status,
                    address, identity_fingerprint, created_by)
SELECT 'T-' || x.n, true, p.full_name, p.name_folded, p.birth_date, p.sex, p.unit_code, p.unit_path, p.programmes, 'ACTIVE', 'Thon 1', 'x',
       'made'
FROM (SELECT n, 'F-' || (n * 601 + 1 + n %% 2) AS code FROM generate_series(1, %(n)s) n) x JOIN person p ON p.file_code = x.code
WHERE length(p.birth_date) = 10
RETURNING file_code
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_register_of_many_people_is_compared(world: Any) -> None:
    owner = str(world.settings.owner_database_url).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(owner, autocommit=True) as conn:
        conn.execute(_MAKE, {"n": PEOPLE})
        twins = conn.execute(_TWINS, {"n": TWINS}).fetchall()
        conn.execute("VACUUM ANALYZE person")
    with Effort(world.db.url) as effort:
        result = await Scanner(world.db).run(Job(uuid4(), SCAN, {}, "test", date(2024, 8, 20), 1))
    async with world.db.read() as tx:
        found = await tx.row(
            "SELECT count(*) AS pairs, count(*) FILTER (WHERE strong) AS strong, count(*) FILTER (WHERE b.file_code LIKE 'T-%'"
            " OR a.file_code LIKE 'T-%') AS twins FROM duplicate_candidate c JOIN person a ON a.person_id = c.a_id"
            " JOIN person b ON b.person_id = c.b_id"
        )
    print(f"\n{PEOPLE} people, {effort}, {PEOPLE / effort.wall:,.0f} people/s; {dict(found)} of {len(twins)} twins; {result}")
    assert found["twins"] >= len(twins) > 0
    assert effort.seconds < SECONDS
