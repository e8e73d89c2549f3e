"""Who serves the site now."""

from alembic import op

from hubwise.store.tables import leases

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of the lease."""
    leases.create(op.get_bind(), checkfirst=True)
