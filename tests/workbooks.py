"""Workbooks of several sheets, for tests to read back."""

from __future__ import annotations

import io

import openpyxl


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    """The content of a workbook with these sheets."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(content)
    return content.getvalue()
