"""Price lists that operators post: checked, tried, posted and taken back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from hubwise.domain.errors import Issue
from hubwise.domain.events import Acted, NeedsSaid, PriceList, PricesPosted
from hubwise.domain.lists import Ordered
from hubwise.live.acts import wrong_reason
from hubwise.live.clocks import QUARTER, quarter_of
from hubwise.live.fold import Session
from hubwise.live.names import named_list
from hubwise.live.offered import source_of
from hubwise.live.outlook import MINUTES_OF_A_DAY, SLOTS, wanted_by_car
from hubwise.live.registers import LONGEST
from hubwise.live.rights import Actor
from hubwise.live.settings import MOST_SLOTS
from hubwise.live.site import Site
from hubwise.live.sources import price_of

MOST_DIGITS = 6


class RefusedError(ValueError):
    """A list that is not posted; with all that is wrong with it."""

    def __init__(self, issues: list[Issue]) -> None:
        """Say it in a line, too."""
        super().__init__("; ".join(str(each) for each in issues))
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as an operator asks for it: prices as text, from when to when, and why.

    Parameters
    ----------
    charge, discharge
        By slot of a day, on the site's clock [currency/kWh].
    begins_at, until
        Now where nothing is said; until it is taken back.
    reason
        In their words.
    order
        The name that it was tried under: what was posted under it is not posted again.
    """

    charge: tuple[str, ...]
    discharge: tuple[str, ...]
    begins_at: datetime | None
    until: datetime | None
    reason: str
    order: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stay under way, the list that it is billed by, and when it said that it ends."""

    session: str
    price_list: str
    departs_at: datetime | None


@dataclass(frozen=True, slots=True)
class Leaves:
    """The least that a kWh leaves the site in a day [currency/kWh].

    Parameters
    ----------
    charge
        Of the price to charge, what it costs taken off.
    discharge
        Of what a kWh costs, what is paid for one given back taken off.
    """

    charge: Decimal
    discharge: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a list does, or would do.

    Parameters
    ----------
    posted
        The list.
    keep
        Stays that keep the list which was offered when they began.
    get
        Stays that have begun and are billed by this one.
    expected
        How many cars the plans expect while it is offered.
    over
        Whose lists it stands over, the one that holds when it begins first.
    leaves
        The least that a kWh leaves in the first day; none where it is not known what one costs.
    """

    posted: PricesPosted
    keep: tuple[Kept, ...]
    get: tuple[Kept, ...]
    expected: int
    over: tuple[str, ...]
    leaves: Leaves | None


def tried(site: Site, actor: Actor, asked: Listing) -> Outcome:
    """What posting a list would do; nothing is done.

    Raises
    ------
    RefusedError
        With everything that is wrong with it.
    """
    now = site.now()
    begins_at = asked.begins_at or now
    if issues := [*_wrong(replace(asked, begins_at=begins_at), now, site)]:
        raise RefusedError(issues)
    order = asked.order or uuid.uuid4().hex
    said = Ordered(order, begins_at, asked.until, actor.who, asked.reason.strip())
    return _outcome(site, PricesPosted(f"prices|{said.order}", "", now, _list(asked), ordered=said))


async def post(site: Site, actor: Actor, asked: Listing) -> Outcome:
    """Post a list over the site's own, as an act.

    Raises
    ------
    RefusedError
        With everything that is wrong with it.
    """
    found = tried(site, actor, asked)
    await _hear(site, actor, "post prices", found.posted, asked.reason)
    return found


async def withdraw(site: Site, actor: Actor, posted: PricesPosted, reason: str) -> PricesPosted:
    """Take a list back: it is offered no more from now on; who has it keeps it.

    Raises
    ------
    RefusedError
        Where there is no reason.
    """
    if issues := [*_wrong_reason(reason)]:
        raise RefusedError(issues)
    said, now = posted.ordered, site.now()
    assert said is not None
    begins_at = min(said.begins_at, now)
    said = replace(said, begins_at=begins_at, until=now, by=actor.who, why=reason.strip())
    key = f"prices|{uuid.uuid4().hex}"
    taken_back = PricesPosted(key, "", now, posted.prices, ordered=said)
    await _hear(site, actor, "withdraw prices", taken_back, reason)
    return taken_back


async def _hear(site: Site, actor: Actor, verb: str, posted: PricesPosted, reason: str) -> None:
    """The act first, both in one commit: a list of somebody stands behind it in the log."""
    assert posted.ordered is not None
    what = posted.ordered.order
    # Named after it: what is sent twice is kept once.
    name = f"act|{posted.id}"
    act = Acted(name, "", posted.received_at, actor.who, verb, what, reason.strip())
    await site.hear(act, posted)


def departure_of(site: Site, session: Session) -> datetime | None:
    """When a stay said that it ends: the driver's word, or else the car's."""
    if session.wish is not None and session.wish.departure_at is not None:
        return session.wish.departure_at
    needs = site.books.needs.get((session.station, session.evse or 1))
    wanted = wanted_by_car(needs) if isinstance(needs, NeedsSaid) else None
    return None if wanted is None else wanted.departs_at


def _outcome(site: Site, posted: PricesPosted) -> Outcome:
    said, offered = posted.ordered, site.books.offered
    assert said is not None
    keep, get = list[Kept](), list[Kept]()
    for session in [it for each in site.books.running.values() for it in each.values()]:
        since, departs_at = session.plugged_in, departure_of(site, session)
        if said.holds(since):
            get.append(Kept(session.session, posted.prices.list_id, departs_at))
        else:
            keep.append(Kept(session.session, offered.at(since).prices.list_id, departs_at))
    arrivals = [it.arrives_at for plan in site.plans.values() for it in plan.outlook.stays]
    expected = sum(at is not None and said.holds(at) for at in arrivals)
    others = [
        it for it in offered.standing(said.begins_at) if it.ordered and _meet(it.ordered, said)
    ]
    over = dict.fromkeys(source_of(it) for it in (offered.at(said.begins_at), *others))
    leaves = _leaves(posted.prices, said.begins_at, site)
    return Outcome(posted, tuple(keep), tuple(get), expected, tuple(over), leaves)


def _meet(one: Ordered, other: Ordered) -> bool:
    """Whether both are offered at some time."""
    begins_at = max(one.begins_at, other.begins_at)
    return all(each.until is None or begins_at < each.until for each in (one, other))


def _list(asked: Listing) -> PriceList:
    charge, discharge = (tuple(map(Decimal, each)) for each in (asked.charge, asked.discharge))
    return named_list(PriceList("", MINUTES_OF_A_DAY // len(charge), charge, discharge))


def _issue(where: str, wrong: str, right: str) -> Issue:
    return Issue("", where, "", wrong, right)


def _wrong(asked: Listing, now: datetime, site: Site) -> Iterator[Issue]:
    begins_at = asked.begins_at or now
    columns = {"charge": asked.charge, "discharge": asked.discharge}
    counts, bad = {len(each) for each in columns.values()}, list[Issue]()
    for name, said in columns.items():
        for number, price in enumerate(said):
            if not _is_price(price):
                right = f"a price for a kWh, with at most {MOST_DIGITS} decimals"
                bad.append(_issue(f"{name}[{number}]", f"{price!r}", right))
    yield from bad
    fits = len(counts) == 1 and all(each and MINUTES_OF_A_DAY % each == 0 for each in counts)
    if not fits or max(counts) > MOST_SLOTS:
        many = f"{len(asked.charge)} prices to charge, {len(asked.discharge)} to discharge"
        right = "as many of one as of the other: 1, 24, 48 or 96, the slots of a day"
        yield _issue("charge, discharge", many, right)
    elif not bad:
        yield from _losses(_list(asked), begins_at, site)
    if not now <= begins_at <= now + LONGEST:
        right = f"now or later, within {LONGEST.days} days; what was offered before stays so"
        yield _issue("begins_at", begins_at.isoformat(), right)
    if asked.until is not None and asked.until <= begins_at:
        yield _issue("until", asked.until.isoformat(), f"after {begins_at.isoformat()}")
    yield from _wrong_reason(asked.reason)


def _wrong_reason(reason: str) -> Iterator[Issue]:
    for wrong in wrong_reason(reason):
        yield _issue("reason", f"{len(reason.strip())} characters", wrong)


def _is_price(said: str) -> bool:
    found = price_of(said)
    if found is None:
        return False
    exponent = found.as_tuple().exponent
    return isinstance(exponent, int) and -MOST_DIGITS <= exponent <= 0


def _costs(prices: PriceList, begins_at: datetime, site: Site) -> dict[int, list[Decimal]]:
    """What a kWh costs in the first day of a list, by its slots, as far as that is known."""
    costs: dict[int, list[Decimal]] = {}
    for k in range(SLOTS):
        start = quarter_of(begins_at) + k * QUARTER
        local, cost = start.astimezone(site.settings.zone), cost_at(site, start)
        if cost is not None:
            slot = (60 * local.hour + local.minute) // prices.slot_minutes
            costs.setdefault(slot, []).append(cost)
    return costs


def _leaves(prices: PriceList, begins_at: datetime, site: Site) -> Leaves | None:
    costs = _costs(prices, begins_at, site)
    if not costs:
        return None
    return Leaves(
        min(prices.charge[slot] - max(found) for slot, found in costs.items()),
        min(min(found) - prices.discharge[slot] for slot, found in costs.items()),
    )


def _losses(prices: PriceList, begins_at: datetime, site: Site) -> Iterator[Issue]:
    """Slots that leave less than ``least_margin`` of `[prices]` on a kWh, in their first day."""
    least = site.settings.least_margin
    if least is None:
        return
    for slot, found in sorted(_costs(prices, begins_at, site).items()):
        clock = f"{timedelta(minutes=slot * prices.slot_minutes)}"[:-3]
        if prices.charge[slot] - max(found) < least:
            right = f"at least {max(found) + least}: a kWh costs {max(found)} at {clock}"
            yield _issue(f"charge[{slot}]", f"{prices.charge[slot]}", right)
        if min(found) - prices.discharge[slot] < least:
            right = f"at most {min(found) - least}: a kWh costs {min(found)} at {clock}"
            yield _issue(f"discharge[{slot}]", f"{prices.discharge[slot]}", right)


def cost_at(site: Site, start: datetime) -> Decimal | None:
    """What a kWh costs then, or is taken to cost, as plans do; ``None`` where nothing says it."""
    settings = site.settings
    if settings.market is not None:
        price = site.books.purchase.at(start, settings.zone)
        if price is not None:
            return price + settings.market.added
    day = settings.planning.purchase
    local = start.astimezone(settings.zone)
    return day[(60 * local.hour + local.minute) * len(day) // MINUTES_OF_A_DAY] if day else None
