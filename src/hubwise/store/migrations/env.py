"""What alembic runs: it is given a connection and never looks for one itself."""

from alembic import context

from hubwise.store.tables import metadata


def run() -> None:
    """Bring the given connection's tables up to date."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


# Alembic runs this file with a config; whoever merely imports it has none.
if getattr(context, "config", None) is not None:
    run()
