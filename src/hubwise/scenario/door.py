"""The door: a folder or a packaged name in; a checked scenario out, or all that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import PCG64, Generator

from hubwise.domain import (
    Delegation,
    DeviceTies,
    Feeder,
    Fleet,
    Horizon,
    Hubs,
    Market,
    PriceRules,
    Promises,
    Scenario,
    Search,
    Situation,
    Terms,
)
from hubwise.domain.errors import Issue, ScenarioError, in_order
from hubwise.domain.scenario import NOTHING_KNOWN
from hubwise.scenario.arbitrage import (
    check_bounds,
    check_feed_in,
    pays_for_pumping,
    sold_by_somebody,
)
from hubwise.scenario.battery import read_battery, untested_conditions
from hubwise.scenario.chargers import with_least_powers
from hubwise.scenario.clock import read_horizon
from hubwise.scenario.draws import Draws, split_seed
from hubwise.scenario.files import PromisesSection, SearchSection
from hubwise.scenario.fuses import behind_fuses
from hubwise.scenario.hubs import read_hubs
from hubwise.scenario.identity import with_participation
from hubwise.scenario.market import clock_times, read_market, read_rules, read_terms
from hubwise.scenario.network import read_feeder
from hubwise.scenario.plugs import Plugs, build_plugs, check_plugs_known, plugged, read_plugs
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.sections import Sections, read_sections
from hubwise.scenario.sessions import build_fleet, build_hindsight, read_sessions
from hubwise.scenario.standby import with_chargers_standby
from hubwise.scenario.steps import check_step_of_all, with_steps
from hubwise.scenario.synthetic import draw_fleets
from hubwise.scenario.tables import Table
from hubwise.scenario.taper import short_of_tapers, tapered, with_curves
from hubwise.scenario.usual import unusual_prices, unusual_rules, unusual_sizes
from hubwise.scenario.wiring import check_places, refuse_one_phase, wired

PACKAGED = Path(__file__).parent / "data"


def load(source: str | Path, *, days: int | None = None) -> Scenario:
    """Read and check a scenario.

    Parameters
    ----------
    source
        Name of a packaged scenario, such as ``ieee33``, or path of a scenario's folder. With a
        seed behind it (``ieee33@7``), the same with another draw of its sessions (see `Draws`).
    days
        How many days the tables are to be read for, where that is more than the scenario says.

    Raises
    ------
    ScenarioError
        With every problem found, where there is any.
    """
    found = load_draws(source, days=days)
    _, seed = _parts(source)
    return found.scenario if seed is None else found.draw(seed)


def load_draws(source: str | Path, *, days: int | None = None) -> Draws:
    """A scenario, and all other draws of its sessions; a seed behind its name is not used.

    Raises
    ------
    ScenarioError
        With every problem found, where there is any.
    """
    found, issues = _read(_parts(source)[0], days or 1)
    if found is None or issues:
        raise ScenarioError(issues)
    return found


def check(source: str | Path) -> tuple[Issue, ...]:
    """Everything that is wrong with a scenario; nothing where ``load`` would read it."""
    try:
        load(source)
    except ScenarioError as error:
        return error.issues
    return ()


def packaged() -> tuple[str, ...]:
    """Names of the scenarios that ship with Hubwise."""
    return tuple(sorted(toml.parent.name for toml in PACKAGED.glob(f"*/{TOML}")))


def _parts(source: str | Path) -> tuple[str, int | None]:
    """The scenario that is named, and the seed behind its name."""
    return (str(source), None) if Path(source).is_dir() else split_seed(str(source))


def _read(source: str, days: int) -> tuple[Draws | None, tuple[Issue, ...]]:
    ships = source in packaged()
    folder = PACKAGED / source if ships else Path(source)
    if not folder.is_dir():
        right = f"give a folder that holds {TOML}, or one of: {', '.join(packaged())}"
        return None, (Issue(source, "", "", "is not a scenario", right),)
    reader = Reader(folder, enclosed=True)
    scenario = _read_folder(reader, source if ships else str(folder.resolve()), days)
    return scenario, in_order(reader.issues)


def _read_plugs(sections: Sections, table: Table | None, reader: Reader) -> Table | None:
    """The table of plugs, with what sessions and plugs say of each other checked."""
    plugs = read_plugs(sections, reader)
    check_plugs_known(sections.known_hubs(), table, plugs, reader)
    check_places(sections, table, plugs, reader)
    return plugs


def _read_folder(reader: Reader, source: str, days: int) -> Draws | None:
    """The scenario, or nothing where anything is wrong; every reader notes its own mistakes."""
    raw = reader.toml()
    if raw is None:
        return None
    sections = read_sections(raw, reader)
    horizon = read_horizon(sections.horizon, reader, days=days) if sections.horizon else None
    network = read_feeder(sections, horizon, reader)
    hubs = read_hubs(sections, network.place, horizon, reader)
    market, said = read_market(sections, horizon, reader)
    rules = read_rules(sections, market, horizon, reader)
    table = read_sessions(sections, horizon, reader)
    _check_chargers(sections, table, days, reader)
    plug_table = _read_plugs(sections, table, reader)
    head, search, feeder = sections.head, sections.search, network.feeder
    if reader.issues or not (head and search and horizon and feeder and hubs and market and rules):
        return None

    rng = Generator(PCG64(search.seed))
    fleet = _fleet(sections, table, hubs, horizon, rng)
    promised = Promises(**(sections.promises or PromisesSection()).model_dump())
    known = NOTHING_KNOWN if table is None else build_hindsight(table, fleet, horizon)
    plugs = build_plugs(sections, plug_table)
    fleet, waits = _plugged(fleet, plugs, table, horizon)
    fleet, stepped = with_steps(fleet, sections.chargers, table, plugs, reader)
    fleet, assumed = _wired(fleet, (hubs, feeder), table, plugs, reader)
    battery = read_battery(sections.battery, head.currency, fleet, reader)
    reader.issues.extend(check_bounds(rules, fleet, hubs, horizon, file=TOML))
    reader.issues.extend(check_feed_in(market, fleet, hubs, horizon, file=TOML))
    if reader.issues:
        return None
    there = (*waits, *stepped, *assumed, *short_of_tapers(fleet, horizon))
    as_told = fleet
    fleet, shared = _behind_fuses(fleet, hubs, horizon, sections, days)
    market, terms, felt = _felt(market, sections, fleet, hubs, horizon)
    unusual = _unusual(market, rules, promised, as_told, hubs, feeder, sections, horizon)
    unusual += untested_conditions(battery, fleet)
    scenario = Scenario(
        name=head.name,
        source=source,
        situation=Situation(
            horizon=horizon,
            feeder=feeder,
            hubs=hubs,
            fleet=fleet,
            market=replace(market, currency=head.currency),
            rules=rules,
            promises=promised,
            battery=battery,
            terms=terms,
        ),
        participation_order=tuple(rng.permutation(len(fleet)).tolist()),
        participation=head.participation,
        search=_search(search, sections),
        assumptions=tuple(head.assumptions),
        sources=tuple(head.sources),
        notes=(*head.notes, *said, *network.notes, *there, *shared, *felt, *unusual),
        hindsight=known,
        delegation=Delegation(head.delegating, DeviceTies(head.device_ties), search.seed),
    )
    return Draws(with_participation(scenario, head.participation), sections.fleet)


def _search(asked: SearchSection, sections: Sections) -> Search:
    rounds = sections.chargers is not None and sections.chargers.round
    return Search(asked.method, asked.evaluations, asked.seed, asked.boxes, rounds)


def _check_chargers(sections: Sections, table: Table | None, days: int, reader: Reader) -> None:
    """Steps fit powers; and only one day is rounded.

    Several days are planned one by one, and a stay over midnight is credited in none.
    """
    check_step_of_all(sections.chargers, table, reader)
    rounds = sections.chargers is not None and sections.chargers.round
    if rounds and not _one_day(sections, days):
        wrong = "asks for rounding on several days"
        reader.wrong(TOML, "chargers", "round", wrong, "round one day, or leave it out")


def _one_day(sections: Sections, days: int) -> bool:
    return days == 1 and sections.horizon is not None and sections.horizon.days == 1


def _unusual(
    market: Market,
    rules: PriceRules,
    promised: Promises,
    fleet: Fleet,
    hubs: Hubs,
    feeder: Feeder,
    sections: Sections,
    horizon: Horizon,
) -> tuple[str, ...]:
    """What is hardly ever meant, in sentences."""
    fee = 0.0 if sections.prices is None else sections.prices.service_fee
    currency = "" if sections.head is None else sections.head.currency
    several = len(horizon.day_edges()) > 2
    told = None if sections.feeder is None else feeder
    return (
        *unusual_prices(market, fee, currency, several=several),
        *unusual_rules(rules, promised, currency),
        *unusual_sizes(fleet, hubs, told, currency),
    )


def _wired(
    fleet: Fleet,
    to: tuple[Hubs, Feeder],
    table: Table | None,
    plugs: Plugs | None,
    reader: Reader,
) -> tuple[Fleet, tuple[str, ...]]:
    """The fleet at its circuits and phases, and what was assumed."""
    hubs, feeder = to
    fleet, assumed = wired(fleet, hubs, table, plugs, by_phase=feeder.phases is not None)
    refuse_one_phase(fleet, hubs, feeder, reader)
    return fleet, assumed


def _plugged(
    fleet: Fleet, plugs: Plugs | None, table: Table | None, horizon: Horizon
) -> tuple[Fleet, tuple[str, ...]]:
    """The stays that get a plug, where plugs are told of."""
    if plugs is None:
        return fleet, ()
    wanted = [None] * len(fleet) if table is None else table["plug"]
    return plugged(fleet, plugs, wanted, horizon)


def _behind_fuses(
    fleet: Fleet, hubs: Hubs, horizon: Horizon, sections: Sections, days: int
) -> tuple[Fleet, tuple[str, ...]]:
    """What curves and connections allow on one day; many days are seen to day by day."""
    if not _one_day(sections, days):
        return fleet, ()
    return behind_fuses(tapered(fleet, horizon), hubs, horizon)


def _felt(
    market: Market, sections: Sections, fleet: Fleet, hubs: Hubs, horizon: Horizon
) -> tuple[Market, Terms, tuple[str, ...]]:
    """The market as it is felt, the terms beside it, and what is to be noted of selling."""
    assert sections.prices is not None, "there is a market"
    terms = read_terms(sections.prices, horizon)
    market, above = _sold_above(market, fleet, hubs, horizon)
    return market, terms, (*above, *_pumped(market, terms, fleet, horizon))


def _sold_above(
    market: Market, fleet: Fleet, hubs: Hubs, horizon: Horizon
) -> tuple[Market, tuple[str, ...]]:
    """The market, feed-in at most the purchase price where nobody sells; and what is to be noted.

    What is sold by nobody brings nothing at any price.
    """
    if not market.sells_above:
        return market, ()
    sold = sold_by_somebody(fleet, hubs, horizon)
    market = replace(
        market,
        feed_in_price=np.where(
            sold, market.feed_in_price, np.minimum(market.feed_in_price, market.purchase_price)
        ),
    )
    if not market.sells_above:
        return market, ()
    when = clock_times(horizon, market.feed_in_price > market.purchase_price)
    return market, (
        f"Feed-in is above the purchase price at {when}, where something can be sold: dispatch is "
        "then good and not proven best, and no bound on profit is told.",
    )


def _pumped(market: Market, terms: Terms, fleet: Fleet, horizon: Horizon) -> tuple[str, ...]:
    """What is to be noted of an incentive that pays for buying and selling alone."""
    pays, cars = pays_for_pumping(market, terms, fleet, horizon)
    if not cars:
        return ()
    two_way = int((fleet.discharge_kw_max > 0.0).sum())
    return (
        f"The incentive pays for pumping at {clock_times(horizon, pays)}: for {cars:,} of "
        f"{two_way:,} two-way cars a kWh discharged brings more than buying it back, losses and "
        "wear together. A plan tells its profit without the incentive as well.",
    )


def _fleet(
    sections: Sections, table: Table | None, hubs: Hubs, horizon: Horizon, rng: Generator
) -> Fleet:
    """The sessions of a table, or drawn, with the least powers and energies asked for."""
    if table is not None:
        fleet, curves = build_fleet(table, hubs.name, horizon), table["taper"]
    else:
        assert sections.fleet is not None, "read_sections notes it where there is neither"
        fleet = draw_fleets(sections.fleet, len(hubs), horizon, rng)
        curves = [sections.fleet.taper] * len(fleet)
    fleet = with_curves(fleet, curves, sections.raw)
    fleet = with_least_powers(fleet, [hub for _, hub in sections.hubs], table)
    fleet = with_chargers_standby(fleet, [hub for _, hub in sections.hubs])
    equal = sections.promises is not None and sections.promises.equal_energy
    return fleet.leaving_no_less() if equal else fleet
