"""Facts besides decisions and rates that change what is due: pauses, one-off sums, households, groups, institutions, other benefits."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
-- Months in which an entitlement is not due (suspension). A pause that proves wrong is paid back: it stays as a record.
CREATE TABLE entitlement_pause (
    entitlement_id uuid NOT NULL REFERENCES entitlement,
    from_month date NOT NULL CHECK (extract(day FROM from_month) = 1),
    until date NOT NULL DEFAULT 'infinity' CHECK (until = 'infinity' OR extract(day FROM until) = 1),
    reason text NOT NULL,
    back_pay boolean NOT NULL DEFAULT false,
    decision_id uuid,
    PRIMARY KEY (entitlement_id, from_month),
    CHECK (until > from_month)
);

-- A sum due once, in one month: funeral support, lump sum, gift of a campaign, emergency support, yearly worship allowance.
CREATE TABLE one_off_due (
    one_off_id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL REFERENCES person,
    programme text NOT NULL,
    funding_source text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('FUNERAL', 'LUMP_SUM', 'CAMPAIGN', 'EMERGENCY', 'WORSHIP')),
    benefit_line text NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    amount bigint NOT NULL CHECK (amount > 0),
    basis text NOT NULL,
    decision_number text,
    source_id uuid NOT NULL,
    cancelled_on date,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, source_id, person_id, benefit_line, month)
);
CREATE INDEX one_off_due_person ON one_off_due (person_id);

-- Whom the law counts as poor, near-poor and so on: an open list of codes, dated memberships of households or single people.
CREATE TABLE beneficiary_group (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z][A-Z0-9_]*$'),
    name_vi text NOT NULL,
    name_en text NOT NULL
);
INSERT INTO beneficiary_group (code, name_vi, name_en) VALUES
    ('POOR', 'Hộ nghèo', 'Poor household'),
    ('NEAR_POOR', 'Hộ cận nghèo', 'Near-poor household'),
    ('OTHER', 'Trường hợp khác', 'Other case');
CREATE TABLE household (
    household_id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text UNIQUE,
    head_id uuid REFERENCES person,
    address text,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX household_unit ON household (unit_path text_pattern_ops, household_id);
CREATE TABLE household_member (
    household_id uuid NOT NULL REFERENCES household,
    person_id uuid NOT NULL REFERENCES person,
    relation text NOT NULL,
    from_date date NOT NULL,
    to_date date,
    PRIMARY KEY (household_id, person_id, from_date),
    CHECK (to_date >= from_date)
);
CREATE UNIQUE INDEX household_member_once ON household_member (person_id) WHERE to_date IS NULL;
CREATE TABLE group_membership (
    membership_id uuid PRIMARY KEY DEFAULT uuidv7(),
    household_id uuid REFERENCES household,
    person_id uuid REFERENCES person,
    group_code text NOT NULL REFERENCES beneficiary_group,
    from_date date NOT NULL,
    to_date date,
    decision_number text,
    CHECK ((household_id IS NULL) <> (person_id IS NULL)),
    CHECK (to_date >= from_date)
);
CREATE INDEX group_membership_household ON group_membership (household_id) WHERE household_id IS NOT NULL;
CREATE INDEX group_membership_person ON group_membership (person_id) WHERE person_id IS NOT NULL;
CREATE VIEW person_in_group AS
SELECT g.person_id, g.group_code, g.from_date, g.to_date FROM group_membership g WHERE g.person_id IS NOT NULL
UNION ALL
SELECT m.person_id, g.group_code, greatest(g.from_date, m.from_date), least(g.to_date, m.to_date)
FROM group_membership g JOIN household_member m USING (household_id)
WHERE greatest(g.from_date, m.from_date) <= coalesce(least(g.to_date, m.to_date), 'infinity'::date);

-- Residents of social-protection institutions are kept there and hold no community allowance (R03, R60).
CREATE TABLE institution (
    institution_id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    unit_code text NOT NULL,
    unit_path text NOT NULL,
    valid_from date NOT NULL,
    valid_to date
);
CREATE TABLE institution_stay (
    institution_id uuid NOT NULL REFERENCES institution,
    person_id uuid NOT NULL REFERENCES person,
    from_date date NOT NULL,
    to_date date,
    PRIMARY KEY (institution_id, person_id, from_date),
    CHECK (to_date >= from_date)
);
CREATE INDEX institution_stay_person ON institution_stay (person_id);

-- What somebody is paid by others (pension, monthly social-insurance benefit), as told by the Social Insurance: stacking uses it.
CREATE TABLE other_benefit (
    person_id uuid NOT NULL REFERENCES person,
    source text NOT NULL,
    kind text NOT NULL,
    from_month date NOT NULL CHECK (extract(day FROM from_month) = 1),
    until date NOT NULL DEFAULT 'infinity',
    monthly_amount bigint CHECK (monthly_amount >= 0),
    list_id uuid,
    told_on date NOT NULL,
    PRIMARY KEY (person_id, source, kind, from_month),
    CHECK (until > from_month)
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        "DROP VIEW person_in_group;"
        "DROP TABLE other_benefit, institution_stay, institution, group_membership, household_member, household, beneficiary_group,"
        " one_off_due, entitlement_pause"
    )
