"""Moves of an alias: which one a move undid, and why a version was promoted although a gate had failed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alias_moves", sa.Column("undoes", sa.Integer()))
    op.add_column("alias_moves", sa.Column("reason", sa.Text()))
