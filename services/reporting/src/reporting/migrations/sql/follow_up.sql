-- What people write down beside the figures: obstacles, outreach, milestones, targets, inspectors' samples. A rebuild of the read
-- models leaves these alone. unit_path is compared by bytes, like in the read models.
CREATE TABLE obstacle (
    obstacle_id uuid PRIMARY KEY,
    unit_path text COLLATE "C" NOT NULL,
    category text NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    people integer CHECK (people >= 0),
    level text NOT NULL CHECK (level IN ('COMMUNE', 'DISTRICT', 'PROVINCE', 'MINISTRY')),
    addressed_to text,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'ANSWERED', 'CLOSED')),
    raised_on date NOT NULL,
    raised_by text NOT NULL,
    level_since date NOT NULL,
    due_on date NOT NULL,
    answer text,
    answer_document text,
    answered_by text,
    answered_on date,
    closed_by text,
    closed_on date,
    version integer NOT NULL DEFAULT 1,
    CHECK ((state = 'OPEN') = (answer IS NULL)),
    CHECK ((answer IS NULL) = (answered_on IS NULL) AND (answer IS NULL) = (answered_by IS NULL)),
    CHECK ((state = 'CLOSED') = (closed_on IS NOT NULL) AND (closed_on IS NULL) = (closed_by IS NULL)),
    CHECK (level_since >= raised_on AND (answered_on IS NULL OR answered_on >= level_since)
           AND (closed_on IS NULL OR closed_on >= answered_on)),
    CHECK ((level = 'MINISTRY') <= (addressed_to IS NOT NULL))
);
CREATE INDEX obstacle_by_unit ON obstacle (unit_path, obstacle_id);
CREATE INDEX obstacle_waiting ON obstacle (level, unit_path) WHERE state <> 'CLOSED';

CREATE TABLE obstacle_step (
    obstacle_id uuid NOT NULL REFERENCES obstacle,
    version integer NOT NULL,
    action text NOT NULL,
    level text NOT NULL,
    state text NOT NULL,
    note text NOT NULL,
    on_day date NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (obstacle_id, version)
);

CREATE TABLE outreach (
    outreach_id uuid PRIMARY KEY,
    unit_path text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    held_on date NOT NULL,
    organiser text NOT NULL,
    topic text NOT NULL,
    sessions integer NOT NULL CHECK (sessions > 0),
    households integer CHECK (households >= 0),
    people integer NOT NULL CHECK (people >= 0),
    registered integer CHECK (registered >= 0),
    note text,
    made_by text NOT NULL,
    withdrawn_by text,
    withdrawn_why text,
    version integer NOT NULL DEFAULT 1,
    CHECK (registered IS NULL OR registered <= people),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_why IS NULL))
);
CREATE INDEX outreach_by_unit ON outreach (unit_path, held_on, outreach_id);

CREATE TABLE milestone (
    milestone_id uuid PRIMARY KEY,
    unit_path text COLLATE "C" NOT NULL,
    code text NOT NULL,
    year integer NOT NULL CHECK (year BETWEEN 2020 AND 2100),
    programme text NOT NULL,
    planned_on date NOT NULL,
    first_planned_on date NOT NULL,
    legal_ref text,
    planned_by text NOT NULL,
    actual_on date,
    evidence text,
    actual_by text,
    version integer NOT NULL DEFAULT 1,
    UNIQUE (unit_path, year, code, programme),
    CHECK ((actual_on IS NULL) = (actual_by IS NULL) AND (actual_on IS NULL) = (evidence IS NULL))
);
CREATE INDEX milestone_waiting ON milestone (unit_path, planned_on) WHERE actual_on IS NULL;

CREATE TABLE target (
    target_id uuid PRIMARY KEY,
    unit_path text COLLATE "C" NOT NULL,
    year integer NOT NULL CHECK (year BETWEEN 2020 AND 2100),
    indicator text NOT NULL,
    programme text NOT NULL,
    value numeric(18, 2) NOT NULL CHECK (value >= 0),
    due_on date NOT NULL,
    legal_ref text,
    set_by text NOT NULL,
    withdrawn boolean NOT NULL DEFAULT FALSE,
    version integer NOT NULL DEFAULT 1,
    UNIQUE (unit_path, year, indicator, programme),
    CHECK (extract(year FROM due_on) IN (year, year + 1))
);

CREATE TABLE target_past (
    target_id uuid NOT NULL REFERENCES target,
    version integer NOT NULL,
    value numeric(18, 2) NOT NULL,
    due_on date NOT NULL,
    legal_ref text,
    set_by text NOT NULL,
    withdrawn boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target_id, version)
);

-- An inspector's sample. Seed, size, strata and the digest of the population are kept, so that anybody draws the same cases again.
CREATE TABLE inspection_sample (
    sample_id uuid PRIMARY KEY,
    unit_path text COLLATE "C" NOT NULL,
    month date NOT NULL,
    strata text NOT NULL CHECK (strata IN ('NONE', 'UNIT', 'PROGRAMME', 'UNIT_AND_PROGRAMME')),
    size integer NOT NULL CHECK (size > 0),
    seed text NOT NULL,
    population bigint NOT NULL CHECK (population > 0),
    population_hash text NOT NULL,
    subject text NOT NULL,
    drawn_on date NOT NULL,
    drawn_by text NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'CLOSED')),
    conclusion text,
    closed_on date,
    closed_by text,
    version integer NOT NULL DEFAULT 1,
    CHECK ((state = 'CLOSED') = (closed_by IS NOT NULL) AND (closed_by IS NULL) = (conclusion IS NULL)
           AND (closed_by IS NULL) = (closed_on IS NULL))
);
CREATE INDEX inspection_sample_by_unit ON inspection_sample (unit_path, sample_id);

CREATE TABLE sample_stratum (
    sample_id uuid NOT NULL REFERENCES inspection_sample,
    stratum text COLLATE "C" NOT NULL,
    population bigint NOT NULL CHECK (population > 0),
    drawn integer NOT NULL CHECK (drawn >= 0 AND drawn <= population),
    PRIMARY KEY (sample_id, stratum)
);

CREATE TABLE sample_case (
    sample_id uuid NOT NULL,
    position integer NOT NULL,
    stratum text COLLATE "C" NOT NULL,
    beneficiary_id uuid NOT NULL,
    cycle_id uuid NOT NULL,
    programme text NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    state_when_drawn text NOT NULL,
    result text CHECK (result IN ('RIGHT', 'DEVIATION', 'NOT_REACHED')),
    finding text,
    note text,
    amount_found bigint CHECK (amount_found >= 0),
    found_on date,
    found_by text,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (sample_id, position),
    FOREIGN KEY (sample_id, stratum) REFERENCES sample_stratum,
    UNIQUE (sample_id, beneficiary_id, cycle_id),
    CHECK ((result IS NULL) = (found_by IS NULL) AND (result IS NULL) = (found_on IS NULL)),
    CHECK ((result IS NOT DISTINCT FROM 'DEVIATION') = (finding IS NOT NULL))
);
CREATE INDEX sample_case_waiting ON sample_case (sample_id) WHERE result IS NULL;
