"""The books of a live site, derived again from its events; shares no code with what wrote them."""

from hubwise.audit.books.auditor import audit_books, is_site

__all__ = ["audit_books", "is_site"]
