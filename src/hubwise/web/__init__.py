"""The HTTP API of a running site."""

from hubwise.web.app import make_app

__all__ = ["make_app"]
