"""A province of any size put into disbursement's copies in a few set-based statements: what its events would have left there.

For the bench's own stack only. Nobody there is in the register: the loads aim at lists, payments and what partners say of them.
Every partner has one account, open in the world of the partner simulator, that all its people share.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.types.json import Jsonb

from ansinh.stack.layout import Layout
from common.ids import new_id
from common.sealing import Keyring

__all__ = ["Load", "accounts", "load", "open_accounts"]

_NUMBER: Final = "1900000001"

# One in ten is owed two benefit lines; one in five collects at the post.
_PEOPLE: Final = """
CREATE TEMP TABLE person ON COMMIT DROP AS
SELECT n, uuidv7() AS id, uuidv7() AS account_id, commune AS unit_code, %(unit_path)s || '/900/' || commune AS unit_path,
       %(tag)s || lpad(CAST(n AS text), 7, '0') AS code,
       CASE WHEN n %% 5 = 4 THEN 'vnpost' ELSE (CAST(%(partners)s AS text[]))[1 + n %% cardinality(%(partners)s)] END AS partner
FROM generate_series(0, %(people)s - 1) AS n, LATERAL (SELECT '1' || lpad(CAST(n %% %(communes)s AS text), 4, '0')) AS c (commune)
"""
_STATEMENTS: Final = (
    """
INSERT INTO beneficiary (beneficiary_id, version, file_code, full_name, birth_date, unit_code, unit_path, status, identity_fingerprint)
SELECT id, 1, code, 'Nguyễn Thị ' || code, '1950', unit_code, unit_path, 'ACTIVE', code FROM person ORDER BY id
""",
    """
INSERT INTO dues (beneficiary_id, version, unit_code, unit_path) SELECT id, 1, unit_code, unit_path FROM person ORDER BY id
""",
    """
INSERT INTO due_interval (beneficiary_id, programme, funding_source, benefit_line, from_month, amount, status, basis, explicit_arrears)
SELECT id, %(programme)s, %(funding_source)s, line, CAST(%(month)s AS date), 500000, 'DUE', '20/2021/NĐ-CP', false
FROM person, (VALUES ('A01', 1), ('A02', 10)) AS owed (line, every) WHERE n %% every = 0 ORDER BY id
""",
    """
INSERT INTO verification (beneficiary_id, subject_id, subject_kind, version, verdict, source_status, identity_fingerprint, checked_on,
                          valid_until)
SELECT id, id, 'BENEFICIARY', 1, 'VERIFIED', 'MATCH', code, CAST(%(business_date)s AS date), CAST(%(business_date)s AS date) + 365
FROM person ORDER BY id
""",
    """
INSERT INTO payout_account (account_id, payee_id, version, kind, provider_code, partner, account_number_token, masked_number,
                            holder_name, status)
SELECT account_id, id, 1, CAST(%(kinds)s AS jsonb) ->> partner, 'BENCH_' || upper(partner), partner,
       CAST(%(tokens)s AS jsonb) ->> partner, '…0001', 'NGUYEN THI ' || code, 'ACTIVE'
FROM person WHERE partner <> 'vnpost' ORDER BY account_id
""",
    """
INSERT INTO payout_method (beneficiary_id, version, payee_id, payee_kind, method, account_id)
SELECT id, 1, id, 'SELF', CASE partner WHEN 'vnpost' THEN 'CASH_POST' ELSE 'ACCOUNT' END, CASE WHEN partner <> 'vnpost' THEN account_id END
FROM person ORDER BY id
""",
)
_TABLES: Final = ("beneficiary", "dues", "due_interval", "verification", "payout_account", "payout_method")


@dataclass(frozen=True)
class Load:
    """Whom to put there: `people` in `communes` communes, four of five paid by account through `partners`, the others at the post."""

    people: int
    month: str
    business_date: str
    programme: str
    funding_source: str
    unit_path: str
    tag: str
    tokens: Mapping[str, str]
    partners: Mapping[str, str]
    communes: int = 250

    def parameters(self) -> dict[str, object]:
        """For the statements."""
        names: Sequence[str] = sorted(name for name, kind in self.partners.items() if kind != "POST")
        return {
            "people": self.people, "month": f"{self.month}-01", "business_date": self.business_date, "programme": self.programme,
            "funding_source": self.funding_source, "unit_path": self.unit_path, "tag": self.tag, "tokens": Jsonb(dict(self.tokens)),
            "communes": self.communes, "partners": list(names), "kinds": Jsonb(dict(self.partners)),
        }  # fmt: skip


def load(dsn: str, wanted: Load) -> None:
    """Put them there, in one transaction, and count the tables for the planner as a running province's are."""
    with psycopg.connect(dsn) as connection:
        connection.execute(_PEOPLE, wanted.parameters())
        for statement in _STATEMENTS:
            connection.execute(statement, wanted.parameters())
        connection.commit()
        for table in _TABLES:
            connection.execute(f"ANALYZE {table}")


def accounts(layout: Layout, partners: Mapping[str, str]) -> dict[str, str]:
    """Partner → the sealed number of its account, as the accounts service would send it."""
    keyring = Keyring.load(layout.secrets / "keys-accounts.json", "accounts")
    return {name: keyring.seal("disbursement", new_id(), "account_number", _NUMBER) for name in partners}


def open_accounts(layout: Layout, partners: Mapping[str, str]) -> None:
    """Let the world of the simulators know these accounts. The file is replaced, which the simulators notice."""
    changed = layout.world.with_suffix(".bench")
    shutil.copyfile(layout.world, changed)
    with closing(sqlite3.connect(changed)) as world, world:
        world.executemany(
            "INSERT OR REPLACE INTO account (partner, provider_code, account_number, holder_name, status, pay_behaviour)"
            " VALUES (?, ?, ?, ?, 'OPEN', 'OK')",
            [(name, f"BENCH_{name.upper()}", _NUMBER, "NGUYEN THI BENCH") for name in partners],
        )
    changed.replace(layout.world)
