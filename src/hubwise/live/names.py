"""Names that are made of what they name: the same for the same thing."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

from hubwise.domain.events import PriceList

LONGEST = 60


def short(name: str) -> str:
    """A name, or its digest where it is long."""
    return name if len(name) <= LONGEST else digest(name)


def digest(text: str) -> str:
    """Thirty-two characters for a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def named_list(prices: PriceList) -> PriceList:
    """The list under a name that is made of its prices."""
    return replace(prices, list_id=digest(repr((prices.charge, prices.discharge))))
