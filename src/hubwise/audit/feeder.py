"""The feeder: base load, hubs' draw, and a second power flow by another method."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.hubs import net_kw
from hubwise.audit.report import Check, agree
from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Index
from hubwise.grid import FeederState, power_flow_gauss, power_flow_phases
from hubwise.grid.topology import bus_rows

PowerFlow = Callable[[Feeder, Index, Array], FeederState]

POWER = 1e-6  # kW, where both sides are sums
FLOW_KW = 1e-3  # kW, between two power flows
VOLTAGE = 1e-6  # p.u., and shares of a rating


def second_power_flow(feeder: Feeder) -> tuple[str, PowerFlow]:
    """The method's name and the method: other equations than the plan's, and no library."""
    if feeder.phases is not None:
        return "Newton's method on the currents of phases", power_flow_phases
    return "fixed point on bus currents", power_flow_gauss


def flow_again(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> FeederState:
    """The second power flow of every slot; ``hub_kw`` has shape (hubs, slots) [kW]."""
    _, flow = second_power_flow(feeder)
    return flow(feeder, hub_bus, hub_kw)


def rounding_kw(feeder: Feeder) -> float:
    """What rounding alone may move the head by: all the more the less a branch impedes [kW].

    Power at the head is a voltage difference over an impedance; between voltages that hardly
    differ, over next to none, few of its digits are left.
    """
    impedance = np.hypot(feeder.r_ohm, feeder.x_ohm)
    kv = feeder.bus_kv[bus_rows(feeder, feeder.from_bus)]
    stiffest = float((1e3 * kv**2 / np.maximum(impedance, 1e-300)).max(initial=0.0))
    return 4.0 * float(np.finfo(float).eps) * stiffest


def check_feeder(evidence: Evidence, method: str, state: FeederState) -> Iterator[Check]:
    """What buses.parquet and feeder.parquet say, against ``state``, found by ``method``."""
    yield _loads(evidence)
    yield _voltages(evidence, method, state)
    yield _powers(evidence, method, state)
    yield _loadings(evidence, method, state)
    yield _lowest(evidence)


def _loads(evidence: Evidence) -> Check:
    feeder, buses = evidence.scenario.situation.feeder, evidence.buses
    hub_kw = np.zeros_like(feeder.base_kw)
    for bus, net in zip(evidence.scenario.situation.hubs.bus, net_kw(evidence), strict=True):
        hub_kw[feeder.bus == bus] += net
    return agree(
        "feeder: loads",
        "Base loads are the scenario's, and every hub draws what its vehicles and battery draw",
        {
            "buses.base_kw": (buses["base_kw"], feeder.base_kw),
            "buses.base_kvar": (buses["base_kvar"], feeder.base_kvar),
            "buses.hub_kw": (buses["hub_kw"], hub_kw),
        },
        evidence.buses_axes,
        POWER,
        advice="the power flow was made for other loads",
    )


def _voltages(evidence: Evidence, method: str, state: FeederState) -> Check:
    return agree(
        "feeder: voltages",
        f"Bus voltages are those of a second power flow ({method})",
        {"buses.voltage_pu": (evidence.buses["voltage_pu"], state.lowest_pu)},
        evidence.buses_axes,
        VOLTAGE,
        advice="run the power flow again for these loads",
    )


def _powers(evidence: Evidence, method: str, state: FeederState) -> Check:
    found = evidence.feeder
    return agree(
        "feeder: head and losses",
        f"Power at the head and losses are those of a second power flow ({method})",
        {
            "feeder.head_kw": (found["head_kw"], state.head_kw),
            "feeder.head_kvar": (found["head_kvar"], state.head_kvar),
            "feeder.losses_kw": (found["losses_kw"], state.losses_kw),
        },
        evidence.slots_axis,
        FLOW_KW,
        advice="run the power flow again for these loads",
    )


def _loadings(evidence: Evidence, method: str, state: FeederState) -> Check:
    found, limit = evidence.feeder, evidence.scenario.situation.feeder.conductor_limits
    return agree(
        "feeder: loadings",
        f"Branch and transformer loadings are those of a second power flow ({method})",
        {
            "feeder.max_branch_loading": (
                found["max_branch_loading"],
                (state.branch_loading / limit[:, None]).max(axis=0),
            ),
            "feeder.transformer_loading": (found["transformer_loading"], state.transformer_loading),
        },
        evidence.slots_axis,
        VOLTAGE,
        advice="run the power flow again for these loads",
    )


def _lowest(evidence: Evidence) -> Check:
    voltage, found = evidence.buses["voltage_pu"], evidence.feeder
    least = voltage.min(axis=0)
    first = np.where(np.isnan(voltage), np.inf, voltage).argmin(axis=0)
    bus = np.where(np.isnan(least), np.nan, evidence.scenario.situation.feeder.bus[first])
    return agree(
        "feeder: lowest voltage",
        "The lowest voltage, and the first bus that has it, are those of the bus table",
        {
            "feeder.min_voltage_pu": (found["min_voltage_pu"], least),
            "feeder.min_voltage_bus": (found["min_voltage_bus"], bus),
        },
        evidence.slots_axis,
        0.0,
        advice="feeder.parquet and buses.parquet are not of the same power flow",
    )
