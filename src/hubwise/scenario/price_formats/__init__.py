"""How others write prices: a file for each format, chosen by what a document shows.

Every file here whose name does not begin with an underscore has a ``FORMAT``; a new format is one
new file. `the_format` finds the one that knows a document; ``plain`` takes tables that none knows.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from hubwise.scenario.price_formats._nouns import Asked, Fault, Piece, PriceFormat, Series
from hubwise.scenario.sniffing import Document

_LAST = "plain"


@cache
def formats() -> dict[str, PriceFormat]:
    """Every format by the name of its file; the one for tables of no known program is last."""
    names = [found.name for found in pkgutil.iter_modules(__path__) if found.name[0] != "_"]
    found: dict[str, PriceFormat] = {}
    for name in sorted(names, key=lambda name: (name == _LAST, name)):
        found[name] = import_module(f"{__name__}.{name}").FORMAT
    return found


def the_format(document: Document) -> PriceFormat | None:
    """The format that knows a document, or nothing where none does."""
    return next((one for one in formats().values() if one.recognises(document)), None)


PLAIN = formats()[_LAST].name

__all__ = ["PLAIN", "Asked", "Fault", "Piece", "PriceFormat", "Series", "formats", "the_format"]
