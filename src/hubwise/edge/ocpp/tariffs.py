"""The default tariff of a station that works out costs by itself (2.1): kept as what is posted.

A tariff of the same scope takes the place of the one before; transactions that run keep theirs, as
stays keep the list that they accepted. A tariff's id is its list's, and never changes its content.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import groupby

from hubwise.domain.events import PriceList
from hubwise.edge.ocpp.frames import Json

MOST_ID = 60
# Of all EVSEs.
EVERYWHERE = 0
# Under this id a station has a tariff of this content already.
THERE = "DuplicateTariffId"
Called = Callable[[str, Json], Awaitable[Json | None]]


class Tariffs:
    """One station's default tariff.

    Parameters
    ----------
    called
        Calls the station: its answer, or nothing where it refused or did not answer.
    posted
        The prices offered now, and their currency.
    has
        Whether the station has tariffs, as far as it has said.
    """

    def __init__(
        self, called: Called, posted: Callable[[], tuple[PriceList, str]], has: Callable[[], bool]
    ) -> None:
        """Nothing is known yet."""
        self._called, self._posted, self._has = called, posted, has
        self._asked = self._taken = ""
        self._turn = asyncio.Lock()

    def boot(self) -> None:
        """It booted: what it kept is not known."""
        self._asked = self._taken = ""

    def connect(self) -> None:
        """A new connection: what the one before was not heard to take is said again."""
        self._asked = self._taken

    def is_behind(self) -> bool:
        """Whether other prices are posted than the station was told of."""
        return self._has() and self._asked != id_of(self._posted()[0])

    async def follow(self) -> None:
        """Tell the station what is posted, if it was not told; others' tariffs are cleared.

        Where it takes no such tariff it is left without any: none is shown that no longer holds.
        """
        async with self._turn:
            if not self.is_behind():
                return
            prices, currency = self._posted()
            self._asked, self._taken = id_of(prices), ""
            said: Json = {"evseId": EVERYWHERE, "tariff": tariff_of(prices, currency)}
            answer = await self._called("SetDefaultTariff", said)
            if answer is not None and answer.get("status") in ("Accepted", THERE):
                self._taken = id_of(prices)
            await self._clear_others(self._taken)

    async def _clear_others(self, kept: str) -> None:
        answer = await self._called("GetTariffs", {"evseId": EVERYWHERE})
        others = sorted(set(_defaults(answer or {})) - {kept})
        if others:
            await self._called("ClearTariffs", {"tariffIds": others})


def _defaults(answer: Json) -> Iterator[str]:
    """Ids of the default tariffs that GetTariffs tells of."""
    said = answer.get("tariffAssignments")
    for each in said if isinstance(said, list) else []:
        name = each.get("tariffId") if isinstance(each, dict) else None
        if isinstance(name, str) and each.get("tariffKind") == "DefaultTariff":
            yield name


def id_of(prices: PriceList) -> str:
    """The id of a list's tariff."""
    return prices.list_id[:MOST_ID] or "posted"


def tariff_of(prices: PriceList, currency: str) -> Json:
    """Prices to charge as a tariff of 2.1: one element for each run of slots of one price.

    What energy earns that is given back has no place in it.
    """
    return {
        "tariffId": id_of(prices),
        "currency": currency,
        "energy": {"prices": list(_elements(prices))},
    }


def _elements(prices: PriceList) -> Iterator[Json]:
    slots = list(enumerate(prices.charge))
    for price, run in groupby(slots, key=lambda each: each[1]):
        numbers = [number for number, _ in run]
        element: Json = {"priceKwh": float(price)}
        if len(numbers) < len(slots):
            begin, end = numbers[0], numbers[-1] + 1
            element["conditions"] = {
                "startTimeOfDay": _time(begin * prices.slot_minutes),
                "endTimeOfDay": _time(end * prices.slot_minutes % 1_440),
            }
        yield element


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
