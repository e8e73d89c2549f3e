"""Seals of commits, acts of operators, names of tokens."""

import sqlalchemy as sa
from alembic import op

from hubwise.store.tables import metadata

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make what is not there; the first form of a new database has all of it already."""
    bind = op.get_bind()
    metadata.create_all(bind)
    if "name" not in {each["name"] for each in sa.inspect(bind).get_columns("tokens")}:
        op.add_column(
            "tokens", sa.Column("name", sa.String(255), nullable=False, server_default="")
        )
