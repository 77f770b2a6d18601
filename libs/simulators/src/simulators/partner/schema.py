"""Tables of a partner's books. Times are seconds since 1970, money is whole đồng."""

from __future__ import annotations

__all__ = ["DDL"]

DDL = """
CREATE TABLE IF NOT EXISTS batch(
    id INTEGER PRIMARY KEY, partner TEXT NOT NULL, batch_reference TEXT NOT NULL, sha256 BLOB NOT NULL, answer BLOB NOT NULL,
    received_at REAL NOT NULL,
    hidden_until REAL NOT NULL DEFAULT 0,      -- inquiries say NOT_FOUND until then (script not_found_then_accepted)
    forced_state TEXT, forced_code TEXT,       -- a scripted result instead of the world's
    return_after REAL,                         -- seconds after settlement at which the money comes back (script)
    effects TEXT NOT NULL DEFAULT '{}',        -- scripted faults of this batch's notices
    UNIQUE (partner, batch_reference));

-- Batches that came as files, and so are answered with files.
CREATE TABLE IF NOT EXISTS file(
    batch_id INTEGER PRIMARY KEY REFERENCES batch(id), form TEXT NOT NULL CHECK (form IN ('PAIN', 'XLSX', 'CSV')));

CREATE TABLE IF NOT EXISTS payment(
    id INTEGER PRIMARY KEY AUTOINCREMENT, partner TEXT NOT NULL, reference TEXT NOT NULL, batch_id INTEGER NOT NULL REFERENCES batch(id),
    amount INTEGER NOT NULL CHECK (amount > 0), currency TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('ACCOUNT', 'POST', 'HOME')),
    provider_code TEXT, account_number TEXT, unit_code TEXT, file_code TEXT, payee TEXT NOT NULL, text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('RECEIVED', 'SETTLED', 'FAILED', 'RETURNED', 'COLLECTED', 'UNCOLLECTED')),
    code TEXT, partner_reference TEXT NOT NULL,
    accepted_at REAL NOT NULL, due_at REAL NOT NULL, settled_at REAL, return_at REAL, changed_at REAL NOT NULL,
    UNIQUE (partner, reference));
CREATE INDEX IF NOT EXISTS payment_due ON payment(due_at) WHERE state = 'RECEIVED';
CREATE INDEX IF NOT EXISTS payment_return ON payment(return_at) WHERE state = 'SETTLED' AND return_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS payment_reference ON payment(reference);

-- The primary key books money in once and out once, whatever else happens.
CREATE TABLE IF NOT EXISTS entry(
    payment_id INTEGER NOT NULL REFERENCES payment(id), kind TEXT NOT NULL CHECK (kind IN ('CREDIT', 'REVERSAL')),
    amount INTEGER NOT NULL, booked_at REAL NOT NULL, PRIMARY KEY (payment_id, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS balance(
    partner TEXT NOT NULL, account TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (partner, account)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS notice(
    id INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL UNIQUE, partner TEXT NOT NULL, results INTEGER NOT NULL, body BLOB NOT NULL,
    fault TEXT, fault_left INTEGER NOT NULL DEFAULT 0,   -- so many next attempts are spoilt on the wire
    copies_left INTEGER NOT NULL DEFAULT 0,              -- so many times it is sent again after it was accepted
    created_at REAL NOT NULL, next_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, last_answer TEXT,
    spoilt_accepted INTEGER NOT NULL DEFAULT 0,          -- spoilt attempts the platform answered with 2xx: must stay 0
    delivered_at REAL);
CREATE INDEX IF NOT EXISTS notice_due ON notice(partner, next_at) WHERE delivered_at IS NULL;

CREATE TABLE IF NOT EXISTS script(
    id INTEGER PRIMARY KEY, partner TEXT NOT NULL, route TEXT NOT NULL, behaviour TEXT NOT NULL,
    remaining INTEGER, until REAL, params TEXT NOT NULL);
"""
