"""What is wanted of a stay, by its driver's word and its car's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hubwise.domain.events import WishSaid
from hubwise.domain.modes import Mode
from hubwise.live.clocks import quarter_of
from hubwise.live.fold import Books, Session
from hubwise.live.outlook import SLOT, SLOTS, Wanted, wanted_by_car, wanted_by_driver


def wanted_of(
    books: Books, session: Session, now: datetime, wish: WishSaid | None
) -> Wanted | None:
    """What a plan is to reach; nothing for whoever charges now, and the safe rule does that."""
    if wish is not None and wish.mode is Mode.CHARGE_NOW:
        return None
    return said_of(books, session, now, wish)


def said_of(books: Books, session: Session, now: datetime, wish: WishSaid | None) -> Wanted | None:
    """What the driver said, or else the car; none if it is not known, or the time is over."""
    found: Wanted | None = None
    needs = books.needs.get((session.station, session.evse or 1))
    if needs is not None:
        found = wanted_by_car(needs)
    if wish is not None and (said := wanted_by_driver(wish)) is not None:
        # A driver says when and how much; what the car can do is the car's to say.
        found = said if found is None else _both(said, found)
    latest = quarter_of(now) + SLOTS * SLOT
    if found is None or found.departs_at <= now:
        return None
    return replace(found, departs_at=min(found.departs_at, latest))


def _both(driver: Wanted, car: Wanted) -> Wanted:
    """The driver's wish, within what the car says that it can."""
    return replace(
        driver,
        required_kwh=min(driver.required_kwh, car.most_kwh),
        most_kwh=car.most_kwh,
        least_kwh=max(driver.least_kwh, car.least_kwh),
        charge_kw=car.charge_kw,
        discharge_kw=car.discharge_kw,
    )
