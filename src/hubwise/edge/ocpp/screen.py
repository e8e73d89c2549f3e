"""Prices on a station's screen: told as each version has it, where the station can show them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import msgspec

from hubwise.domain.screen import Cost
from hubwise.edge.ocpp.frames import Json

# The Open Charge Alliance's way for 1.6, and the key by which a station says that it knows it.
VENDOR = "org.openchargealliance.costmsg"
SHOWS_PRICES = "CustomDisplayCostAndPrice"
MOST_TEXT = 512
Called = Callable[[str, Json], Awaitable[Json | None]]


class Screen:
    """One station's screen.

    Parameters
    ----------
    called
        Calls the station: its answer, or nothing where it refused or did not answer.
    """

    def __init__(self, called: Called) -> None:
        """Nothing is known yet."""
        self._called = called
        self._shows = True
        self._asked = False
        self._told: dict[str, Decimal] = {}

    def begin(self) -> None:
        """After boot of 2.x: it shows costs until it says that it does not."""
        self._shows, self._told = True, {}

    async def begin_old(self) -> None:
        """After boot of 1.6: whether it can show anything."""
        answer = await self._called("GetConfiguration", {"key": [SHOWS_PRICES]})
        self._shows = answer is not None and _says_true(answer)

    async def tell(self, transaction: str, cost: Cost) -> None:
        """The running cost (2.x), if it changed."""
        if self._shows and self._told.get(transaction) != cost.net:
            said: Json = {"transactionId": transaction, "totalCost": float(cost.net)}
            self._shows = await self._called("CostUpdated", said) is not None
            self._told[transaction] = cost.net

    async def tell_old(self, transaction: str, cost: Cost, *, ended: bool) -> None:
        """The running or the final cost (1.6), where the station shows it."""
        if not self._shows:
            return
        said: Json = {"transactionId": int(transaction), "cost": float(cost.net)}
        if ended:
            said |= {"priceText": cost.text}
        else:
            said |= {"state": "Charging", "chargingPrice": {"kWhPrice": float(cost.charge)}}
        data = msgspec.json.encode(said).decode()
        message = "FinalCost" if ended else "RunningCost"
        sent: Json = {"vendorId": VENDOR, "messageId": message, "data": data}
        self._shows = await self._called("DataTransfer", sent) is not None

    def end(self, transaction: str) -> None:
        """A session is over."""
        self._told.pop(transaction, None)


def answer_with(cost: Cost) -> Json:
    """What TransactionEvent's answer says of it."""
    text = {"format": "UTF8", "language": "en", "content": cost.text[:MOST_TEXT]}
    return {"totalCost": float(cost.net), "updatedPersonalMessage": text}


def _says_true(answer: Json) -> bool:
    keys = answer.get("configurationKey")
    found = [each for each in keys if isinstance(each, dict)] if isinstance(keys, list) else []
    wanted = [each for each in found if each.get("key") == SHOWS_PRICES]
    return any(str(each.get("value", "")).lower() == "true" for each in wanted)
