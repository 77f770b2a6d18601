"""After a rebuild the fresh tables' indexes carry the names of those they replace: a later migration finds them by name."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
contract = "a function is replaced by one that does the same and then gives indexes their names"

_NAMED = r"regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX \S+ ON \S+', '')"


_DECLARE = """\
    names jsonb;
    made record;
"""
# What an index says of itself, but for its own name and its table's, is the same before and after.
_BEFORE = f"""\
        names := (SELECT jsonb_object_agg({_NAMED}, (SELECT relname FROM pg_class WHERE oid = indexrelid))
                  FROM pg_index WHERE indrelid = model::regclass);
"""
_AFTER = f"""\
        FOR made IN SELECT indexrelid::regclass AS name, names ->> {_NAMED} AS wanted
                    FROM pg_index WHERE indrelid = model::regclass LOOP
            IF made.wanted IS NOT NULL AND made.name::text <> made.wanted THEN
                EXECUTE format('ALTER INDEX %s RENAME TO %I', made.name, made.wanted);
            END IF;
        END LOOP;
"""
# The one index of the releases so far that a step down drops by name; a rebuild before this may have renamed it.
_YEARLY = """
DO $$
DECLARE found regclass;
BEGIN
    SELECT indexrelid INTO found FROM pg_index
    WHERE indrelid = 'month_sum'::regclass AND pg_get_indexdef(indexrelid) LIKE '%year:paid%';
    IF found IS NOT NULL AND found::text <> 'month_sum_yearly' THEN
        EXECUTE format('ALTER INDEX %s RENAME TO month_sum_yearly', found);
    END IF;
END $$
"""


def _before() -> str:
    """The function as the first migration made it."""
    text = (files("reporting") / "migrations" / "sql" / "0001_rebuild.sql").read_text(encoding="utf-8")
    return text[text.index("CREATE FUNCTION rebuild_swap") :].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


def _now() -> str:
    drop = "        EXECUTE format('DROP TABLE %I', model);\n"
    rename = "        EXECUTE format('ALTER TABLE %I RENAME TO %I', 'rebuild_' || model, model);\n"
    text = _before()
    for old, new in (("    model text;\n", f"    model text;\n{_DECLARE}"), (drop, f"{_BEFORE}{drop}"), (rename, f"{rename}{_AFTER}")):
        if text.count(old) != 1:
            raise RuntimeError(f"not the function that was expected: {old!r}")
        text = text.replace(old, new)
    return text


def upgrade() -> None:
    op.execute(_now())
    op.execute(_YEARLY)


def downgrade() -> None:
    op.execute(_before())
