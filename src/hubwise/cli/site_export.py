"""A live site's books for others: tables, statements, invoices, OCPI records."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hubwise.books import Billed, Invoice, cdrs, make_invoices
from hubwise.books.tables import ledger_tables
from hubwise.domain.errors import Issue, ScenarioError, listed
from hubwise.live import Books, Settings, read_settings
from hubwise.live.billed import all_billed
from hubwise.live.settings import NAME
from hubwise.record.export import WORKBOOK, export_csv, export_workbook
from hubwise.store import EventLog, database_url, open_engine
from hubwise.study.report.bills import invoice_bill, write_bills


@dataclass(frozen=True, slots=True)
class SiteExport:
    """What is asked of a site's books.

    Parameters
    ----------
    folder, store
        The site, and its database if it is another than it was served with last.
    driver, month
        Only this account, only what was posted in this month; else all.
    """

    folder: Path
    store: str | None
    driver: str | None
    month: str | None

    def write(self, form: str, into: Path) -> list[Path]:
        """Write files of a form into a folder."""
        settings, billed = self._read()
        writers: dict[str, Callable[[], list[Path]]] = {
            "csv": lambda: export_csv(ledger_tables(billed), into),
            "xlsx": lambda: export_workbook(ledger_tables(billed), into / WORKBOOK),
            "ocpi": lambda: [self._ocpi(settings, billed, into)],
            "invoices": lambda: self._invoices(settings, billed, into, by_month=True),
            "statements": lambda: self._invoices(settings, billed, into, by_month=False),
        }
        return writers[form]()

    def _read(self) -> tuple[Settings, list[Billed]]:
        settings, books = read_settings(self.folder), Books()
        engine = open_engine(database_url(self.folder, self.store))
        log = EventLog(engine, lambda *_: None)
        for _, event in log.after(0):
            books.apply(event)
        log.close()
        engine.dispose()
        billed = [*all_billed(books)]
        known = sorted({each.bill.driver for each in billed})
        if self.driver is not None and self.driver not in known:
            right = f"known are {listed(known)}" if known else "nobody is billed yet"
            wrong = f"{self.driver!r} is billed for nothing"
            raise ScenarioError([Issue(str(self.folder), "", "--driver", wrong, right)])
        return settings, [each for each in billed if self.driver in (None, each.bill.driver)]

    def _ocpi(self, settings: Settings, billed: list[Billed], into: Path) -> Path:
        if settings.party is None:
            wrong, right = "there is no [ocpi]", "say who the site is: docs/operate.md"
            raise ScenarioError([Issue(str(self.folder / NAME), "ocpi", "", wrong, right)])
        file = into / "cdrs.json"
        made = cdrs(billed, settings.party, settings.name)
        file.write_text(json.dumps(made, indent=1, ensure_ascii=False), "utf-8")
        return file

    def _invoices(
        self, settings: Settings, billed: list[Billed], into: Path, *, by_month: bool
    ) -> list[Path]:
        made = make_invoices(
            billed, settings.name, settings.zone, month=self.month, by_month=by_month
        )
        name = "invoices" if by_month else "statements"
        file = into / f"{name}.json"
        said = [each.to_dict() for each in made]
        file.write_text(json.dumps({name: said}, indent=1, ensure_ascii=False), "utf-8")
        return [file, _page(made, settings.name, into / f"{name}.html")]


def _page(made: list[Invoice], title: str, file: Path) -> Path:
    return write_bills([invoice_bill(each) for each in made], title, file)
