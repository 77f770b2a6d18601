"""Tables of the shared mechanisms, created by each service's first migration, and append-only by privilege."""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "append_only",
    "audit_chain_ddl",
    "audit_chain_migration",
    "audit_chain_removal",
    "breaker_ddl",
    "clients_migration",
    "clients_removal",
    "cut_off_ddl",
    "cut_off_parked_ddl",
    "invariant_ddl",
    "mechanism_ddl",
    "mechanism_migration",
    "restore_ddl",
    "restore_removal",
    "throttle_ddl",
    "trace_ddl",
    "trace_removal",
]

_DDL: Final = """
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    key uuid NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    correlation_id text,
    causation_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
CREATE INDEX outbox_published_at ON outbox (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_received_at ON inbox USING brin (received_at);

CREATE TABLE parked_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key uuid NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    requested_by text,
    approved_by text,
    replayed_at timestamptz,
    UNIQUE (consumer, event_id),
    CHECK (approved_by IS NULL OR approved_by <> requested_by)
);
CREATE INDEX parked_event_key ON parked_event (key) WHERE replayed_at IS NULL;

CREATE TABLE consumer_position (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    position bigint NOT NULL,
    highwater bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, partition)
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject text NOT NULL,
    roles text[] NOT NULL,
    units text[] NOT NULL,
    request_id text,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    detail jsonb NOT NULL,
    purpose text
);
CREATE INDEX audit_log_object ON audit_log (object_type, object_id);

CREATE TABLE idempotency_key (
    client text NOT NULL,
    key text NOT NULL,
    route text NOT NULL,
    fingerprint bytea NOT NULL,
    status integer,
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client, key)
);

CREATE TABLE job (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'QUEUED' CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED')),
    total bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    detail jsonb NOT NULL DEFAULT '{}',
    result jsonb,
    error text,
    attempts integer NOT NULL DEFAULT 0,
    requested_by text NOT NULL,
    requested_units text[] NOT NULL DEFAULT '{}',
    business_date date NOT NULL,
    lease_owner text,
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX job_open ON job (created_at) WHERE state IN ('QUEUED', 'RUNNING');
"""

_AUDIT_CHAIN: Final = """
CREATE TABLE audit_unsealed (
    audit_id bigint PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE audit_unsealed IS 'Ids of audit rows that have committed and have no place in the chain yet';

CREATE TABLE audit_chain (
    position bigint PRIMARY KEY CHECK (position > 0),
    audit_id bigint NOT NULL UNIQUE,
    row_digest bytea NOT NULL CHECK (length(row_digest) = 32),
    chain_digest bytea NOT NULL CHECK (length(chain_digest) = 32)
);

CREATE TABLE audit_anchor (
    position bigint PRIMARY KEY,
    chain_digest bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_request ON audit_log (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX audit_log_at ON audit_log USING brin (at);
INSERT INTO audit_unsealed SELECT id FROM audit_log;
"""

_RESTORE: Final = """
CREATE TABLE database_life (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    life text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE database_life IS 'The life of this database that was last looked at (common.restored)';
CREATE TABLE relay_position (
    topic text NOT NULL,
    partition smallint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE relay_position IS 'Where the log goes on behind our own last event (common.restored)';
CREATE TABLE database_restore (
    restore_id uuid PRIMARY KEY DEFAULT uuidv7(),
    life text NOT NULL UNIQUE,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_at timestamptz,
    lost_events bigint NOT NULL DEFAULT 0
);
CREATE TABLE lost_event (
    event_id uuid PRIMARY KEY,
    restore_id uuid NOT NULL REFERENCES database_restore,
    topic text NOT NULL,
    partition smallint NOT NULL,
    "offset" bigint NOT NULL,
    key uuid NOT NULL,
    type text NOT NULL,
    body text NOT NULL
);
CREATE INDEX lost_event_restore ON lost_event (restore_id, topic);
"""

_CUT_OFFS: Final = """
CREATE TABLE cut_off (
    cut_off_id uuid PRIMARY KEY,
    cycle_id uuid NOT NULL,
    month text NOT NULL,
    programme text NOT NULL,
    business_date date NOT NULL,
    first_marker_at timestamptz NOT NULL DEFAULT now(),
    complete_at timestamptz,
    passed_at timestamptz,
    unanswered integer
);
CREATE TABLE cut_off_partition (
    cut_off_id uuid NOT NULL REFERENCES cut_off,
    partition smallint NOT NULL,
    announced jsonb NOT NULL,
    found jsonb NOT NULL,
    difference jsonb NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT now(),
    passed jsonb,
    PRIMARY KEY (cut_off_id, partition)
);
"""

_CUT_OFFS_PARKED: Final = """
ALTER TABLE cut_off_partition
    ADD COLUMN parked integer NOT NULL DEFAULT 0 CHECK (parked >= 0),
    ADD COLUMN lagging jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN cut_off_partition.parked IS 'People of this partition with parked events when the marker arrived';
COMMENT ON COLUMN cut_off_partition.lagging IS 'Announced minus found where the parked people explain it; the rest is in difference';
"""


def cut_off_ddl() -> str:
    """DDL of cut-offs heard and passed on (`common.cut_offs`)."""
    return _CUT_OFFS


def cut_off_parked_ddl() -> str:
    """Its second step: who was parked at a marker."""
    return _CUT_OFFS_PARKED


def breaker_ddl(table: str, column: str) -> str:
    """DDL of the state of outside systems (`common.outside.Breaker`), named by `column`."""
    return f"""
CREATE TABLE {table} (
    {column} text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    open_until timestamptz,
    last_error text
);
"""


def throttle_ddl(table: str) -> str:
    """DDL by which all workers together keep to an outside system's rate (`common.outside.Throttle`)."""
    return f"ALTER TABLE {table} ADD COLUMN next_turn_at timestamptz NOT NULL DEFAULT now()"


def invariant_ddl() -> str:
    """DDL of what `common.invariants` found last."""
    return """
CREATE TABLE invariant_result (
    name text PRIMARY KEY,
    offenders integer NOT NULL DEFAULT 0 CHECK (offenders >= 0),
    ids text[] NOT NULL DEFAULT '{}',
    broken_since timestamptz,
    checked_at timestamptz,
    took_ms integer,
    error text,
    next_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz
);
"""


def mechanism_ddl() -> str:
    """DDL of outbox, inbox, parked events, consumer positions, audit log, idempotency keys and jobs."""
    return _DDL


_TRACED: Final = ("outbox", "job")


def trace_ddl(*tables: str, mechanisms: bool = True) -> str:
    """DDL by which rows keep the trace context of the transaction that wrote them (`common.tracing`): events, jobs (unless they do
    already: `mechanisms`), and `tables`. Rows that stand get none: nothing is rewritten."""
    return "".join(
        f"ALTER TABLE {table} ADD COLUMN traceparent text;"
        f"ALTER TABLE {table} ALTER COLUMN traceparent SET DEFAULT nullif(current_setting('ansinh.traceparent', true), '');"
        for table in ((*_TRACED, *tables) if mechanisms else tables)
    )


def trace_removal(*tables: str, mechanisms: bool = True) -> str:
    """Undo :func:`trace_ddl`."""
    return "".join(f"ALTER TABLE {table} DROP COLUMN traceparent;" for table in ((*_TRACED, *tables) if mechanisms else tables))


def append_only(op: Any, table: str) -> None:
    """Take UPDATE, DELETE and TRUNCATE on a table from the application role (alembic `op`; the role is the migration's)."""
    role = op.get_context().config.attributes["app_role"]
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{role}"')


def mechanism_migration(op: Any) -> None:
    """What a service's first migration calls: the mechanism tables, with the audit log append-only."""
    op.execute(_DDL)
    append_only(op, "audit_log")


def restore_ddl() -> str:
    """DDL by which a service sees that its database was put back (`common.restored`)."""
    return _RESTORE


def restore_removal() -> str:
    """Undo :func:`restore_ddl`."""
    return "DROP TABLE lost_event, database_restore, relay_position, database_life"


def audit_chain_ddl() -> str:
    """DDL of the audit log's chain and anchors (`common.audit_chain`), and of what auditors search by."""
    return _AUDIT_CHAIN


def audit_chain_migration(op: Any) -> None:
    """The chain beside an audit log that exists: its rows wait for the sealer; chain and anchors are append-only."""
    op.execute(_AUDIT_CHAIN)
    append_only(op, "audit_chain")
    append_only(op, "audit_anchor")


def audit_chain_removal(op: Any) -> None:
    """Undo :func:`audit_chain_migration`."""
    op.execute(
        "DROP TABLE audit_anchor, audit_chain, audit_unsealed;"
        "DROP INDEX audit_log_subject, audit_log_action, audit_log_request, audit_log_at"
    )


_CLIENTS: Final = """
CREATE TABLE api_client (
    id uuid PRIMARY KEY,
    client_id text NOT NULL CHECK (client_id <> ''),
    agency text NOT NULL CHECK (agency <> ''),
    contact text NOT NULL,
    roles text[] NOT NULL CHECK (cardinality(roles) > 0),
    units text[] NOT NULL CHECK (cardinality(units) > 0),
    per_minute integer NOT NULL CHECK (per_minute > 0),
    per_day integer NOT NULL CHECK (per_day > 0),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    basis text NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'ACTIVE', 'REFUSED', 'ENDED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    ended_by text,
    ended_at timestamptz,
    CHECK (decided_by <> proposed_by),
    CHECK (state = 'PROPOSED' OR decided_by IS NOT NULL)
);
CREATE UNIQUE INDEX api_client_active ON api_client (client_id) WHERE state = 'ACTIVE';
COMMENT ON TABLE api_client IS 'Systems of other agencies that may call; the newest ACTIVE row of a client counts';

CREATE TABLE api_client_calls (
    client_id text NOT NULL,
    period text NOT NULL CHECK (period IN ('MINUTE', 'DAY')),
    starts_at timestamptz NOT NULL,
    calls integer NOT NULL,
    PRIMARY KEY (client_id, period, starts_at)
) WITH (fillfactor = 70);

CREATE TABLE api_client_access (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    client_id text NOT NULL,
    agency text,
    subject text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    status integer NOT NULL,
    records bigint,
    request_id text
);
CREATE INDEX api_client_access_client ON api_client_access (client_id, id);
COMMENT ON COLUMN api_client_access.records IS 'Members of the list or lines of the file answered; null where they cannot be counted';
"""


def clients_migration(op: Any) -> None:
    """Create the registrations, call counts and access log of `common.clients`; the log is append-only."""
    op.execute(_CLIENTS)
    append_only(op, "api_client_access")


def clients_removal(op: Any) -> None:
    """Undo :func:`clients_migration`."""
    op.execute("DROP TABLE api_client_access, api_client_calls, api_client")
