"""The command line: parse, call, show."""

from hubwise.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line."""
    app()
