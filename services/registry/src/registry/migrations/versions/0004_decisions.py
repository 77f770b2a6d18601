"""Decisions, representatives and life events."""

from __future__ import annotations

from alembic import op

from common.schema import append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

AUTHORITY = """
CREATE TABLE deciding_authority (
    programme text NOT NULL,
    applies_from date NOT NULL,
    applies_to date,
    authority text NOT NULL CHECK (authority ~ '^[A-Z_]+$'),
    unit_level text NOT NULL CHECK (unit_level IN ('province', 'district', 'commune')),
    name_vi text NOT NULL,
    name_en text NOT NULL,
    legal_basis text NOT NULL,
    PRIMARY KEY (programme, applies_from),
    CHECK (applies_to >= applies_from)
);
INSERT INTO deciding_authority (programme, applies_from, applies_to, authority, unit_level, name_vi, name_en, legal_basis) VALUES
    ('SOCIAL_ASSISTANCE', '1900-01-01', '2025-06-30', 'DISTRICT_CHAIR', 'district', 'Chủ tịch Ủy ban nhân dân cấp huyện',
     'Chair of the district People''s Committee', 'Nghị định 20/2021/NĐ-CP Điều 8'),
    ('SOCIAL_ASSISTANCE', '2025-07-01', NULL, 'COMMUNE_CHAIR', 'commune', 'Chủ tịch Ủy ban nhân dân cấp xã',
     'Chair of the commune People''s Committee', 'Chính quyền địa phương 2 cấp từ 01/7/2025; thủ tục 1.001776'),
    ('SOCIAL_PENSION', '2025-07-01', NULL, 'COMMUNE_CHAIR', 'commune', 'Chủ tịch Ủy ban nhân dân cấp xã',
     'Chair of the commune People''s Committee', 'Nghị định 176/2025/NĐ-CP'),
    ('MERIT', '1900-01-01', NULL, 'DEPARTMENT', 'province', 'Sở quản lý người có công', 'Provincial department',
     'Nghị định 131/2021/NĐ-CP Điều 122');

-- Who decides on a programme's benefits on a date, and of which unit on the person's path. A path without a district (the tree since
-- July 2025) names no unit for a district's decision: the office is known, the unit is not.
CREATE FUNCTION deciding_authority_of(programme_code text, decided_on date, person_path text)
RETURNS TABLE (authority text, authority_path text) LANGUAGE sql STABLE AS $$
    SELECT a.authority,
           CASE WHEN a.unit_level = 'province' THEN split_part(person_path, '/', 1)
                WHEN a.unit_level = 'commune' THEN person_path
                WHEN split_part(person_path, '/', 3) <> ''
                    THEN split_part(person_path, '/', 1) || '/' || split_part(person_path, '/', 2) END
    FROM deciding_authority a
    WHERE a.programme = programme_code AND a.applies_from <= decided_on AND (a.applies_to IS NULL OR a.applies_to >= decided_on)
$$;

ALTER TABLE entitlement ADD authority text, ADD authority_path text, ADD decision_id uuid;
UPDATE entitlement e SET authority = x.authority, authority_path = x.authority_path
FROM (SELECT i.entitlement_id, a.authority, a.authority_path FROM entitlement i JOIN person p USING (person_id),
      LATERAL deciding_authority_of(i.programme, i.decision_date, p.unit_path) a) x
WHERE x.entitlement_id = e.entitlement_id;

-- Lists name number and date of a decision: who decided follows from programme and date.
CREATE FUNCTION entitlement_authority() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.authority, a.authority_path INTO NEW.authority, NEW.authority_path
    FROM person p, LATERAL deciding_authority_of(NEW.programme, NEW.decision_date, p.unit_path) a WHERE p.person_id = NEW.person_id;
    RETURN NEW;
END $$;
CREATE TRIGGER entitlement_authority BEFORE INSERT ON entitlement FOR EACH ROW WHEN (NEW.authority IS NULL)
    EXECUTE FUNCTION entitlement_authority();
"""

DECISIONS = """
CREATE TABLE attachment (
    attachment_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('DECISION', 'AUTHORISATION', 'CERTIFICATE', 'DOSSIER', 'EVIDENCE')),
    media_type text NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    byte_size integer NOT NULL CHECK (byte_size > 0),
    sha256 bytea NOT NULL,
    content bytea NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE transfer (
    transfer_id uuid PRIMARY KEY DEFAULT uuidv7(),
    direction text NOT NULL CHECK (direction IN ('WITHIN', 'OUT', 'IN')),
    person_id uuid NOT NULL REFERENCES person,
    from_unit_code text,
    from_path text,
    to_unit_code text,
    to_path text,
    other_province text,
    number text NOT NULL,
    decision_date date NOT NULL,
    signer text NOT NULL,
    dossier text NOT NULL,
    sent_on date NOT NULL,
    last_month date NOT NULL CHECK (extract(day FROM last_month) = 1),
    pays_from date CHECK (extract(day FROM pays_from) = 1),
    attachment_id uuid REFERENCES attachment,
    state text NOT NULL DEFAULT 'SENT' CHECK (state IN ('SENT', 'RECEIVED', 'RETURNED', 'WITHDRAWN')),
    answer_reason text,
    answered_on date,
    maker text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    checker text,
    checked_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    CHECK (state IN ('SENT', 'WITHDRAWN') OR checker IS NOT NULL AND checker <> maker),
    CHECK ((state = 'RECEIVED') = (pays_from IS NOT NULL)),
    CHECK ((from_path IS NULL) = (direction = 'IN') AND (to_path IS NULL) = (direction = 'OUT')),
    CHECK ((other_province IS NULL) = (direction = 'WITHIN'))
);
CREATE UNIQUE INDEX transfer_open ON transfer (person_id) WHERE state = 'SENT';
CREATE INDEX transfer_person ON transfer (person_id, pays_from);
CREATE INDEX transfer_from ON transfer (from_path text_pattern_ops, transfer_id);
CREATE INDEX transfer_to ON transfer (to_path text_pattern_ops, transfer_id);

CREATE TABLE life_event (
    event_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('MOVE', 'DEATH', 'MISSING', 'PRISON', 'RETURN')),
    person_id uuid NOT NULL REFERENCES person,
    event_date date NOT NULL,
    business_date date NOT NULL,
    evidence text NOT NULL,
    attachment_id uuid REFERENCES attachment,
    mistaken boolean NOT NULL DEFAULT false,
    reverses uuid REFERENCES life_event,
    unit_path text NOT NULL,
    state text NOT NULL CHECK (state IN ('PROPOSED', 'CONFIRMED', 'REJECTED')),
    answer_reason text,
    maker text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    checker text,
    checked_at timestamptz,
    CHECK (checker <> maker),
    CHECK (state = 'PROPOSED' OR checker IS NOT NULL OR kind IN ('MOVE', 'DEATH'))
);
CREATE UNIQUE INDEX life_event_open ON life_event (person_id) WHERE state = 'PROPOSED';
CREATE UNIQUE INDEX life_event_reversed_once ON life_event (reverses) WHERE state IN ('PROPOSED', 'CONFIRMED');
INSERT INTO life_event (kind, person_id, event_date, business_date, evidence, unit_path, state, maker)
SELECT 'DEATH', person_id, death_date, death_date, 'Đã ghi nhận trước đây', unit_path, 'CONFIRMED', 'system:migrate'
FROM person WHERE status = 'DECEASED';
CREATE INDEX life_event_person ON life_event (person_id, event_id);
CREATE INDEX life_event_unit ON life_event (unit_path text_pattern_ops, event_id);

CREATE TABLE decision (
    decision_id uuid PRIMARY KEY DEFAULT uuidv7(),
    bulk_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('GRANT', 'ADJUST', 'SUSPEND', 'RESUME', 'END', 'TRANSFER')),
    person_id uuid NOT NULL REFERENCES person,
    entitlement_id uuid REFERENCES entitlement,
    result_id uuid NOT NULL DEFAULT uuidv7(),
    programme text NOT NULL,
    category text REFERENCES benefit_category,
    percent smallint,
    dependant_id uuid REFERENCES person,
    number text NOT NULL,
    decision_date date NOT NULL,
    signer text NOT NULL,
    authority text NOT NULL,
    authority_path text,
    effective_month date NOT NULL CHECK (extract(day FROM effective_month) = 1),
    arrears_from date CHECK (extract(day FROM arrears_from) = 1),
    back_pay boolean NOT NULL DEFAULT false,
    reason text NOT NULL,
    note text,
    event_date date,
    attachment_id uuid REFERENCES attachment,
    transfer_id uuid REFERENCES transfer,
    life_event_id uuid REFERENCES life_event,
    unit_path text NOT NULL,
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
    answer_reason text,
    maker text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    checker text,
    checked_at timestamptz,
    CHECK (state IN ('PROPOSED', 'WITHDRAWN') OR checker IS NOT NULL AND checker <> maker),
    CHECK ((kind = 'GRANT') = (entitlement_id IS NULL)),
    CHECK (kind NOT IN ('GRANT', 'ADJUST') OR category IS NOT NULL)
);
-- One open proposal for one allowance: a second person must never approve two that contradict each other.
CREATE UNIQUE INDEX decision_open ON decision (entitlement_id) WHERE state = 'PROPOSED';
CREATE INDEX decision_person ON decision (person_id, decision_id);
CREATE INDEX decision_entitlement ON decision (entitlement_id) WHERE entitlement_id IS NOT NULL;
CREATE INDEX decision_bulk ON decision (bulk_id);
CREATE INDEX decision_transfer ON decision (transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX decision_life_event ON decision (life_event_id) WHERE life_event_id IS NOT NULL;
CREATE INDEX decision_unit ON decision (unit_path text_pattern_ops, decision_id);

-- A pause that was paid back stays as a record, so the same month may begin another pause later.
ALTER TABLE entitlement_pause DROP CONSTRAINT entitlement_pause_pkey, ADD pause_id uuid PRIMARY KEY DEFAULT uuidv7();
CREATE UNIQUE INDEX entitlement_pause_once ON entitlement_pause (entitlement_id, from_month) WHERE NOT back_pay;

-- Which unit pays which month of a person. Months never overlap and leave no gap: each begins where the one before ends.
CREATE VIEW paying_unit AS
WITH moved AS (
    SELECT DISTINCT ON (t.person_id, t.pays_from) t.person_id, t.pays_from, t.from_unit_code, t.from_path, t.transfer_id
    FROM transfer t WHERE t.state = 'RECEIVED' AND t.direction = 'WITHIN' ORDER BY t.person_id, t.pays_from, t.checked_at
), before AS (
    SELECT m.person_id, coalesce(lag(m.pays_from) OVER w, '-infinity'::date) AS from_month, m.pays_from AS until,
           m.from_unit_code AS unit_code, m.from_path AS unit_path
    FROM moved m WINDOW w AS (PARTITION BY m.person_id ORDER BY m.pays_from)
)
SELECT b.person_id, b.from_month, b.until, b.unit_code, b.unit_path FROM before b
UNION ALL
SELECT p.person_id, coalesce((SELECT max(m.pays_from) FROM moved m WHERE m.person_id = p.person_id), '-infinity'::date), 'infinity'::date,
       p.unit_code, p.unit_path
FROM person p;
"""

FUNERALS = """
CREATE TABLE funeral_support (
    funeral_id uuid PRIMARY KEY DEFAULT uuidv7(),
    deceased_id uuid NOT NULL REFERENCES person,
    death_date date NOT NULL,
    organiser_id uuid NOT NULL REFERENCES person,
    relative_id uuid REFERENCES person,
    programme text NOT NULL,
    funeral_amount bigint NOT NULL CHECK (funeral_amount > 0),
    lump_sum bigint NOT NULL DEFAULT 0 CHECK (lump_sum >= 0),
    basis text NOT NULL,
    set_aside jsonb NOT NULL,
    number text NOT NULL,
    decision_date date NOT NULL,
    signer text NOT NULL,
    authority text NOT NULL,
    attachment_id uuid REFERENCES attachment,
    month date,
    unit_path text NOT NULL,
    business_date date NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED', 'CANCELLED')),
    answer_reason text,
    maker text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    checker text,
    checked_at timestamptz,
    CHECK (state = 'PROPOSED' OR checker IS NOT NULL),
    CHECK (checker <> maker),
    CHECK (deceased_id <> organiser_id AND deceased_id <> relative_id),
    CHECK ((lump_sum > 0) = (relative_id IS NOT NULL))
);
-- One funeral support for one death, whoever asks and under whatever law.
CREATE UNIQUE INDEX funeral_support_once ON funeral_support (deceased_id) WHERE state IN ('PROPOSED', 'APPROVED');
CREATE INDEX funeral_support_unit ON funeral_support (unit_path text_pattern_ops, funeral_id);
"""

REPRESENTATIVES = """
ALTER TABLE representative
    ADD programmes text[] NOT NULL DEFAULT '{}',
    ADD basis text NOT NULL DEFAULT 'STANDING' CHECK (basis IN ('STANDING', 'HEIR')),
    ADD attachment_id uuid REFERENCES attachment,
    ADD revoked_why text,
    ADD appointed_by text,
    ADD appointed_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX representative_ends ON representative (valid_to, beneficiary_id, representative_id)
    WHERE revoked_on IS NULL AND valid_to IS NOT NULL;
"""


def upgrade() -> None:
    """Create the tables."""
    for part in (AUTHORITY, DECISIONS, FUNERALS, REPRESENTATIVES):
        op.execute(part)
    append_only(op, "attachment")
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    role = config.attributes["app_role"]
    # Who decides is law: rows come with a release.
    op.execute(f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON deciding_authority FROM "{role}"')


def downgrade() -> None:
    """Drop them."""
    op.execute(
        "DROP INDEX representative_ends;"
        "ALTER TABLE representative DROP programmes, DROP basis, DROP attachment_id, DROP revoked_why, DROP appointed_by,"
        " DROP appointed_at;"
        "DROP VIEW paying_unit;"
        "DROP TABLE funeral_support, decision, life_event, transfer, attachment;"
        "DROP INDEX entitlement_pause_once;"
        "ALTER TABLE entitlement_pause DROP pause_id, ADD PRIMARY KEY (entitlement_id, from_month);"
        "DROP TRIGGER entitlement_authority ON entitlement; DROP FUNCTION entitlement_authority();"
        "DROP FUNCTION deciding_authority_of(text, date, text);"
        "ALTER TABLE entitlement DROP authority, DROP authority_path, DROP decision_id;"
        "DROP TABLE deciding_authority"
    )
