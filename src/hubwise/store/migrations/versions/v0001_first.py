"""The first form: events, stations, drivers, tokens."""

from alembic import op

from hubwise.store.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    metadata.create_all(op.get_bind())
