"""A live site's books for others: documents, statements and invoices, tables, OCPI records."""

from hubwise.record.books.documents import Billed, Document, documents_of
from hubwise.record.books.invoices import Invoice, make_invoices
from hubwise.record.books.ocpi import Party, cdrs
from hubwise.record.books.tables import ledger_tables

__all__ = [
    "Billed",
    "Document",
    "Invoice",
    "Party",
    "cdrs",
    "documents_of",
    "ledger_tables",
    "make_invoices",
]
