-- What a unit was made from, as its event says: old months can be told by the units of a later day, and the other way round.
-- Null where the producer did not say.
ALTER TABLE unit ADD COLUMN formed_from jsonb;

-- A report with its figures as they were at one number of the event log. Never changed: a later edition is a row of its own.
CREATE TABLE frozen_report (
    report_id uuid PRIMARY KEY,
    layout text NOT NULL,
    layout_version integer NOT NULL,
    layout_digest text NOT NULL CHECK (layout_digest ~ '^[0-9a-f]{64}$'),
    edition integer NOT NULL CHECK (edition >= 1),
    period_first date NOT NULL,
    period_last date NOT NULL CHECK (period_last >= period_first),
    unit_path text COLLATE "C" NOT NULL,
    unit_name text NOT NULL,
    units_on date NOT NULL,
    business_date date NOT NULL,
    log_seq bigint NOT NULL,
    frozen_at timestamptz NOT NULL DEFAULT now(),
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    row_count integer NOT NULL,
    addressees jsonb NOT NULL,
    frozen_by text NOT NULL,
    UNIQUE (layout, period_first, unit_path, units_on, edition)
);
CREATE INDEX frozen_report_by_unit ON frozen_report (unit_path, frozen_at DESC);

CREATE TABLE frozen_report_row (
    report_id uuid NOT NULL REFERENCES frozen_report,
    number integer NOT NULL,
    programme text NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    label text NOT NULL,
    is_total boolean NOT NULL,
    cells jsonb NOT NULL,
    PRIMARY KEY (report_id, number)
);

-- Who handed which report over, and when: what is late is reckoned from this and the due days of the layout.
CREATE TABLE report_handed_over (
    report_id uuid NOT NULL REFERENCES frozen_report,
    who text NOT NULL,
    handed_on date NOT NULL,
    reference text NOT NULL CHECK (reference <> ''),
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (report_id, who)
);
