"""Hubs: sums of schedules, station batteries, solar, and what crosses the grid connection."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, Status, agree, judge, worst_of
from hubwise.audit.stays import shares_there
from hubwise.domain.arrays import Array

POWER = 1e-6  # kW
ENERGY = 1e-6  # kWh


def check_hubs(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """What hubs.parquet says, from schedule.parquet and the scenario."""
    yield _vehicles(evidence)
    yield _connection(evidence)
    yield _solar(evidence)
    yield _standby(evidence, conduct)
    if not conduct.has_stations:
        yield _idle(evidence)
    yield _battery_power(evidence)
    yield _battery_energy(evidence)
    yield _battery_range(evidence, conduct)
    yield from _connection_limits(evidence)


def net_kw(evidence: Evidence) -> Array:
    """Net draw of every hub, from schedule.parquet and the stations' columns; (hubs, slots)."""
    charge, discharge = _sums(evidence)
    hubs = evidence.hubs
    battery = hubs["battery_charge_kw"] - hubs["battery_discharge_kw"]
    net: Array = charge - discharge + battery - hubs["solar_kw"] + hubs["standby_kw"]
    return net


def _sums(evidence: Evidence) -> tuple[Array, Array]:
    """Charging and discharging of vehicles by hub and slot, added up in the tables."""
    tables = evidence.folder.tables
    sums = (
        tables["schedule"]
        .join(tables["sessions"].select("session", "hub"), on="session")
        .group_by("hub", "slot")
        .agg(pl.col("charge_kw", "discharge_kw").sum())
    )
    grid = tables["hubs"].select("hub", "slot")
    whole = grid.join(sums, on=["hub", "slot"], how="left", maintain_order="left").fill_null(0.0)
    shape = evidence.hubs["solar_kw"].shape
    return (
        whole["charge_kw"].to_numpy().reshape(shape),
        whole["discharge_kw"].to_numpy().reshape(shape),
    )


def _vehicles(evidence: Evidence) -> Check:
    charge, discharge = _sums(evidence)
    return agree(
        "hubs: vehicles",
        "Every hub's vehicle power is the sum of its sessions' schedules",
        {
            "hubs.ev_charge_kw": (evidence.hubs["ev_charge_kw"], charge),
            "hubs.ev_discharge_kw": (evidence.hubs["ev_discharge_kw"], discharge),
        },
        evidence.hubs_axes,
        POWER,
        advice="hubs.parquet and schedule.parquet are not of the same plan",
    )


def _connection(evidence: Evidence) -> Check:
    net = net_kw(evidence)
    return agree(
        "hubs: import and export",
        "Import and export are the hub's net draw: vehicles, battery, stand-by, less solar used",
        {
            "hubs.import_kw": (evidence.hubs["import_kw"], np.maximum(net, 0.0)),
            "hubs.export_kw": (evidence.hubs["export_kw"], np.maximum(-net, 0.0)),
        },
        evidence.hubs_axes,
        POWER,
        advice="the hub's power does not balance",
    )


def _standby(evidence: Evidence, conduct: Conduct) -> Check:
    """Of who was asked to take part and may discharge, session by session, where prices are posted.

    Whoever declines was asked, and its charger awake.
    """
    fleet, due = evidence.fleet, np.zeros_like(evidence.hubs["standby_kw"])
    there = shares_there(fleet, evidence.stay)
    if fleet.standby_kw is not None and conduct.posts_prices:
        asked = evidence.original.participating & (evidence.original.discharge_kw_max > 0.0)
        for i in np.flatnonzero(asked):
            due[fleet.hub[i]] += there[i] * fleet.standby_kw[i]
    return agree(
        "hubs: stand-by",
        "Two-way chargers draw their stand-by while a car that may discharge is there, no more",
        {"hubs.standby_kw": (evidence.hubs["standby_kw"], due)},
        evidence.hubs_axes,
        POWER,
        advice="the chargers' own draw is left out, or made up",
    )


def _solar(evidence: Evidence) -> Check:
    used = evidence.hubs["solar_kw"]
    excess = np.maximum(used - evidence.scenario.situation.hubs.solar_kw, -used)
    return judge(
        "hubs: solar",
        "No hub uses more solar power than there is",
        worst_of(excess, evidence.hubs_axes, "hubs.solar_kw"),
        POWER,
        advice="solar may be curtailed, never exceeded",
    )


def _idle(evidence: Evidence) -> Check:
    hubs = evidence.hubs
    return judge(
        "stations: idle",
        "This strategy has no station batteries: they stand idle",
        [
            worst_of(np.abs(hubs[name]), evidence.hubs_axes, f"hubs.{name}")
            for name in ("battery_charge_kw", "battery_discharge_kw")
        ],
        POWER,
        advice="only strategies with stations may use them",
    )


def _battery_power(evidence: Evidence) -> Check:
    hubs, axes = evidence.hubs, evidence.hubs_axes
    limit = evidence.scenario.situation.hubs.battery_kw[:, None]
    names = ("battery_charge_kw", "battery_discharge_kw")
    findings = [
        worst_of(np.maximum(hubs[name] - limit, -hubs[name]), axes, f"hubs.{name}")
        for name in names
    ]
    both = np.minimum(*(hubs[name] for name in names))
    return judge(
        "stations: power",
        "Station batteries stay within their power, and never charge and discharge in one slot",
        [*findings, worst_of(both, axes, "hubs, both directions:")],
        POWER,
        advice="the station's schedule cannot be run: dispatch again",
    )


def _battery_energy(evidence: Evidence) -> Check:
    hubs, place = evidence.hubs, evidence.scenario.situation.hubs
    put_in = hubs["battery_charge_kw"] * place.battery_charge_efficiency[:, None]
    drawn = hubs["battery_discharge_kw"] / place.battery_discharge_efficiency[:, None]
    before = np.hstack([place.battery_initial_kwh[:, None], hubs["battery_kwh"][:, :-1]])
    return agree(
        "stations: energy",
        "A station battery's energy changes by what is charged and discharged",
        {"hubs.battery_kwh": (hubs["battery_kwh"], before + evidence.hours * (put_in - drawn))},
        evidence.hubs_axes,
        ENERGY,
        advice="station powers and energies were not written by the same schedule",
    )


def _battery_range(evidence: Evidence, conduct: Conduct) -> Check:
    energy, place = evidence.hubs["battery_kwh"], evidence.scenario.situation.hubs
    outside = np.maximum(energy - place.battery_kwh[:, None], -energy)
    # Stations that stand idle cannot reach what is asked for.
    missing = (place.least_final_kwh - energy[:, -1]) * conduct.has_stations
    return judge(
        "stations: range",
        "Station batteries stay between empty and full, and end with what is asked for",
        [
            worst_of(outside, evidence.hubs_axes, "hubs.battery_kwh"),
            worst_of(missing, evidence.hubs_axes[:1], "hubs.battery_kwh at the end of"),
        ],
        ENERGY,
        advice="the station's schedule lives on energy that it does not have",
    )


def _connection_limits(evidence: Evidence) -> Iterator[Check]:
    hubs, place = evidence.hubs, evidence.scenario.situation.hubs
    limits = {"import_kw": place.import_limit_kw, "export_kw": place.export_limit_kw}
    most = np.broadcast_to(place.transformer_kva * place.transformer_limit, len(place))
    yield judge(
        "hubs: transformers",
        "No hub draws or sells more than its own transformer carries",
        [
            worst_of(hubs[name] - most[:, None], evidence.hubs_axes, f"hubs.{name}")
            for name in limits
        ],
        POWER,
        advice="put a larger transformer there, or let more drivers take part or delegate",
        otherwise=Status.MISSED,
    )
    yield judge(
        "hubs: connection limits",
        "No hub draws or sells more than its grid connection allows",
        [
            worst_of(hubs[name] - limit[:, None], evidence.hubs_axes, f"hubs.{name}")
            for name, limit in limits.items()
        ],
        POWER,
        advice="strengthen the connection, or let more drivers take part or delegate",
        otherwise=Status.MISSED,
    )
