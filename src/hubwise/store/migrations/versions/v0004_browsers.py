"""Who signs in with a browser, and what drivers say of their cars."""

from alembic import op

from hubwise.store.tables import cars, passing, users

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of users, cars, sign-ins and links."""
    for table in (users, cars):
        table.create(op.get_bind(), checkfirst=True)
    passing.create_all(op.get_bind())
