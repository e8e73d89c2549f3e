"""A live site's books for others: documents, statements and invoices, tables, OCPI records."""

from hubwise.books.documents import Billed, Document, documents_of
from hubwise.books.invoices import Invoice, make_invoices
from hubwise.books.ocpi import Party, cdrs

__all__ = [
    "Billed",
    "Document",
    "Invoice",
    "Party",
    "cdrs",
    "documents_of",
    "make_invoices",
]
