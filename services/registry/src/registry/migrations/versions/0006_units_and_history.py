"""Administrative units that change (links, approved loads, re-mapping of people) and the history of every record."""

from __future__ import annotations

from typing import Final

from alembic import op

from common.schema import append_only

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UNITS = """
-- A tree of any depth: what a level is called is data (province, district, commune, hamlet …).
ALTER TABLE administrative_unit DROP CONSTRAINT administrative_unit_level_check;
ALTER TABLE administrative_unit ADD CONSTRAINT administrative_unit_level_check CHECK (level ~ '^[a-z_]{2,20}$'),
    ADD COLUMN name_key text NOT NULL DEFAULT '',
    ADD COLUMN legal_basis text,
    ADD COLUMN change_id uuid,
    ADD CONSTRAINT administrative_unit_dates CHECK (valid_to >= valid_from);
CREATE INDEX administrative_unit_ended ON administrative_unit (valid_to, path) WHERE valid_to IS NOT NULL;

-- What became of a unit: WHOLE = everybody goes there; PART = it was split, people have to be assigned one by one.
CREATE TABLE unit_link (
    old_unit_id uuid NOT NULL REFERENCES administrative_unit,
    new_unit_id uuid NOT NULL REFERENCES administrative_unit,
    kind text NOT NULL CHECK (kind IN ('WHOLE', 'PART')),
    is_default boolean NOT NULL DEFAULT false,
    effective_on date NOT NULL,
    PRIMARY KEY (old_unit_id, new_unit_id)
);
CREATE INDEX unit_link_new ON unit_link (new_unit_id);
CREATE UNIQUE INDEX unit_link_whole ON unit_link (old_unit_id) WHERE kind = 'WHOLE';

-- A later change of units: a file proposed by one officer, approved by another.
CREATE TABLE unit_change (
    change_id uuid PRIMARY KEY,
    effective_on date NOT NULL,
    legal_basis text NOT NULL CHECK (legal_basis <> ''),
    file_name text NOT NULL,
    units jsonb NOT NULL,
    effects jsonb NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REFUSED')),
    business_date date NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    reason text,
    CHECK (state <> 'APPROVED' OR decided_by <> created_by),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);

-- Re-mapping people on a date: counted first, approved by a second person, then run as a job.
CREATE TABLE unit_remap (
    remap_id uuid PRIMARY KEY,
    effective_on date NOT NULL,
    scope_path text NOT NULL,
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'COUNTED' CHECK (state IN ('COUNTED', 'APPROVED', 'DONE', 'CANCELLED')),
    job_id uuid,
    result jsonb,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    approved_by text,
    approved_at timestamptz,
    CHECK (approved_by <> created_by),
    CHECK ((state IN ('APPROVED', 'DONE')) = (approved_by IS NOT NULL)),
    CHECK (business_date >= effective_on)
);
CREATE TABLE unit_remap_unit (
    remap_id uuid NOT NULL REFERENCES unit_remap,
    old_unit_id uuid NOT NULL REFERENCES administrative_unit,
    old_path text NOT NULL,
    treatment text NOT NULL CHECK (treatment IN ('MOVE', 'KEPT', 'SPLIT', 'CODE_REUSED', 'NO_SUCCESSOR')),
    new_unit_id uuid REFERENCES administrative_unit,
    new_code text,
    new_path text,
    people integer NOT NULL,
    beneficiaries integer NOT NULL,
    households integer NOT NULL,
    institutions integer NOT NULL,
    lists integer NOT NULL,
    PRIMARY KEY (remap_id, old_unit_id),
    CHECK ((treatment IN ('MOVE', 'KEPT', 'CODE_REUSED')) = (new_path IS NOT NULL))
);
CREATE INDEX unit_remap_unit_path ON unit_remap_unit (remap_id, old_path);

-- Who was moved by a change of units, from where to where, on whose approval.
CREATE TABLE unit_moved (
    effective_on date NOT NULL,
    person_id uuid NOT NULL REFERENCES person,
    remap_id uuid NOT NULL REFERENCES unit_remap,
    old_path text NOT NULL,
    new_path text NOT NULL,
    approved_by text NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (remap_id, person_id)
);
CREATE INDEX unit_moved_person ON unit_moved (person_id, effective_on);

-- People whose old unit was split (or has no single successor): assigned by an officer, approved by another.
CREATE TABLE unit_work_item (
    effective_on date NOT NULL,
    person_id uuid NOT NULL REFERENCES person,
    remap_id uuid NOT NULL REFERENCES unit_remap,
    old_unit_id uuid NOT NULL REFERENCES administrative_unit,
    old_path text NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'PROPOSED', 'APPROVED', 'APPLIED', 'STALE')),
    proposed_unit_id uuid REFERENCES administrative_unit,
    proposed_path text,
    ground text,
    proposed_by text,
    proposed_at timestamptz,
    approved_by text,
    approved_at timestamptz,
    PRIMARY KEY (effective_on, person_id),
    CHECK (approved_by <> proposed_by),
    CHECK ((state IN ('PROPOSED', 'APPROVED', 'APPLIED')) <= (proposed_unit_id IS NOT NULL AND proposed_by IS NOT NULL)),
    CHECK ((state IN ('APPROVED', 'APPLIED')) <= (approved_by IS NOT NULL))
);
CREATE INDEX unit_work_item_open ON unit_work_item (old_path, effective_on, person_id) WHERE state <> 'APPLIED';
CREATE INDEX unit_work_item_approved ON unit_work_item (effective_on, person_id) WHERE state = 'APPROVED';
"""

HISTORY = """
-- One row per change of a record. `before` is the row as it was before an update or deletion; what it became stands in the
-- next change of the same record, or in the table itself. An insert therefore writes a few bytes only.
CREATE TABLE record_history (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    record_key text NOT NULL,
    op "char" NOT NULL CHECK (op IN ('S', 'I', 'U', 'D')),
    subject_id uuid,
    before jsonb,
    recorded_at timestamptz NOT NULL,
    txid xid8 NOT NULL,
    tx_at timestamptz NOT NULL
) PARTITION BY RANGE (recorded_at);
CREATE TABLE record_history_rest PARTITION OF record_history DEFAULT;
CREATE INDEX record_history_key ON record_history (record_key, kind, seq);
CREATE INDEX record_history_subject ON record_history (subject_id) WHERE subject_id IS NOT NULL;

-- The business date of a transaction, and the date from which its changes hold where that is another one.
CREATE TABLE change_set (
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tx_at timestamptz NOT NULL DEFAULT now(),
    business_date date NOT NULL,
    effective_on date,
    PRIMARY KEY (txid, tx_at)
);

-- Who made a change is told by the audit row of the same transaction.
ALTER TABLE audit_log ADD COLUMN txid xid8;
ALTER TABLE audit_log ALTER COLUMN txid SET DEFAULT pg_current_xact_id();
CREATE INDEX audit_log_txid ON audit_log (txid) WHERE txid IS NOT NULL;

CREATE TABLE history_table (
    kind text PRIMARY KEY,
    key_types text[] NOT NULL,
    live_sql text NOT NULL,
    hidden text[] NOT NULL
);

-- Runs as the owner: the application's role has no right to write history, only to cause it.
CREATE FUNCTION write_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head CONSTANT text := 'INSERT INTO record_history (kind, record_key, op, subject_id, before, recorded_at, txid, tx_at) SELECT ';
    tail CONSTANT text := ', $1, pg_current_xact_id(), now() ';
    instant CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF TG_OP = 'INSERT' THEN
        EXECUTE head || format('%L, %s, ''I'', %s, NULL', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1]) || tail || 'FROM new_rows r'
        USING instant;
    ELSE
        EXECUTE head || format('%L, %s, %L, %s, to_jsonb(r)', TG_TABLE_NAME, TG_ARGV[0], left(TG_OP, 1), TG_ARGV[1]) || tail
                     || 'FROM old_rows r'
        USING instant;
    END IF;
    IF TG_OP = 'UPDATE' THEN  -- a row whose key changed is a new record under the new key
        EXECUTE head || format('%L, k.key, ''I'', k.subject, NULL', TG_TABLE_NAME) || tail
                     || format('FROM (SELECT %s AS key, %s AS subject FROM new_rows r) k WHERE k.key NOT IN (SELECT %s FROM old_rows r)',
                               TG_ARGV[0], TG_ARGV[1], TG_ARGV[0])
        USING instant;
    END IF;
    RETURN NULL;
END $$;

-- What a migration calls for a table whose history is kept. Rows already there are noted as seen on this day.
CREATE FUNCTION keep_history(kept text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    keys text[];
    types text[];
    key_sql text;
    subject text;
    arguments text;
BEGIN
    SELECT array_agg(a.attname::text ORDER BY k.n), array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.n) INTO keys, types
    FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
    JOIN pg_attribute a ON a.attnum = k.attnum
    WHERE i.indrelid = kept::regclass AND i.indisprimary AND a.attrelid = i.indrelid;
    IF keys IS NULL THEN RAISE EXCEPTION 'table % has no primary key: its history cannot be kept', kept; END IF;
    SELECT CASE WHEN count(*) = 1 THEN min(format('CAST(r.%I AS text)', c))
                ELSE format('concat_ws('','', %s)', string_agg(format('r.%I', c), ', ')) END
    INTO key_sql FROM unnest(keys) c;
    SELECT format('r.%I', a.attname) INTO subject FROM pg_attribute a
    WHERE a.attrelid = kept::regclass AND a.attname IN ('person_id', 'beneficiary_id', 'merit_person_id', 'deceased_id')
      AND keys <> ARRAY[a.attname::text] AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped
    ORDER BY array_position(ARRAY['person_id', 'beneficiary_id', 'merit_person_id', 'deceased_id'], a.attname::text) LIMIT 1;
    subject := coalesce(subject, 'NULL::uuid');
    INSERT INTO history_table (kind, key_types, live_sql, hidden)
    SELECT kept, types,
           format('SELECT to_jsonb(r) FROM %I r WHERE ', kept)
               || (SELECT string_agg(format('r.%I = CAST($1[%s] AS %s)', c, n, types[n]), ' AND ')
                   FROM unnest(keys) WITH ORDINALITY x(c, n)),
           (SELECT coalesce(array_agg(a.attname::text), '{}') FROM pg_attribute a
            WHERE a.attrelid = kept::regclass AND a.attnum > 0 AND a.atttypid = 'bytea'::regtype)
    ON CONFLICT (kind) DO UPDATE SET key_types = excluded.key_types, live_sql = excluded.live_sql, hidden = excluded.hidden;
    arguments := format('(%L, %L)', key_sql, subject);
    EXECUTE format('CREATE OR REPLACE TRIGGER history_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION write_history%s', kept, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER history_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION write_history%s', kept, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER history_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION write_history%s', kept, arguments);
    EXECUTE format('INSERT INTO record_history (kind, record_key, op, subject_id, recorded_at, txid, tx_at)'
                   ' SELECT %L, %s, ''S'', %s, now(), pg_current_xact_id(), now() FROM %I r', kept, key_sql, subject, kept);
END $$;

-- All versions of one record, oldest first. `known_on` never runs backwards: what a later change builds on was known by then.
CREATE FUNCTION record_versions(a_kind text, a_key text)
RETURNS TABLE (seq bigint, op text, recorded_at timestamptz, known_on date, effective_on date, state jsonb, txid xid8, tx_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    kept history_table;
    parts CONSTANT text[] := string_to_array(a_key, ',');
    live jsonb;
BEGIN
    SELECT * INTO kept FROM history_table h WHERE h.kind = a_kind;
    IF kept.kind IS NULL OR cardinality(parts) <> cardinality(kept.key_types)
       OR EXISTS (SELECT 1 FROM unnest(parts, kept.key_types) x(part, type) WHERE NOT pg_input_is_valid(x.part, x.type)) THEN
        RETURN;
    END IF;
    EXECUTE kept.live_sql INTO live USING parts;
    RETURN QUERY
    WITH e AS (
        SELECT h.seq, h.op, h.recorded_at, h.before, h.txid, h.tx_at, c.effective_on AS stated,
               coalesce(c.business_date, CAST(h.recorded_at AT TIME ZONE INTERVAL '7 hours' AS date)) AS day
        FROM record_history h LEFT JOIN change_set c USING (txid, tx_at)
        WHERE h.record_key = a_key AND h.kind = a_kind
    )
    SELECT e.seq, CAST(e.op AS text), e.recorded_at, max(e.day) OVER w, coalesce(e.stated, e.day),
           CASE WHEN e.op = 'D' THEN NULL WHEN lead(e.seq) OVER w IS NULL THEN live ELSE lead(e.before) OVER w END, e.txid, e.tx_at
    FROM e WINDOW w AS (ORDER BY e.seq) ORDER BY e.seq;
END $$;
"""

YEARS: Final = range(2025, 2036)
KEPT: Final = (
    "person", "representative", "entitlement", "preference", "entitlement_pause", "one_off_due", "household", "household_member",
    "group_membership", "institution", "institution_stay", "other_benefit", "beneficiary_group",
    "benefit_standard", "benefit_category", "category_coefficient", "category_amount", "policy_setting", "stacking_rule", "category_step",
    "category_group_condition", "category_exclusion", "provincial_top_up", "one_off_rule", "law_change",
    "deciding_authority", "decision", "transfer", "life_event", "funeral_support", "merit_relation", "administrative_unit",
)  # fmt: skip
"""Tables of records made before this migration, whose history is kept; later migrations call `keep_history` for their own."""


def upgrade() -> None:
    """Create the tables, and keep the history of every table of records that is there."""
    op.execute(UNITS)
    op.execute(HISTORY)
    for year in YEARS:
        op.execute(
            f"CREATE TABLE record_history_{year} PARTITION OF record_history FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')"
        )
    for table in KEPT:
        op.execute(f"SELECT keep_history('{table}')")
    for table in ("record_history", "change_set", "unit_moved", "history_table"):
        append_only(op, table)
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    role = config.attributes["app_role"]
    op.execute(f'REVOKE INSERT ON record_history, history_table FROM "{role}"')
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON unit_link FROM "{role}"')
    # Attachments are never changed, but they follow their unit.
    op.execute(f'GRANT UPDATE (unit_code, unit_path) ON attachment TO "{role}"')
    # An approved change of units adds rows and closes old ones; it never rewrites what a unit was.
    op.execute(f'GRANT INSERT, UPDATE (valid_to, version) ON administrative_unit TO "{role}"')


def downgrade() -> None:
    """Drop them (development only)."""
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    role = config.attributes["app_role"]
    op.execute(f'REVOKE UPDATE (unit_code, unit_path) ON attachment FROM "{role}"')
    op.execute(f'REVOKE INSERT, UPDATE (valid_to, version) ON administrative_unit FROM "{role}"')
    op.execute("DROP FUNCTION write_history() CASCADE; DROP FUNCTION keep_history(text); DROP FUNCTION record_versions(text, text)")
    op.execute("ALTER TABLE audit_log DROP COLUMN txid; DROP TABLE history_table, change_set, record_history")
    op.execute("DROP TABLE unit_work_item, unit_moved, unit_remap_unit, unit_remap, unit_change, unit_link")
    op.execute(
        "DROP INDEX administrative_unit_ended; ALTER TABLE administrative_unit DROP CONSTRAINT administrative_unit_dates,"
        " DROP COLUMN change_id, DROP COLUMN legal_basis, DROP COLUMN name_key, DROP CONSTRAINT administrative_unit_level_check;"
        "ALTER TABLE administrative_unit ADD CONSTRAINT administrative_unit_level_check"
        " CHECK (level IN ('province', 'district', 'commune'))"
    )
