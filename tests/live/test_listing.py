"""Price lists that operators post over the site's own: who is offered what, and what is refused."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.audit.books.money import accepted
from hubwise.domain.events import Acted, NeedsSaid, Phase, PriceList, PricesPosted
from hubwise.domain.lists import Ordered
from hubwise.live import Actor, Role, Site, read_settings
from hubwise.live.listing import Listing, RefusedError, post, tried, withdraw
from hubwise.live.offered import Offered, source_of
from hubwise.live.settings import Planning
from live_site import Served, event, here, make_site, sample
from site_books import SETTINGS, T0, Memory, World, said

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVE = Actor(Role.OPERATOR, name="eve")


def listed(name: str, at: int, order: tuple[str, int, int | None] | None) -> PricesPosted:
    """Posted so many minutes on, for from when to when."""
    made = PriceList(name, 1_440, (Decimal(1),), (Decimal(0),))
    if order is None:
        return PricesPosted(name, "", T0 + at * MINUTE, made)
    which, begins, until = order
    end = None if until is None else T0 + until * MINUTE
    how = Ordered(which, T0 + begins * MINUTE, end, "eve", "why")
    return PricesPosted(name, "", T0 + at * MINUTE, made, ordered=how)


@st.composite
def histories(draw) -> list[PricesPosted]:
    """Lists as time goes on: the site's own, orders for later or for now, and some taken back."""
    at, made, open_orders = 0, [listed("own", 0, None)], {}
    for number in range(draw(st.integers(0, 12))):
        at += draw(st.integers(0, 5))
        kind = draw(st.sampled_from(["own", "order", "back"]))
        if kind == "own":
            made.append(listed(f"own{number}", at, None))
        elif kind == "order":
            begins = at + draw(st.integers(0, 9))
            until = draw(st.none() | st.integers(begins + 1, begins + 20))
            open_orders[f"o{number}"] = begins, until
            made.append(listed(f"o{number}", at, (f"o{number}", begins, until)))
        elif open_orders:
            which = draw(st.sampled_from(sorted(open_orders)))
            begins, until = open_orders.pop(which)
            if until is None or until > at:
                made.append(listed(which, at, (which, min(begins, at), at)))
    return made


def painted(history: list[PricesPosted], minutes: int) -> list[str]:
    """Who is offered what in each minute, painted over it in the order of posting."""
    found = [history[0].prices.list_id] * minutes
    last = {it.ordered.order: it.ordered for it in history if it.ordered}
    for each in history:
        if each.ordered is None:
            begins = int((each.received_at - T0) / MINUTE)
            found[begins:] = [each.prices.list_id] * (minutes - begins)
    for how in last.values():
        begins = int((how.begins_at - T0) / MINUTE)
        end = minutes if how.until is None else min(int((how.until - T0) / MINUTE), minutes)
        found[begins:end] = [how.order] * max(end - begins, 0)
    return found


@given(histories())
@settings(max_examples=300, deadline=None)
def test_what_is_offered_is_what_was_posted_last_and_the_past_stays(history) -> None:
    """Minute by minute against lists painted over each other, the site's own beneath; the audit's
    own reading is the same; and nothing that comes later changes a minute that is over."""
    minutes, offered, before = 120, Offered(), list[str]()
    for number, posted in enumerate(history, start=1):
        offered.take(posted)
        found = [offered.at(T0 + k * MINUTE).prices.list_id for k in range(minutes)]
        assert found == painted(history[:number], minutes)
        over = int((posted.received_at - T0) / MINUTE)
        assert found[:over] == before[:over]
        before = found
    told = [
        {
            "received_at": each.received_at,
            "prices": {"list_id": each.prices.list_id},
            "ordered": each.ordered
            and {name: getattr(each.ordered, name) for name in ("order", "begins_at", "until")},
        }
        for each in history
    ]
    audited = [accepted(told, T0 + k * MINUTE)["list_id"] for k in range(minutes)]
    assert audited == before


def asked(charge="0.4", discharge="0.3", **more) -> Listing:
    given = {"begins_at": None, "until": None, "reason": "a fair", **more}
    return Listing((charge,) * 24, (discharge,) * 24, **given)


def site_of(**more: object) -> tuple[Site, World]:
    log, world = Memory(), World()
    log.site = Site(replace(SETTINGS, **more), log, world, world)
    return log.site, world


def test_who_plugged_in_keeps_the_list_and_who_comes_gets_the_new_one() -> None:
    """As it is tried, and as it is: one stay under way keeps its list to its end, with the
    departure that its car said; one that begins behind it has the new one."""
    site, world = site_of()

    async def work() -> None:
        await site.post(site.settings.prices)
        own = site.books.offered.own[0].prices.list_id
        await site.hear(said("S1", 0, Phase.STARTED, 0, 0))
        needs = '{"chargingNeeds": {"departureTime": "2026-03-02T18:00:00Z",'
        needs += ' "acChargingParameters": {"energyAmount": 9000}}}'
        await site.hear(NeedsSaid("n", "S1", T0, 1, needs))
        world.at = T0 + HOUR
        found = tried(site, EVE, asked())
        assert not site.books.offered.ordered
        assert [(it.session, it.price_list) for it in found.keep] == [("S1:T1", own)]
        assert found.keep[0].departs_at == datetime(2026, 3, 2, 18, tzinfo=UTC)
        assert (found.get, found.over) == ((), ("site.toml",))
        found = await post(site, EVE, asked(until=T0 + 5 * HOUR))
        await site.hear(said("S2", 0, Phase.STARTED, 61, 0))
        again = tried(site, EVE, asked(begins_at=T0 + 2 * HOUR))
        assert again.over == ("eve",)
        new = found.posted.prices.list_id
        assert {it.session: it.price_list for it in again.keep} == {"S1:T1": own, "S2:T1": new}
        await site.hear(said("S1", 1, Phase.ENDED, 120, 6))
        await site.hear(said("S2", 1, Phase.ENDED, 120, 6))
        for name, right in (("S1:T1", own), ("S2:T1", new)):
            account = await site.account(site.books.sessions[name])
            assert account.bill.price_list == right
        world.at = T0 + 3 * HOUR
        await withdraw(site, EVE, found.posted, "rained off")
        assert site.books.prices_at(world.at).list_id == own
        assert site.books.prices_at(T0 + 2 * HOUR).list_id == new

    asyncio.run(work())


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_posted() -> None:
    """Lengths, what is no price, times, the reason: each with its place, and what is right."""
    site, world = site_of()
    world.at = T0 + HOUR
    wrong = Listing(("0.3", "much", "NaN", "0.1234567", "1e99"), ("0.2",), T0, T0 - HOUR, " ")
    with pytest.raises(RefusedError) as told:
        asyncio.run(post(site, EVE, wrong))
    places = [each.where for each in told.value.issues]
    assert places == [
        *(f"charge[{k}]" for k in range(1, 5)), "charge, discharge", "begins_at", "until", "reason"
    ]  # fmt: skip
    assert all(each.right for each in told.value.issues)
    assert not site.books.offered.ordered


@given(
    st.lists(st.integers(-20, 60), min_size=24, max_size=24),
    st.lists(st.integers(-20, 60), min_size=24, max_size=24),
    st.integers(-10, 10),
)
@settings(max_examples=60, deadline=None)
def test_a_list_that_loses_money_is_refused_where_the_site_says_so(charge, discharge, least):
    """Each hour in which a kWh leaves less than least_margin is named, no other; and none where the
    site asks nothing."""
    cents = [Decimal(k) / 100 for k in range(24)]
    plan = Planning(purchase=tuple(cents))
    site, _ = site_of(planning=plan, least_margin=Decimal(least) / 100, zone=ZoneInfo("UTC"))
    columns = (tuple(f"{Decimal(each) / 100}" for each in side) for side in (charge, discharge))
    listing = Listing(*columns, None, None, "a fair")
    right = {f"charge[{k}]" for k in range(24) if charge[k] - k < least}
    right |= {f"discharge[{k}]" for k in range(24) if k - discharge[k] < least}
    free, _ = site_of(planning=plan)
    asyncio.run(free.post(free.settings.prices))
    assert tried(free, EVE, listing).posted.prices.charge[0] == Decimal(charge[0]) / 100
    asyncio.run(site.post(site.settings.prices))
    try:
        tried(site, EVE, listing)
        found = set()
    except RefusedError as error:
        found = {each.where for each in error.issues}
    assert found == right


def test_margins_below_the_least_are_a_mistake_of_the_site(tmp_path) -> None:
    """Of what the site itself says, too."""
    here("site", "new", tmp_path / "here")
    place = tmp_path / "here" / "site.toml"
    plain = place.read_text()
    place.write_text(plain.replace("[prices]", "[prices]\nleast_margin = 0.02"))
    assert read_settings(tmp_path / "here").least_margin == Decimal("0.02")
    more = "[prices]\nleast_margin = 0.02\nmargin = 0.01"
    place.write_text(plain.replace("[prices]", more) + '\n[market]\nfile = "prices.csv"\n')
    with pytest.raises(ValueError, match=r"prices\.margin: 0\.01; at least 0\.02"):
        read_settings(tmp_path / "here")


def ask(site: Served, verb: str, path: str, token: str = "", **more) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or site.token}"}
    url = f"{site.ready['http']}/api/v1{path}"
    return httpx.request(verb, url, headers=headers, timeout=20, **more)


def test_a_posted_list_outlives_a_start_and_what_site_toml_says(tmp_path) -> None:
    """Tried, posted, kept over a restart with another list in site.toml, billed, taken back; the
    audit derives each bill again, and drivers hear no operator's name."""
    site = make_site(tmp_path / "here", ["S1", "S2"]).start()
    here("driver", "add", site.folder, "ann")
    token = here("token", "create", site.folder, "--role", "driver", "--driver", "ann").strip()
    own = site.get("/prices").json()
    assert own["posted_by"] == "site.toml"
    body = {"charge": ["0.77"], "discharge": ["0.11"], "reason": "a fair"}
    found = ask(site, "POST", "/prices?try=1", json=body)
    assert (found.status_code, found.json()["tried"], found.json()["order"]) == (200, True, "")
    assert site.items("/prices/orders") == []
    assert site.get("/prices").json() == own
    bad = ask(site, "POST", "/prices", json={**body, "charge": ["x"] * 7})
    assert (bad.status_code, len(bad.json()["problems"])) == (422, 8)
    bad = ask(site, "POST", "/prices", json={"charge": ["0.7"], "reason": "a fair", "untill": None})
    assert bad.json()["problems"] == [
        {"where": "body/discharge", "wrong": "is missing"},
        {
            "where": "body/untill",
            "wrong": "is no key; keys are charge, discharge, begins_at, until, reason",
        },
    ]
    assert site.get("/prices").json() == own
    found = ask(site, "POST", "/prices", json=body)
    assert (found.status_code, found.json()["over"]) == (201, ["site.toml"])
    assert re.fullmatch("[0-9a-f]{32}", found.json()["price_list"])
    assert site.stop() == 0
    place = site.folder / "site.toml"
    text = place.read_text()
    for name, price in (("charge", "0.5"), ("discharge", "0.4")):
        text = re.sub(rf"(?s)\b{name} = \[.*?\]", f"{name} = [{price}]", text, count=1)
    place.write_text(text.replace("[hubs.main]", "[hubs.main]\ndemand_charge = 9.5"))
    site.start()
    assert read_settings(site.folder).prices.charge == (Decimal("0.5"),)
    said_now = site.get("/prices").json()
    assert (said_now["charge"], said_now["posted_by"]) == (["0.77"], "operator")
    assert ask(site, "GET", "/prices", token).json()["posted_by"] == "operator"
    told = here("status", site.folder)
    assert "prices in EUR/kWh: 0.77 to charge, 0.11 to discharge, by operator since 20" in told
    assert "so far, at 9.5 EUR/kW" in told
    assert f"0.000 kW in the highest quarter of an hour of {datetime.now(UTC):%Y-}" in told
    peak = site.items("/hubs")[0]["peak"]
    assert (peak["peak_kw"], peak["begins_at"], peak["demand_charge"]) == ("0.000", None, "9.5")

    async def stay(name: str) -> None:
        now = datetime.now(UTC)
        who = {"idToken": {"idToken": "TAG", "type": "ISO14443"}, "evse": {"id": 1}}
        async with site.station(name) as station:
            begun = event("Started", 0, now, [sample(1.0)], **who)
            await station.said("TransactionEvent", begun)
            ended = event("Ended", 1, now + MINUTE, [sample(1.05)])
            await station.said("TransactionEvent", ended)

    asyncio.run(stay("S1"))
    assert site.bill("S1")["price_list"] == said_now["price_list"]
    order = site.items("/prices/orders")[0]["order"]
    assert ask(site, "DELETE", f"/prices/orders/{order}?reason=over", token).status_code == 403
    assert ask(site, "DELETE", f"/prices/orders/{order}?reason=over").json()["items"] == []
    assert site.get("/prices").json()["charge"] == ["0.5"]
    asyncio.run(stay("S2"))
    assert site.bill("S2")["price_list"] == site.get("/prices").json()["price_list"]
    verbs = [each["verb"] for each in site.items("/acts") if each["what"] == order]
    assert verbs == ["post prices", "withdraw prices"]
    here("audit", site.folder)
    assert site.stop() == 0


def test_the_markets_list_goes_on_beneath_what_was_posted() -> None:
    """Lists of the site's own are posted all the while, and offered again when it ends."""
    site, world = site_of()

    async def work() -> None:
        await site.post(site.settings.prices)
        await post(site, EVE, asked(until=T0 + 2 * HOUR))
        world.at = T0 + HOUR
        other = PriceList("", 1_440, (Decimal("0.9"),), (Decimal("0.8"),))
        await site.post(other)
        found = [source_of(site.books.offered.at(T0 + k * HOUR)) for k in range(3)]
        assert found == ["eve", "eve", "site.toml"]
        assert site.books.prices_at(T0 + 2 * HOUR).charge == other.charge

    asyncio.run(work())
    acts = [each for each in site._log.events if isinstance(each, Acted)]
    assert [(each.who, each.verb, each.why) for each in acts] == [("eve", "post prices", "a fair")]
