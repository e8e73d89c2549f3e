"""Lists as operators propose them: read back as they are written, against a count by hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain.events import Acted, PriceList
from hubwise.live import Site
from hubwise.live.listing import Listing, post, tried
from hubwise.live.proposed import NotAListError, blocks_of, by_hours, by_margins, text_of
from hubwise.live.rights import Actor, Role
from hubwise.live.settings import Planning
from site_books import SETTINGS, T0, Memory, World

EVE = Actor(Role.OPERATOR, name="eve")
CENTS = tuple(Decimal(k) / 100 for k in range(24))
price = st.integers(-20, 20).map(lambda k: Decimal(k) / 100)


def site_of(**more: object) -> Site:
    return logged(**more).site


def logged(**more: object) -> Memory:
    log, world = Memory(), World()
    log.site = Site(replace(SETTINGS, **more), log, world, world)
    asyncio.run(log.site.post(log.site.settings.prices))
    world.at = T0 + timedelta(minutes=7)
    return log


@given(st.sampled_from([1, 24, 48, 96]), st.data())
@settings(max_examples=80, deadline=None)
def test_a_list_is_read_as_it_is_written(count, data) -> None:
    """At every quarter of an hour the same prices, in no more slots, and blocks that change."""
    sides = (tuple(data.draw(st.lists(price, min_size=count, max_size=count))) for _ in range(2))
    made = PriceList("", 1_440 // count, *sides)
    charge, discharge = by_hours(text_of(made).replace(".", data.draw(st.sampled_from(".,"))))
    assert len(charge) == len(discharge) <= count
    for k in range(96):
        read = charge[k * len(charge) // 96], discharge[k * len(charge) // 96]
        slot = k * count // 96
        assert tuple(map(Decimal, read)) == (made.charge[slot], made.discharge[slot])
    blocks = blocks_of(made)
    assert (blocks[0].begins, blocks[-1].ends) == (0, 1_440)
    for one, other in pairwise(blocks):
        assert one.ends == other.begins
        assert (one.charge, one.discharge) != (other.charge, other.discharge)


def test_all_that_is_wrong_with_lines_is_told_at_once() -> None:
    """Each by its line, with what would be right; blank lines are none."""
    text = (
        "01:00 0.3 0.2\n\n00:00 0.3 0.2\n00:20 0.3 0.2\n00:00 0.3 0.2\n12:00 much 1e9999 \n13:00\n"
    )
    with pytest.raises(NotAListError) as told:
        by_hours(text)
    assert [each.where for each in told.value.issues] == [
        "line 1", "line 4", "line 5", "line 6", "line 6", "line 7"
    ]  # fmt: skip
    assert all(each.right for each in told.value.issues)
    with pytest.raises(NotAListError, match="there is no price"):
        by_hours(" \n")


@given(st.integers(-5, 10), st.integers(-5, 10))
@settings(max_examples=30, deadline=None)
def test_by_margins_each_hour_is_its_cost_and_the_margin(more, less) -> None:
    """Hour by hour, and the dry run says the least that is left: those margins, found anew."""
    site = site_of(planning=Planning(purchase=CENTS), zone=ZoneInfo("Europe/Berlin"))
    more, less = Decimal(more) / 100, Decimal(less) / 100
    columns = by_margins(site, site.now(), f"{more}", f"{less}")
    assert [*map(Decimal, columns[0])] == [each + more for each in CENTS]
    assert [*map(Decimal, columns[1])] == [each - less for each in CENTS]
    found = tried(site, EVE, Listing(*columns, None, None, "a fair"))
    assert (found.leaves.charge, found.leaves.discharge) == (more, less)


def test_without_a_cost_there_are_no_margins() -> None:
    """That is told beside what else is wrong; a dry run then says nothing of what is left."""
    site = site_of(planning=Planning())
    with pytest.raises(NotAListError) as told:
        by_margins(site, site.now(), "much", "")
    assert [it.where for it in told.value.issues] == ["margin", "discharge_margin", "margins"]
    assert tried(site, EVE, Listing(("0.3",), ("0.2",), None, None, "a fair")).leaves is None


def test_what_is_sent_twice_under_a_name_is_posted_once() -> None:
    """One list and one act, though both are under way at a time."""
    log = logged()
    site = log.site
    asked = Listing(("0.3",), ("0.2",), None, site.now() + timedelta(hours=1), "a fair", "0" * 32)

    async def work() -> None:
        await asyncio.gather(post(site, EVE, asked), post(site, EVE, asked))

    asyncio.run(work())
    assert [*site.books.offered.ordered] == ["0" * 32]
    acts = [it for it in log.events if isinstance(it, Acted)]
    assert [(it.verb, it.what) for it in acts] == [("post prices", "0" * 32)]
