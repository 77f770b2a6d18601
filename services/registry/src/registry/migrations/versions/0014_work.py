"""What waits for people is found without reading what does not: open survey tasks by unit, late additions to campaigns."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX survey_task_open ON survey_task (unit_path text_pattern_ops) INCLUDE (assigned_to, survey_id) WHERE state = 'OPEN'"
    )
    op.execute("CREATE INDEX campaign_person_proposed ON campaign_person (unit_path text_pattern_ops) WHERE state = 'PROPOSED'")


def downgrade() -> None:
    op.execute("DROP INDEX survey_task_open; DROP INDEX campaign_person_proposed")
