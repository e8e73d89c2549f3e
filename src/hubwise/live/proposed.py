"""Price lists as people propose them: by margins on what energy costs, or by blocks of hours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from hubwise.domain.errors import Issue
from hubwise.domain.events import PriceList
from hubwise.domain.lists import Followed
from hubwise.live.clocks import quarter_of
from hubwise.live.following import list_by_cost
from hubwise.live.listing import cost_at
from hubwise.live.outlook import MINUTES_OF_A_DAY
from hubwise.live.site import Site
from hubwise.live.sources import price_of

Columns = tuple[tuple[str, ...], tuple[str, ...]]
# How many slots a day may have, the fewest first.
COUNTS = (1, 24, 48, 96)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
NO_COST = Issue(
    "", "margins", "", "it is not known what energy costs",
    "give prices by hours, or say in site.toml what energy costs: [market], or purchase",
)  # fmt: skip


class NotAListError(ValueError):
    """What was proposed is no list; with all that is wrong with it."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        """Say it in a line, too."""
        super().__init__("; ".join(str(each) for each in issues))
        self.issues = tuple(issues)


@dataclass(frozen=True, slots=True)
class Block:
    """Prices from one minute of a day up to another [currency/kWh]."""

    begins: int
    ends: int
    charge: Decimal
    discharge: Decimal

    @property
    def clock(self) -> str:
        """When it begins."""
        return _clock(self.begins)

    @property
    def span(self) -> str:
        """From when to when."""
        return f"{self.clock}\N{EN DASH}{_clock(self.ends)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def blocks_of(prices: PriceList) -> list[Block]:
    """A list as blocks, as few as say the same."""
    pairs = [*zip(prices.charge, prices.discharge, strict=True)]
    firsts = [k for k, pair in enumerate(pairs) if k == 0 or pair != pairs[k - 1]]
    return [
        Block(one * prices.slot_minutes, other * prices.slot_minutes, *pairs[one])
        for one, other in pairwise([*firsts, len(pairs)])
    ]


def text_of(prices: PriceList) -> str:
    """A list as `by_hours` reads it, a block a line."""
    return "\n".join(f"{it.clock} {it.charge:f} {it.discharge:f}" for it in blocks_of(prices))


def by_hours(text: str) -> Columns:
    """The list of lines such as ``06:30 0.31 0.25``: each holds until the next, the last to 24:00.

    Raises
    ------
    NotAListError
        With every line that is none.
    """
    said = [(k, line.split()) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
    found, issues = list[tuple[int, str, str]](), list[Issue]()
    for number, words in said:
        wrong = [*_wrong_line(number, words, found[-1][0] if found else None)]
        issues += wrong
        if not wrong:
            found.append((_minutes(words[0]), _point(words[1]), _point(words[2])))
    if not said:
        right = "a line for each block of hours, such as 00:00 0.30 0.25"
        issues.append(Issue("", "hours", "", "there is no price", right))
    if issues:
        raise NotAListError(issues)
    return _columns(found)


def by_margins(site: Site, begins_at: datetime, charge: str, discharge: str) -> Columns:
    """The list for the day from its beginning on: what a kWh costs, and more to charge, less for
    what is given back.

    Raises
    ------
    NotAListError
        Where a margin is none, or it is not known what a kWh costs.
    """
    margins = [price_of(_point(each)) for each in (charge, discharge)]
    names = zip(("margin", "discharge_margin"), (charge, discharge), margins, strict=True)
    issues = [
        Issue("", name, "", f"{said!r}", "an amount for a kWh, such as 0.04")
        for name, said, margin in names
        if margin is None
    ]
    more, less = (each or Decimal() for each in margins)
    how = Followed(quarter_of(begins_at), site.settings.zone.key, more, -less)
    made = list_by_cost(lambda start: cost_at(site, start), how)
    if made is None:
        issues.append(NO_COST)
    if issues or made is None:
        raise NotAListError(issues)
    sides = (tuple(f"{each:f}" for each in side) for side in (made.charge, made.discharge))
    return _coarsest(*sides)


def _point(text: str) -> str:
    return text.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return 60 * int(hour) + int(minute)


def _wrong_line(number: int, words: Sequence[str], last: int | None) -> Iterator[Issue]:
    where = f"line {number}"
    if len(words) != 3:
        right = "a time of day, the price to charge, the price for what is given back"
        yield Issue("", where, "", f"{' '.join(words)[:100]!r}", right)
        return
    if not _CLOCK.fullmatch(words[0]) or _minutes(words[0]) % 15:
        yield Issue("", where, "", f"{words[0]!r}", "a quarter of an hour, such as 06:30")
    elif last is None and _minutes(words[0]):
        yield Issue("", where, "", words[0], "00:00 first: a day begins there")
    elif last is not None and _minutes(words[0]) <= last:
        yield Issue("", where, "", words[0], f"later than {_clock(last)}, the line before")
    for each in words[1:]:
        if price_of(_point(each)) is None:
            yield Issue("", where, "", f"{each!r}", "a price for a kWh, such as 0.31")


def _columns(found: Sequence[tuple[int, str, str]]) -> Columns:
    charge, discharge = list[str](), list[str]()
    for (begins, one, other), (ends, *_) in pairwise([*found, (MINUTES_OF_A_DAY, "", "")]):
        charge += [one] * ((ends - begins) // 15)
        discharge += [other] * ((ends - begins) // 15)
    return _coarsest(tuple(charge), tuple(discharge))


def _coarsest(charge: tuple[str, ...], discharge: tuple[str, ...]) -> Columns:
    """The same with as few slots as say it."""
    pairs = [*zip(charge, discharge, strict=True)]
    for count in COUNTS:
        each = len(pairs) // count
        if all(pairs[k] == pairs[k - k % each] for k in range(len(pairs))):
            break
    return charge[::each], discharge[::each]
