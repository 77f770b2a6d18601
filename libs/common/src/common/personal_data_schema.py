"""Tables of requests to erase and of dated retention terms, in each service's database."""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "eraser_migration",
    "eraser_sql",
    "erasure_keys_migration",
    "erasure_keys_removal",
    "personal_data_migration",
    "personal_data_removal",
]

_DDL: Final = """
CREATE TABLE erasure_request (
    erasure_id uuid PRIMARY KEY DEFAULT uuidv7(),
    person_id uuid NOT NULL,
    unit_paths text[] NOT NULL CHECK (cardinality(unit_paths) > 0),
    asked_by text NOT NULL CHECK (asked_by IN ('PERSON', 'REPRESENTATIVE', 'OFFICE')),
    ground text NOT NULL,
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'DONE', 'REFUSED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    note text,
    answer jsonb,
    CHECK (decided_by <> proposed_by),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL)),
    CHECK ((state = 'PROPOSED') = (answer IS NULL))
);
CREATE UNIQUE INDEX erasure_request_open ON erasure_request (person_id) WHERE state = 'PROPOSED';
CREATE INDEX erasure_request_person ON erasure_request (person_id);

CREATE TABLE retention_term (
    term_id uuid PRIMARY KEY DEFAULT uuidv7(),
    rule text NOT NULL,
    days integer NOT NULL CHECK (days > 0),
    valid_from date NOT NULL,
    legal_source text NOT NULL CHECK (legal_source <> ''),
    state text NOT NULL DEFAULT 'PROPOSED' CHECK (state IN ('PROPOSED', 'ACTIVE', 'REFUSED')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    CHECK (decided_by <> proposed_by),
    CHECK ((state = 'PROPOSED') = (decided_by IS NULL))
);
CREATE INDEX retention_term_rule ON retention_term (rule, valid_from) WHERE state = 'ACTIVE';
COMMENT ON TABLE retention_term IS 'How long a rule of common.retention keeps, from a day on; the latest ACTIVE row that has begun counts';
"""

_KEYS: Final = """
ALTER TABLE erasure_request
    ADD COLUMN keys text[],
    ADD COLUMN keys_due_on date,
    ADD COLUMN keys_destroyed_at timestamptz,
    ADD CONSTRAINT erasure_request_keys CHECK (state = 'DONE' OR keys IS NULL),
    ADD CONSTRAINT erasure_request_keys_due CHECK ((keys IS NULL) = (keys_due_on IS NULL)),
    ADD CONSTRAINT erasure_request_keys_destroyed CHECK (keys_destroyed_at IS NULL OR keys IS NOT NULL);
CREATE INDEX erasure_request_keys_wait ON erasure_request (keys_due_on) WHERE state = 'DONE' AND keys_destroyed_at IS NULL;
COMMENT ON COLUMN erasure_request.keys IS 'Keys alive at the erasure: remnants open with these alone. Null: erased before keys were noted';
"""


def personal_data_migration(op: Any) -> None:
    """Create both tables."""
    op.execute(_DDL)


def personal_data_removal(op: Any) -> None:
    """Undo :func:`personal_data_migration`."""
    op.execute("DROP TABLE retention_term, erasure_request")


def eraser_sql(name: str, gone: str, work: str) -> str:
    """DDL of a function that erases in a table which is append-only for the service: the one change the service may cause there.

    It refuses where nobody has asked. `gone` (JSON) is laid over the fields; `work` does so, and notes in `done` how many rows it was.
    """
    return f"""
CREATE FUNCTION {name}(person uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone jsonb := '{gone}';
    done bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM erasure_request r WHERE r.person_id = person AND r.state = 'PROPOSED') THEN
        RAISE EXCEPTION 'nobody asked to erase %', person;
    END IF;
{work}    RETURN done;
END $$
"""


def eraser_migration(op: Any, name: str, gone: str, work: str) -> None:
    """Create such a function (:func:`eraser_sql`) for the service alone."""
    role = op.get_context().config.attributes["app_role"]
    op.execute(eraser_sql(name, gone, work))
    op.execute(f'REVOKE ALL ON FUNCTION {name}(uuid) FROM PUBLIC; GRANT EXECUTE ON FUNCTION {name}(uuid) TO "{role}"')


def erasure_keys_migration(op: Any) -> None:
    """Erasures note the keys that were alive."""
    op.execute(_KEYS)


def erasure_keys_removal(op: Any) -> None:
    """Undo :func:`erasure_keys_migration`."""
    op.execute("ALTER TABLE erasure_request DROP COLUMN keys, DROP COLUMN keys_due_on, DROP COLUMN keys_destroyed_at")
