"""A plan as tables: the columns of the plan folder, which are a public contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import polars as pl

from hubwise.domain import PHASES, Fleet, Hubs, Scenario, Schedule, StationSchedule, Tariff
from hubwise.domain.arrays import Index
from hubwise.grid import FeederState
from hubwise.ledger import Bills, hub_flows
from hubwise.record.model import Record
from hubwise.record.wishes import Wishes

_TEXT, _COUNT, _NUMBER, _FLAG = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
_MOMENT = pl.Datetime("us", "UTC")


def _columns(kind: pl.DataType, names: str) -> dict[str, pl.DataType]:
    return dict.fromkeys(names.split(), kind)


TABLES: Mapping[str, Mapping[str, pl.DataType]] = {
    "prices": {
        "hub": _TEXT,
        "slot": _COUNT,
        "start_utc": _MOMENT,
        **_columns(_NUMBER, "charge_price discharge_price"),
    },
    "sessions": {
        **_columns(_TEXT, "session driver hub"),
        **_columns(_COUNT, "arrival_slot departure_slot"),
        **_columns(_NUMBER, "capacity_kwh arrival_kwh required_kwh reserve_kwh max_kwh"),
        **_columns(_NUMBER, "charge_kw_max discharge_kw_max"),
        **_columns(_NUMBER, "charge_efficiency discharge_efficiency"),
        **_columns(_NUMBER, "wear_cost discharge_limit_kwh"),
        "chemistry": _TEXT,
        "participating": _FLAG,
        "actual_departure_slot": _COUNT,
        "surplus_value": _NUMBER,
        **_columns(_NUMBER, "temperature_c age_years throughput_kwh warranty_kwh"),
        **_columns(_NUMBER, "driving_kwh_per_day fade_limit_per_year minimum_saving"),
        "never_discharge": _FLAG,
        "plug": _TEXT,
        **_columns(_NUMBER, "asked_kwh charge_kw_min discharge_kw_min"),
        "delegating": _FLAG,
        **_columns(_TEXT, "circuit phase taper"),
        **_columns(_MOMENT, "arrival_utc departure_utc"),
        **_columns(_NUMBER, "step_kw starts_max"),
    },
    "schedule": {
        "session": _TEXT,
        "slot": _COUNT,
        **_columns(_NUMBER, "charge_kw discharge_kw energy_kwh"),
    },
    "hubs": {
        "hub": _TEXT,
        "slot": _COUNT,
        **_columns(_NUMBER, "ev_charge_kw ev_discharge_kw battery_charge_kw battery_discharge_kw"),
        **_columns(_NUMBER, "battery_kwh solar_kw import_kw export_kw standby_kw"),
    },
    "buses": {
        **_columns(_COUNT, "bus slot"),
        **_columns(_NUMBER, "base_kw base_kvar hub_kw voltage_pu"),
    },
    "feeder": {
        "slot": _COUNT,
        **_columns(_NUMBER, "head_kw head_kvar losses_kw min_voltage_pu"),
        "min_voltage_bus": _COUNT,
        **_columns(_NUMBER, "max_branch_loading transformer_loading"),
    },
    "ageing": {
        **_columns(_TEXT, "session driver chemistry"),
        **_columns(_NUMBER, "temperature_c"),
        **_columns(_NUMBER, "equivalent_full_cycles_driving equivalent_full_cycles_v2g"),
        **_columns(_NUMBER, "fade_driving fade_v2g wear_linear wear_nonlinear"),
        **_columns(_NUMBER, "warranty_used earned_share"),
    },
    "bills": {
        **_columns(_TEXT, "driver session"),
        **_columns(_NUMBER, "charged_kwh discharged_kwh paid earned wear net_cost"),
        **_columns(_NUMBER, "reference_cost saving best_response_cost regret received credited"),
    },
    "wishes": {
        **_columns(_TEXT, "session driver wish told"),
        **_columns(_NUMBER, "asked given"),
        "honoured": _FLAG,
    },
}
"""Columns of every table, in order, and their types; the names are the files' stems."""

_STAYS = {
    "session": _TEXT,
    **_columns(_NUMBER, "energy_kwh at_once_kwh drawn_kwh net_cost reference_cost"),
    "participating": _FLAG,
    "kept": _COUNT,
}
_LISTS = {**_columns(_COUNT, "list slot"), **_columns(_NUMBER, "charge_price discharge_price")}

OPTIONAL_TABLES: dict[str, dict[str, pl.DataType]] = {
    "carried": _STAYS,
    "carried_lists": _LISTS,
    "left": _STAYS,
    "left_lists": _LISTS,
    "day": {
        **_columns(_TEXT, "month session driver"),
        "participating": _FLAG,
        **_columns(_NUMBER, "charged_kwh discharged_kwh paid earned wear net_cost"),
        **_columns(_NUMBER, "reference_cost saving received"),
    },
    "circuits": {
        **_columns(_TEXT, "hub circuit phase"),
        "slot": _COUNT,
        **_columns(_NUMBER, "kw limit_kw"),
    },
    "phases": {
        "bus": _COUNT,
        "phase": _TEXT,
        "slot": _COUNT,
        **_columns(_NUMBER, "base_kw base_kvar hub_kw voltage_pu unbalance"),
    },
    "futures": {
        "draw": _TEXT,
        **_columns(_NUMBER, "profit cost cost_ratio peak_valley_ratio profit_if_known"),
        **_columns(_NUMBER, "profit_of_one_draw cost_of_one_draw cost_ratio_of_one_draw"),
        **_columns(_NUMBER, "peak_valley_ratio_of_one_draw"),
    },
}
"""The same of tables that a folder holds where its summary has a key of that name."""


def make_tables(plan: Record) -> dict[str, pl.DataFrame]:
    """Every table of `TABLES`, by name.

    Rows go by hub, session or bus in the scenario's order, then by slot. ``schedule`` has a row
    for every slot of every stay, and only those. What a power flow did not find is null.
    """
    scenario = plan.scenario
    return {
        "prices": _prices(scenario, plan.tariff),
        "sessions": _sessions(scenario),
        "schedule": _schedule(scenario, plan.schedule),
        "hubs": _hubs(scenario, plan.schedule, plan.stations),
        "buses": _buses(scenario, plan.schedule, plan.stations, plan.state),
        "feeder": _feeder(scenario, plan.state),
        "ageing": _ageing(plan),
        "bills": _bills(plan.bills),
        "wishes": _wishes(plan.wishes),
    }


def _table(name: str, columns: Mapping[str, object]) -> pl.DataFrame:
    """A table of the contract; NaN becomes null."""
    schema = TABLES[name]
    return pl.DataFrame({c: columns[c] for c in schema}, schema=schema, nan_to_null=True)


def _grid(rows: int, slots: int) -> tuple[Index, Index]:
    """Row and slot of every cell of a (rows, slots) array, row by row."""
    return np.repeat(np.arange(rows), slots), np.tile(np.arange(slots), rows)


def _hub_names(hubs: Hubs, index: Index) -> list[str]:
    return [hubs.name[k] for k in index]


def _prices(scenario: Scenario, tariff: Tariff) -> pl.DataFrame:
    """What the hubs post; lists that were accepted before are the scenario's."""
    hubs = len(scenario.situation.hubs)
    hub, slot = _grid(hubs, scenario.situation.horizon.slots)
    return _table(
        "prices",
        {
            "hub": _hub_names(scenario.situation.hubs, hub),
            "slot": slot,
            "start_utc": scenario.situation.horizon.starts_utc() * hubs,
            "charge_price": tariff.charge_price[:hubs].ravel(),
            "discharge_price": tariff.discharge_price[:hubs].ravel(),
        },
    )


def _sessions(scenario: Scenario) -> pl.DataFrame:
    fleet = scenario.situation.fleet
    hubs = _hub_names(scenario.situation.hubs, fleet.hub)
    horizon = scenario.situation.horizon
    elsewhere = {
        "driver": fleet.driver_name.tolist(),
        "arrival_utc": [horizon.moment(slot) for slot in fleet.begins],
        "departure_utc": [horizon.moment(slot) for slot in fleet.ends],
        "actual_departure_slot": scenario.hindsight.departures(fleet),
        "session": fleet.session.tolist(),
        "chemistry": fleet.chemistry.tolist(),
        "hub": hubs,
        **seldom_told(fleet, scenario.situation.hubs),
    }
    names = [name for name in TABLES["sessions"] if name not in elsewhere]
    return _table("sessions", {name: getattr(fleet, name) for name in names} | elsewhere)


def seldom_told(fleet: Fleet, hubs: Hubs) -> dict[str, list[float] | list[str] | list[bool]]:
    """Columns of sessions that are seldom told, as they hold where they are not."""
    circuits = ("",) if hubs.circuits is None else (*hubs.circuits.name, "")
    where = np.full(len(fleet), -1) if fleet.circuit is None else fleet.circuit
    return {
        "asked_kwh": fleet.wished_kwh.tolist(),
        "charge_kw_min": fleet.least_charge_kw.tolist(),
        "discharge_kw_min": fleet.least_discharge_kw.tolist(),
        "step_kw": fleet.steps_kw.tolist(),
        "starts_max": fleet.most_starts.tolist(),
        "delegating": (fleet.participating & fleet.delegates).tolist(),
        "taper": [""] * len(fleet) if fleet.taper is None else fleet.taper.name.tolist(),
        "plug": [""] * len(fleet) if fleet.plug is None else fleet.plug.tolist(),
        "circuit": [circuits[k] for k in where],
        "phase": [""] * len(fleet)
        if fleet.phase is None
        else ["" if k == 0 else PHASES[k - 1] for k in fleet.phase],
    }


def _schedule(scenario: Scenario, schedule: Schedule) -> pl.DataFrame:
    fleet = scenario.situation.fleet
    row, slot = _grid(len(fleet), scenario.situation.horizon.slots)
    stay = (slot >= fleet.arrival_slot[row]) & (slot < fleet.departure_slot[row])
    row, slot = row[stay], slot[stay]
    return _table(
        "schedule",
        {
            "session": fleet.session[row].tolist(),
            "slot": slot,
            "charge_kw": schedule.charge_kw[row, slot],
            "discharge_kw": schedule.discharge_kw[row, slot],
            "energy_kwh": schedule.energy_kwh[row, slot],
        },
    )


def _hubs(scenario: Scenario, schedule: Schedule, stations: StationSchedule) -> pl.DataFrame:
    flows = hub_flows(len(scenario.situation.hubs), scenario.situation.fleet, schedule, stations)
    hub, slot = _grid(len(scenario.situation.hubs), scenario.situation.horizon.slots)
    powers = {
        name: getattr(flows, name).ravel() for name in TABLES["hubs"] if name not in ("hub", "slot")
    }
    return _table("hubs", {"hub": _hub_names(scenario.situation.hubs, hub), "slot": slot, **powers})


def _buses(
    scenario: Scenario, schedule: Schedule, stations: StationSchedule, state: FeederState
) -> pl.DataFrame:
    feeder, slots = scenario.situation.feeder, scenario.situation.horizon.slots
    flows = hub_flows(len(scenario.situation.hubs), scenario.situation.fleet, schedule, stations)
    rows = {int(bus): k for k, bus in enumerate(feeder.bus)}
    hub_kw = np.zeros((len(feeder.bus), slots))
    np.add.at(hub_kw, [rows[int(bus)] for bus in scenario.situation.hubs.bus], flows.net_kw)
    bus, slot = _grid(len(feeder.bus), slots)
    return _table(
        "buses",
        {
            "bus": feeder.bus[bus],
            "slot": slot,
            "base_kw": feeder.base_kw.ravel(),
            "base_kvar": feeder.base_kvar.ravel(),
            "hub_kw": hub_kw.ravel(),
            "voltage_pu": state.lowest_pu.ravel(),
        },
    )


def _feeder(scenario: Scenario, state: FeederState) -> pl.DataFrame:
    lowest = np.where(np.isnan(state.lowest_pu), np.inf, state.lowest_pu).argmin(axis=0)
    lowest_bus = [
        int(scenario.situation.feeder.bus[k]) if found else None
        for k, found in zip(lowest, state.converged, strict=True)
    ]
    return _table(
        "feeder",
        {
            "slot": np.arange(scenario.situation.horizon.slots),
            "head_kw": state.head_kw,
            "head_kvar": state.head_kvar,
            "losses_kw": state.losses_kw,
            "min_voltage_pu": state.lowest_pu.min(axis=0),
            "min_voltage_bus": lowest_bus,
            "max_branch_loading": (
                state.branch_loading / scenario.situation.feeder.conductor_limits[:, None]
            ).max(axis=0),
            "transformer_loading": state.transformer_loading,
        },
    )


def _ageing(plan: Record) -> pl.DataFrame:
    aged, bills = plan.ageing, plan.bills
    columns = {f.name: getattr(aged, f.name) for f in fields(aged)}
    texts = {name: columns[name].tolist() for name in ("session", "driver", "chemistry")}
    share = np.divide(bills.earned, bills.paid, np.zeros(len(bills.paid)), where=bills.paid > 0.0)
    linear = plan.asked.situation.fleet.wear_cost * aged.drawn_kwh
    return _table("ageing", {**columns, **texts, "wear_linear": linear, "earned_share": share})


def _bills(bills: Bills) -> pl.DataFrame:
    columns = {f.name: getattr(bills, f.name) for f in fields(bills)}
    texts = {name: columns[name].tolist() for name in ("session", "driver")}
    return _table("bills", {**columns, **texts})


def _wishes(wishes: Wishes) -> pl.DataFrame:
    columns = {f.name: getattr(wishes, f.name) for f in fields(wishes) if f.name != "notice"}
    texts = {name: columns[name].tolist() for name in ("session", "driver", "wish")}
    return _table("wishes", {**columns, **texts, "told": wishes.notice})
