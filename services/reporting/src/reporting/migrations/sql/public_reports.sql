-- What the province has published of a month: figures without personal data, small cells hidden when it was published. Never changed.
CREATE TABLE public_report (
    public_id uuid PRIMARY KEY,
    month date NOT NULL,
    unit_path text COLLATE "C" NOT NULL CHECK (position('/' IN unit_path) = 0),
    unit_name text NOT NULL,
    edition integer NOT NULL CHECK (edition >= 1),
    threshold integer NOT NULL CHECK (threshold >= 3),
    log_seq bigint NOT NULL,
    business_date date NOT NULL,
    rows jsonb NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    published_by text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (unit_path, month, edition)
);
