"""G1, the feeder: where it is tight, when, and how it would be without the hubs.

Of hubs only sums are shown, of no car anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException

from hubwise.drawings import FeederPicture, draw_feeder, draw_strip, lay_out
from hubwise.live.feeder import FeederStates
from hubwise.live.feeder_ahead import FeederAhead
from hubwise.live.outlook import SLOTS
from hubwise.live.rights import Thing
from hubwise.web.asking import Here, check
from hubwise.web.feeder import NONE_TOLD, ahead_of
from hubwise.web.pages.templating import page, words_of
from hubwise.web.pages.who import Signed
from hubwise.web.words import Words

router = APIRouter(include_in_schema=False)
Slot = Annotated[int | None, Query(ge=0, lt=SLOTS)]
Shown = Literal["plan", "without"]


@router.get("/operator/feeder")
async def feeder(
    request: Request, here: Here, browser: Signed, slot: Slot = None, show: Shown = "plan"
) -> HTMLResponse:
    """The feeder at a quarter of an hour; at its tightest where none is asked for."""
    check(browser.actor, Thing("feeder"))
    found = await ahead_of(here)
    if found is None:
        raise HTTPException(404, NONE_TOLD)
    states = found.plan if show == "plan" else found.without
    view = View(found, states, words_of(request), tightest(found, states) if slot is None else slot)
    said = {"view": view, "show": show, "form": here.doors.form_token(browser.secret)}
    return page(request, "feeder.html", said, actor=browser.actor)


def tightest(found: FeederAhead, states: FeederStates) -> int:
    """The slot in which least is left to a limit: of voltage by the band, of loading by itself."""
    low, high = found.shape.band_pu
    half = (high - low) / 2.0

    def used(k: int) -> float:
        pu = states.voltage_pu[k]
        away = max(abs(each - (low + half)) for each in pu) / half
        return max(away, *states.loading[k], states.head_loading[k])

    return max(range(len(states.at)), key=used)


@dataclass(frozen=True, slots=True)
class View:
    """One quarter of an hour of the feeder, in words and pictures."""

    found: FeederAhead
    states: FeederStates
    words: Words
    slot: int

    @property
    def time(self) -> str:
        """When it is."""
        return self.words.moment(self.states.at[self.slot], self.states.at[0])

    @property
    def last(self) -> int:
        """The last slot that can be asked for."""
        return len(self.states.at) - 1

    @property
    def times(self) -> list[str]:
        """Of all slots."""
        return [self.words.moment(each, self.states.at[0]) for each in self.states.at]

    @property
    def lowest(self) -> str:
        """The lowest voltage, and where."""
        pu = self.states.voltage_pu[self.slot]
        bus = min(range(len(pu)), key=lambda each: pu[each])
        low, high = self.found.shape.band_pu
        return self.words.say(
            "%(pu)s p.u. at %(bus)s; between %(low)s and %(high)s is right",
            pu=self._share(pu[bus], 3), bus=self.found.shape.buses[bus],
            low=self._share(low, 2), high=self._share(high, 2),
        )  # fmt: skip

    @property
    def heaviest(self) -> str:
        """The branch that is loaded most, of its limit."""
        loading = self.states.loading[self.slot]
        branch = max(range(len(loading)), key=lambda each: loading[each])
        return self.words.say(
            "%(share)s of what %(branch)s may carry",
            share=self._percent(loading[branch]), branch=self.found.shape.branches[branch],
        )  # fmt: skip

    @property
    def head(self) -> str:
        """Power at the head, and the transformer's loading of its limit."""
        return self.words.say(
            "%(kw)s kW, %(share)s of what the substation may carry",
            kw=self.words.number(self.states.head_kw[self.slot], 0),
            share=self._percent(self.states.head_loading[self.slot]),
        )

    @property
    def broken(self) -> list[str]:
        """What is beyond a limit."""
        shape = self.found.shape
        low, high = shape.band_pu
        pu, loading = self.states.voltage_pu[self.slot], self.states.loading[self.slot]
        said = [
            self.words.say("%(bus)s: %(pu)s p.u.", bus=name, pu=self._share(each, 3))
            for name, each in zip(shape.buses, pu, strict=True)
            if not low <= each <= high
        ]
        said += [
            self.words.say("%(branch)s: %(share)s", branch=name, share=self._percent(each))
            for name, each in zip(shape.branches, loading, strict=True)
            if each > 1.0
        ]
        over = self.states.head_loading[self.slot]
        share = self._percent(over)
        return said + ([self.words.say("substation: %(share)s", share=share)] if over > 1.0 else [])

    @property
    def hubs(self) -> list[tuple[str, str, str]]:
        """Each hub, its bus, and what it draws."""
        shape, drawn = self.found.shape, self.states.hub_kw
        return [
            (hub, shape.buses[bus], f"{self.words.number(drawn[hub][self.slot], 0)} kW")
            for hub, bus in sorted(shape.hubs.items(), key=lambda it: it[1])
        ]

    @property
    def map(self) -> Markup:
        """The network as a one-line diagram."""
        shape = self.found.shape
        at: dict[int, list[str]] = {}
        for hub, bus in shape.hubs.items():
            at.setdefault(bus, []).append(hub)
        picture = FeederPicture(
            names=[name.removeprefix("bus ") for name in shape.buses],
            ends=shape.ends,
            hubs=at,
            voltage_pu=self.states.voltage_pu[self.slot],
            loading=self.states.loading[self.slot],
            band_pu=shape.band_pu,
        )
        layout = lay_out(len(shape.buses), shape.ends, shape.source)
        title = self.words.say("The feeder at %(time)s", time=self.time)
        return Markup(draw_feeder(picture, layout, title=title, at=self._at, through=self._through))

    @property
    def strip(self) -> Markup:
        """Voltages of all buses over the day, and where we are."""
        low, high = self.found.shape.band_pu
        title = self.words.say("Voltage of every bus, quarter by quarter")
        hours = [
            (k, self.words.time(each))
            for k, each in enumerate(self.states.at)
            if each.astimezone(self.words.zone).minute == 0
        ]
        drawn = draw_strip(
            list(zip(*self.states.voltage_pu, strict=True)), low, high, hours=hours[::3],
            at=self.slot, title=title,
        )  # fmt: skip
        return Markup(drawn)

    def _at(self, bus: int) -> str:
        pu = self._share(self.states.voltage_pu[self.slot][bus], 3)
        here = [hub for hub, at in self.found.shape.hubs.items() if at == bus]
        return ", ".join([self.found.shape.buses[bus], f"{pu} p.u.", *here])

    def _through(self, branch: int) -> str:
        share = self._percent(self.states.loading[self.slot][branch])
        return f"{self.found.shape.branches[branch]}, {share}"

    def _share(self, value: float, digits: int) -> str:
        return self.words.number(value, digits)

    def _percent(self, value: float) -> str:
        return f"{self.words.number(100.0 * value, 0)} %"
