"""The provider directory in the database: loaded from the data files, changed by two people, read by officers and by the importer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from accounts.domain.directory import Provider
from common.contracts.accounts_v1 import AccountKind
from common.db import Tx

__all__ = ["apply_change", "contracts", "current", "detail", "fee_on", "follow_partner", "load", "page", "provider", "take_limits", "types"]

_TYPES: Final = """
INSERT INTO provider_type (code, name_vi, name_en, account_kind) VALUES
    ('BANK', 'Ngân hàng', 'Bank', 'BANK'), ('WALLET', 'Ví điện tử', 'E-wallet', 'WALLET'),
    ('MOBILE_MONEY', 'Tiền di động', 'Mobile money', 'MOBILE_MONEY'), ('POST', 'Bưu chính công ích', 'Post', NULL)
ON CONFLICT (code) DO NOTHING
"""
_INCOMING: Final = """
WITH incoming AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS i (code text, type_code text, partner text, channels text[], bin text,
        name text, short_name text, name_inquiry boolean, holder_id_check boolean, opens_accounts boolean, succeeded_by text, source text)
)
"""
_PROVIDERS: Final = f"""
{_INCOMING}
INSERT INTO provider AS p (code, type_code, partner, channels, name_inquiry, holder_id_check, opens_accounts, succeeded_by, source)
SELECT code, type_code, partner, channels, name_inquiry, holder_id_check, opens_accounts, succeeded_by, source FROM incoming
ON CONFLICT (code) DO UPDATE SET type_code = excluded.type_code, partner = excluded.partner, channels = excluded.channels,
    name_inquiry = excluded.name_inquiry, holder_id_check = excluded.holder_id_check, opens_accounts = excluded.opens_accounts,
    succeeded_by = excluded.succeeded_by, source = excluded.source
WHERE NOT p.changed AND (p.type_code, p.partner, p.channels, p.name_inquiry, p.holder_id_check, p.opens_accounts, p.succeeded_by, p.source)
    IS DISTINCT FROM (excluded.type_code, excluded.partner, excluded.channels, excluded.name_inquiry, excluded.holder_id_check,
        excluded.opens_accounts, excluded.succeeded_by, excluded.source)
"""
_NAMES: Final = f"""
{_INCOMING}
INSERT INTO provider_name (provider_code, name, short_name) SELECT code, name, short_name FROM incoming i
WHERE NOT EXISTS (SELECT FROM provider_name n WHERE n.provider_code = i.code)
"""
_BINS: Final = f"""
{_INCOMING}
INSERT INTO provider_bin (provider_code, bin) SELECT code, bin FROM incoming i WHERE bin IS NOT NULL
AND NOT EXISTS (SELECT FROM provider_bin n WHERE n.provider_code = i.code)
"""
_ALIASES: Final = """
INSERT INTO provider_alias (alias_key, alias, provider_code)
SELECT DISTINCT ON (alias_key) alias_key, alias, provider_code
FROM json_to_recordset(CAST(:rows AS json)) AS i (alias_key text, alias text, provider_code text) ORDER BY alias_key, alias
ON CONFLICT (alias_key) DO NOTHING
"""

# The name a provider has on a day: the latest that began by then; of names whose dates nobody knows, the one there is.
_NAME_ON: Final = """
CROSS JOIN LATERAL (
    SELECT n.name, n.short_name FROM provider_name n WHERE n.provider_code = p.code
    ORDER BY n.valid_from <= :on DESC, coalesce(n.valid_to >= :on, true) DESC, n.valid_from DESC LIMIT 1
) n
"""

_VIEW: Final = f"""
SELECT p.*, t.name_vi AS type_vi, t.name_en AS type_en, t.account_kind AS kind, n.name, n.short_name,
       array(SELECT b.bin FROM provider_bin b WHERE b.provider_code = p.code AND b.valid_from <= :on
             AND (b.valid_to IS NULL OR b.valid_to >= :on) ORDER BY 1) AS bins
FROM provider p JOIN provider_type t ON t.code = p.type_code {_NAME_ON}
"""


async def load(tx: Tx, providers: Sequence[dict[str, Any]], aliases: Sequence[dict[str, str]]) -> dict[str, int]:
    """Take over the data files. What people changed stays; loading the same files again changes nothing."""
    rows = orjson.dumps(list(providers)).decode()
    changed = {"types": await tx.execute(_TYPES), "providers": await tx.execute(_PROVIDERS, rows=rows)}
    changed["names"] = await tx.execute(_NAMES, rows=rows)
    changed["bins"] = await tx.execute(_BINS, rows=rows)
    changed["aliases"] = await tx.execute(_ALIASES, rows=orjson.dumps(list(aliases)).decode())
    return changed


async def follow_partner(tx: Tx) -> int:
    """Accounts are asked about and paid through the partner their provider has now; how many changed. They are said again."""
    return await tx.execute(
        "UPDATE account a SET partner = p.partner, say_again = a.version > 0, lease_owner = NULL, lease_until = NULL FROM provider p"
        " WHERE p.code = a.provider_code AND p.partner IS NOT NULL AND a.partner <> p.partner"
    )


async def take_limits(tx: Tx) -> Sequence[RowMapping]:
    """Providers whose limits are others than were last said; they count as said now."""
    return await tx.rows(
        "UPDATE provider SET limits_version = limits_version + 1, said_per_payment = limit_per_payment, said_per_month = limit_per_month"
        " WHERE (limit_per_payment, limit_per_month) IS DISTINCT FROM (said_per_payment, said_per_month)"
        " RETURNING code, limits_version, limit_per_payment, limit_per_month"
    )


async def current(tx: Tx) -> tuple[list[Provider], dict[str, str]]:
    """Providers that keep accounts, and every other name by which one is found (former names, codes of renamed banks, aliases)."""
    rows = await tx.rows(
        "SELECT p.code, p.partner, t.account_kind, n.name, n.short_name, (SELECT min(bin) FROM provider_bin b"
        "   WHERE b.provider_code = p.code AND b.valid_to IS NULL) AS bin"
        " FROM provider p JOIN provider_type t ON t.code = p.type_code CROSS JOIN LATERAL (SELECT name, short_name FROM provider_name n"
        "   WHERE n.provider_code = p.code ORDER BY valid_from DESC LIMIT 1) n"
        " WHERE p.succeeded_by IS NULL AND t.account_kind IS NOT NULL ORDER BY p.code"
    )
    found = [
        Provider(
            code=row["code"],
            name=row["name"],
            short_name=row["short_name"],
            kind=AccountKind(row["account_kind"]),
            bin=row["bin"],
            partner=row["partner"],
        )
        for row in rows
    ]
    # A current name wins over a former one of another bank, an alias over both: later entries of the mapping replace earlier ones.
    names = await tx.rows(
        "SELECT x.text, coalesce(p.succeeded_by, p.code) AS code FROM provider p JOIN provider_type t ON t.code = p.type_code"
        " CROSS JOIN LATERAL (SELECT p.code AS text UNION SELECT name FROM provider_name n WHERE n.provider_code = p.code"
        "   UNION SELECT short_name FROM provider_name n WHERE n.provider_code = p.code) x"
        " WHERE t.account_kind IS NOT NULL ORDER BY p.succeeded_by IS NULL, p.code, x.text"
    )
    aliases = await tx.rows("SELECT alias, provider_code FROM provider_alias ORDER BY alias_key")
    return found, {row["text"]: row["code"] for row in names} | {row["alias"]: row["provider_code"] for row in aliases}


async def page(tx: Tx, on: date, *, type_code: str | None, codes: Sequence[str] | None) -> Sequence[RowMapping]:
    """Providers as of a day; `codes`: only these."""
    return await tx.rows(
        f"{_VIEW} WHERE (CAST(:type AS text) IS NULL OR p.type_code = :type)"
        " AND (CAST(:codes AS text[]) IS NULL OR p.code = ANY(CAST(:codes AS text[]))) ORDER BY p.code",
        on=on,
        type=type_code,
        codes=None if codes is None else list(codes),
    )


async def provider(tx: Tx, code: str) -> RowMapping | None:
    """One provider's capabilities."""
    return await tx.row(
        "SELECT p.*, t.account_kind FROM provider p JOIN provider_type t ON t.code = p.type_code WHERE p.code = :code", code=code
    )


async def detail(tx: Tx, code: str, on: date) -> dict[str, Any] | None:
    """One provider with all its dated names, BINs, aliases and fee offers."""
    found = await tx.row(f"{_VIEW} WHERE p.code = :code", code=code, on=on)
    if found is None:
        return None
    dated = "nullif(valid_from, '-infinity') AS valid_from, valid_to"
    return {
        **found,
        "names": await tx.rows(
            f"SELECT name, short_name, {dated} FROM provider_name n WHERE provider_code = :c ORDER BY n.valid_from", c=code
        ),
        "all_bins": await tx.rows(f"SELECT bin, {dated} FROM provider_bin b WHERE provider_code = :c ORDER BY bin, b.valid_from", c=code),
        "aliases": [row["alias"] for row in await tx.rows("SELECT alias FROM provider_alias WHERE provider_code = :c ORDER BY 1", c=code)],
        "fee_offers": await tx.rows("SELECT * FROM provider_fee_offer WHERE provider_code = :c ORDER BY kind, valid_from", c=code),
    }


async def types(tx: Tx) -> Sequence[RowMapping]:
    """The open list of types."""
    return await tx.rows("SELECT * FROM provider_type ORDER BY code")


async def contracts(
    tx: Tx, *, on: date | None, provider_code: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of contracts of units in scope; `on`: only those in force on a day."""
    return await tx.rows(
        f"SELECT * FROM provider_contract c WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR contract_id > :after)"
        " AND (CAST(:provider AS text) IS NULL OR provider_code = :provider)"
        " AND (CAST(:on AS date) IS NULL OR (valid_from <= :on AND (valid_to IS NULL OR valid_to >= :on)))"
        " ORDER BY contract_id LIMIT :limit",
        on=on,
        provider=provider_code,
        after=after,
        limit=limit,
        **scope_params,
    )


async def fee_on(tx: Tx, provider_code: str, kind: str, on: date) -> int | None:
    """What a provider offers beneficiaries to pay for something on a day; None: no offer."""
    value = await tx.value(
        "SELECT amount FROM provider_fee_offer WHERE provider_code = :p AND kind = :k AND valid_from <= :on"
        " AND (valid_to IS NULL OR valid_to >= :on) ORDER BY valid_from DESC LIMIT 1",
        p=provider_code,
        k=kind,
        on=on,
    )
    return None if value is None else int(value)


_UPSERTS: Final[dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "PROVIDER_TYPE": ("provider_type", ("code",), ("name_vi", "name_en", "account_kind")),
    "PROVIDER": (
        "provider", ("code",),
        ("type_code", "partner", "channels", "name_inquiry", "holder_id_check", "opens_accounts", "inquiries_per_second",
         "limit_per_payment", "limit_per_month", "succeeded_by", "source", "changed"),
    ),
    "PROVIDER_NAME": ("provider_name", ("provider_code", "valid_from"), ("name", "short_name", "valid_to")),
    "PROVIDER_BIN": ("provider_bin", ("provider_code", "bin", "valid_from"), ("valid_to",)),
    "PROVIDER_ALIAS": ("provider_alias", ("alias_key",), ("alias", "provider_code")),
    "FEE_OFFER": ("provider_fee_offer", ("offer_id",), ("provider_code", "kind", "amount", "terms", "source", "valid_from", "valid_to")),
    "CONTRACT": (
        "provider_contract", ("provider_code", "number"),
        ("unit_code", "unit_path", "programme", "scope", "fee_basis_points", "valid_from", "valid_to"),
    ),
    "SETTING": ("policy_setting", ("code",), ("value", "decided_by", "decided_on")),
}  # fmt: skip
"""Kind of change → (table, key, columns set)."""


async def apply_change(tx: Tx, kind: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Carry out an approved change: a new row, or the row of this key with new values. What stood there of these fields, if anything."""
    table, key, columns = _UPSERTS[kind]
    given = [name for name in (*key, *columns) if name in body]
    names = ", ".join(given)
    if kind == "SETTING":
        before = await tx.value(
            "UPDATE policy_setting SET value = :value, decided_by = :decided_by, decided_on = CAST(:decided_on AS date)"
            " WHERE code = :code RETURNING to_jsonb(old)",
            **{name: body[name] for name in given},
        )
    else:
        updates = ", ".join(f"{name} = excluded.{name}" for name in columns if name in body)
        before = await tx.value(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_record(CAST(NULL AS {table}), CAST(:body AS jsonb))"
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates} RETURNING to_jsonb(old)",
            body=body,
        )
    return None if before is None else {name: before[name] for name in given}
