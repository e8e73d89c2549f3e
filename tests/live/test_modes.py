"""How a driver wants a stay's energy: as it pays, without giving any back, or at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hubwise.domain.events import PriceList, PricesPosted, WishSaid
from hubwise.domain.modes import Mode
from hubwise.live.connection import Connection
from hubwise.live.deciding import Decided, decided
from hubwise.live.fold import Books, Session
from hubwise.live.outlook import SLOTS
from hubwise.live.planning import Planner
from hubwise.live.ports import Known
from hubwise.live.settings import Settings
from hubwise.live.troubles import Troubles
from site_books import SETTINGS, World

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)
CHEAP, DEAR = (Decimal("0.10"), Decimal("0.50"))


def wish(mode: Mode) -> WishSaid:
    """Leaves in ten hours with what it came with, and may give 15 kWh."""
    leaves = T0 + timedelta(hours=10)
    levels = (Decimal(30), Decimal(30), Decimal(15))
    return WishSaid("w", "CP", T0, "s", "t", "driver:D", leaves, *levels, mode)


def tried(said: WishSaid, stands: WishSaid) -> tuple[list, dict, Planner]:
    """What is asked of whoever decides, when one wish is tried while another stands."""
    session = Session("s", "CP", "t", T0, evse=1, wish=stands)
    books = Books()
    # Dear by noon, then cheap: whoever may gives back at once and refills.
    prices = tuple(DEAR if 10 <= hour < 14 else CHEAP for hour in range(24))
    books.apply(PricesPosted("prices|p", "", T0, PriceList("p", 60, prices, prices)))
    asked = []

    async def decide(outlook):
        asked.append(outlook)
        return decided(outlook) if outlook.here else Decided({})

    async def stored(_):
        return 0.0, 0.0

    world = World(T0)
    settings: Settings = SETTINGS
    planner = Planner(
        books,
        settings,
        world,
        decide=decide,
        stored=stored,
        gives_back=lambda _: True,
        most_kw=lambda *_: None,
        troubles=Troubles(world),
    )

    async def run():
        here = [(session, Known("CP", "main", 7.0))]
        task = asyncio.create_task(
            planner.run(lambda _: here, lambda _: Connection(43.0), lambda _: None)
        )
        await asyncio.sleep(0)
        found = await planner.tried("main", said)
        task.cancel()
        return {} if found is None else found.decided.cars

    return asked, asyncio.run(run()), planner


def test_nothing_is_given_back_where_the_driver_says_so() -> None:
    """At prices at which a car would give back at once: with one word it gives nothing."""
    stands = wish(Mode.AS_IT_PAYS)
    _, cars, _ = tried(stands, stands)
    assert min(cars["s"]) < -1.0
    asked, cars, planner = tried(wish(Mode.ONLY_CHARGE), stands)
    assert asked[0].here[0].discharge_kw == 0.0
    assert min(cars["s"]) == pytest.approx(0.0, abs=1e-9)
    assert len(cars["s"]) == SLOTS
    assert not planner.plans, "what is tried is followed by nobody"


def test_who_charges_now_is_in_no_plan() -> None:
    """The safe rule has it: nothing is decided about it, and what it had is its own again after."""
    stands = wish(Mode.AS_IT_PAYS)
    asked, cars, _ = tried(wish(Mode.CHARGE_NOW), stands)
    assert not asked
    assert not cars
    _, cars, _ = tried(stands, wish(Mode.CHARGE_NOW))
    assert min(cars["s"]) < -1.0


def test_a_trial_does_not_disturb_what_is_decided() -> None:
    """It goes by another name to whoever decides: what was decided last of the hub stays warm."""
    stands = wish(Mode.AS_IT_PAYS)
    asked, _, _ = tried(wish(Mode.ONLY_CHARGE), stands)
    assert asked[0].hub != "main"
