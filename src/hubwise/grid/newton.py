"""AC power flow of every slot in one batch, by power-grid-model.

Source of the method: Newton-Raphson in bus voltages, as implemented by power-grid-model (LF
Energy), https://power-grid-model.readthedocs.io. The transformer at the head is a rating only:
the head's voltage is held.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from power_grid_model import LoadGenType, PowerGridModel, initialize_array

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Index
from hubwise.grid.state import FeederState, feeder_state
from hubwise.grid.topology import bus_load_kw, bus_rows, check_fed

# power-grid-model puts an impedance u²/sk behind every source. At its own default (1e10 VA) the
# voltages of a 12.66 kV feeder are 3e-4 p.u. off; from 1e18 VA on the head is held to rounding.
SHORT_CIRCUIT_VA = 1e20
# So many networks stay built: a running hub asks for the same ones all day.
KEPT = 16
# What a network is built from.
_COLUMNS = (
    "bus", "bus_kv", "from_bus", "to_bus", "r_ohm", "x_ohm", "g_siemens", "b_siemens", "ratio",
    "shift_degrees", "shunt_kw", "shunt_kvar", "source_bus", "source_voltage_pu",
)  # fmt: skip

_OUTPUT: dict[Any, Any] = {
    "node": ["u_pu"],
    "generic_branch": ["p_from", "p_to", "i_from", "i_to"],
    "source": ["p", "q"],
}


class PowerFlow:
    """A feeder prepared once and solved many times, with other loads each time.

    Parameters
    ----------
    feeder
        Network, limits and base load; radial or meshed.

    Raises
    ------
    ValueError
        If a bus has no path to the source.
    """

    def __init__(self, feeder: Feeder) -> None:
        """Build the network that all solutions share."""
        self.feeder = feeder
        self._squared = _has_squared(feeder)
        self._model = _model(_Wires(feeder, self._squared)).copy()

    def __call__(self, hub_bus: Index, hub_kw: Array) -> FeederState:
        """The state with hubs added to the base load.

        Parameters
        ----------
        hub_bus
            Bus number of every hub; shape (hubs,).
        hub_kw
            Net draw of every hub at unity power factor, import positive; shape (hubs, slots) [kW].

        Raises
        ------
        ValueError
            If a hub is at an unknown bus, a shape does not fit, or a power is not finite.
        """
        load_kw = bus_load_kw(self.feeder, hub_bus, hub_kw)
        return self.solve(load_kw, self.feeder.base_kvar)

    def solve(self, load_kw: Array, load_kvar: Array, repeats: int = 1) -> FeederState:
        """The state under given loads, one case a column; both of shape (buses, cases) [kW, kvar].

        The cases are the feeder's slots, ``repeats`` times over: what is drawn in proportion to the
        squared voltage is that of the slot.

        Raises
        ------
        ValueError
            If a power is not finite.
        """
        if not (np.isfinite(load_kw).all() and np.isfinite(load_kvar).all()):
            raise ValueError("loads must be finite")  # the library reads NaN as "leave unchanged"
        if self._squared:
            more_kw, more_kvar = self.feeder.squared
            load_kw = np.concatenate([load_kw, np.tile(more_kw, repeats)])
            load_kvar = np.concatenate([load_kvar, np.tile(more_kvar, repeats)])
        update = {"sym_load": {"p_specified": _watts(load_kw), "q_specified": _watts(load_kvar)}}
        output: Any = self._model.calculate_power_flow(
            update_data=update, output_component_types=_OUTPUT, continue_on_batch_error=True
        )
        converged = np.ones(load_kw.shape[1], dtype=np.bool_)
        if self._model.batch_error is not None:
            converged[self._model.batch_error.failed_scenarios] = False
        branch = output["generic_branch"]
        with np.errstate(all="ignore"):  # where no solution was found the library leaves anything
            losses_kw = (branch["p_from"] + branch["p_to"]).sum(axis=1) / 1e3
        return feeder_state(
            self.feeder,
            head_kw=output["source"]["p"][:, 0] / 1e3,
            head_kvar=output["source"]["q"][:, 0] / 1e3,
            losses_kw=losses_kw,
            voltage_pu=output["node"]["u_pu"].T,
            from_a=branch["i_from"].T,
            to_a=branch["i_to"].T,
            converged=converged,
        )


class _Wires:
    """A feeder told from others by its network alone, whatever its loads are."""

    def __init__(self, feeder: Feeder, squared: bool) -> None:
        self.feeder = feeder
        columns = (getattr(feeder, name) for name in _COLUMNS)
        self._key = squared, *(np.asarray(column).tobytes() for column in columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wires) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=KEPT)
def _model(wires: _Wires) -> PowerGridModel:
    """The network, to be copied: a model remembers what it was asked last."""
    check_fed(wires.feeder)  # power-grid-model would call a lost bus solved, at 0 p.u.
    return PowerGridModel(_network(wires.feeder))


def _watts(kilo: Array) -> Array:
    """(buses, cases) in thousands → (cases, buses) in ones, contiguous as the library wants it."""
    return np.ascontiguousarray(kilo.T * 1e3)


def _network(feeder: Feeder) -> dict[Any, Any]:
    """The feeder as power-grid-model's input: nodes, branches, shunts and loads, one source."""
    buses, branches = len(feeder.bus), len(feeder.from_bus)
    node = _table("node", buses, first=0)
    node["u_rated"] = feeder.bus_kv * 1e3

    branch = _table("generic_branch", branches, first=buses)
    branch["from_node"] = bus_rows(feeder, feeder.from_bus)
    branch["to_node"] = bus_rows(feeder, feeder.to_bus)
    branch["from_status"] = branch["to_status"] = 1
    branch["r1"], branch["x1"] = feeder.r_ohm, feeder.x_ohm
    branch["g1"], branch["b1"] = feeder.g_siemens, feeder.b_siemens
    branch["k"], branch["theta"] = feeder.ratio, np.radians(feeder.shift_degrees)

    kinds = [LoadGenType.const_power, LoadGenType.const_impedance][: 1 + _has_squared(feeder)]
    load = _table("sym_load", buses * len(kinds), first=3 * buses + branches + 1)
    load["node"] = np.tile(node["id"], len(kinds))
    load["status"] = 1
    load["type"] = np.repeat([int(kind) for kind in kinds], buses)
    load["p_specified"] = load["q_specified"] = 0.0  # every solution brings its own

    shunt = _table("shunt", buses, first=2 * buses + branches)
    shunt["node"] = node["id"]
    shunt["status"] = 1
    shunt["g1"] = feeder.shunt_kw / (1e3 * feeder.bus_kv**2)
    shunt["b1"] = -feeder.shunt_kvar / (1e3 * feeder.bus_kv**2)

    source = _table("source", 1, first=3 * buses + branches)
    source["node"] = bus_rows(feeder, np.array([feeder.source_bus]))
    source["status"] = 1
    source["u_ref"], source["sk"] = feeder.source_voltage_pu, SHORT_CIRCUIT_VA
    tables = {"node": node, "generic_branch": branch, "sym_load": load, "source": source}
    bare = not (np.any(feeder.shunt_kw) or np.any(feeder.shunt_kvar))
    return tables if bare else tables | {"shunt": shunt}


def _has_squared(feeder: Feeder) -> bool:
    return bool(np.any(feeder.squared_kw) or np.any(feeder.squared_kvar))


def _table(component: Any, rows: int, first: int) -> Any:
    table = initialize_array("input", component, rows)
    table["id"] = first + np.arange(rows)
    return table
