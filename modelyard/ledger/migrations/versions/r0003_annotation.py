"""Annotation: guidelines, items in batches, work files and their rows, answers, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "annotation_guidelines",
        sa.Column("guideline", sa.String(60), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "annotation_items",
        sa.Column("guideline", sa.String(60), primary_key=True),
        sa.Column("item", sa.String(48), primary_key=True),
        sa.Column("batch", sa.Integer(), nullable=False),
    )
    op.create_table(
        "annotation_works",
        sa.Column("guideline", sa.String(60), primary_key=True),
        sa.Column("work", sa.String(120), primary_key=True),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("annotator", sa.String(40), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "annotation_tasks",
        sa.Column("guideline", sa.String(60), primary_key=True),
        sa.Column("work", sa.String(120), primary_key=True),
        sa.Column("item", sa.String(48), primary_key=True),
        sa.Column("shown", sa.String(32), nullable=False),
    )
    op.create_table(
        "annotation_votes",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("guideline", sa.String(60), nullable=False),
        sa.Column("work", sa.String(120), nullable=False),
        sa.Column("item", sa.String(48), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text()),
        sa.Column("import_id", sa.Integer(), nullable=False),
    )
    op.create_index("annotation_votes_of", "annotation_votes", ["guideline", "work", "item"])
    op.create_table(
        "annotation_imports",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("guideline", sa.String(60), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("imported", sa.DateTime(timezone=True), nullable=False),
    )
