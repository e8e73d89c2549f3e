"""AC power flow of every slot in one batch, by power-grid-model.

Source of the method: Newton-Raphson in polar bus voltages as implemented by power-grid-model
(LF Energy), https://power-grid-model.readthedocs.io.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from power_grid_model import LoadGenType, PowerGridModel, initialize_array

from hubwise.domain import Feeder

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# The feeder head holds its voltage. power-grid-model puts an impedance u²/sk behind every source;
# at the library's own default (1e10 VA) bus voltages of a 12.66 kV feeder are 3e-4 p.u. off.
SHORT_CIRCUIT_VA = 1e20

_OUTPUT: dict[Any, Any] = {"node": ["u_pu"], "line": ["i_from"], "source": ["p", "q"]}


@dataclass(frozen=True, slots=True)
class FeederState:
    """The feeder under AC power flow, one column a slot; NaN in slots that did not converge.

    Parameters
    ----------
    head_kw, head_kvar
        Power drawn at the feeder head; shape (slots,) [kW, kvar].
    losses_kw
        Losses of all branches; shape (slots,) [kW].
    transformer_loading
        Apparent power at the head as a share of the transformer's rating; shape (slots,).
    voltage_pu
        Shape (buses, slots) [p.u.].
    branch_loading
        Current as a share of the ampacity; shape (branches, slots).
    converged
        Whether the power flow found a solution; shape (slots,).
    """

    head_kw: Array
    head_kvar: Array
    losses_kw: Array
    transformer_loading: Array
    voltage_pu: Array
    branch_loading: Array
    converged: NDArray[np.bool_]


class PowerFlow:
    """The feeder prepared once, solved many times with different loads.

    Parameters
    ----------
    feeder
        Network, limits and base load.

    Raises
    ------
    ValueError
        If a bus of the feeder is not connected to the source.
    """

    def __init__(self, feeder: Feeder) -> None:
        self.feeder = feeder
        self._model = PowerGridModel(_network(feeder))

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
        feeder = self.feeder
        load_kw = feeder.base_kw.copy()
        np.add.at(load_kw, bus_rows(feeder, hub_bus), hub_kw)
        return self.solve(load_kw, feeder.base_kvar)

    def solve(self, load_kw: Array, load_kvar: Array) -> FeederState:
        """The state under the given loads; both of shape (buses, slots) [kW, kvar]."""
        if not (np.isfinite(load_kw).all() and np.isfinite(load_kvar).all()):
            raise ValueError("loads must be finite")  # the library reads NaN as "leave unchanged"
        update = {"sym_load": {"p_specified": _watts(load_kw), "q_specified": _watts(load_kvar)}}
        output: dict[Any, Any] = self._model.calculate_power_flow(
            update_data=update,  # type: ignore[arg-type]
            output_component_types=_OUTPUT,
            continue_on_batch_error=True,
        )
        error = self._model.batch_error
        failed = [] if error is None else error.failed_scenarios
        return _state(self.feeder, output, np.asarray(failed, dtype=np.int64))


def power_flow(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> FeederState:
    """AC power flow of every slot; see `PowerFlow` for shapes, units and errors."""
    return PowerFlow(feeder)(hub_bus, hub_kw)


def bus_rows(feeder: Feeder, bus: Index) -> Index:
    """Row of every bus number in the feeder's tables; raises ValueError for unknown numbers."""
    row = {int(number): k for k, number in enumerate(feeder.bus)}
    unknown = sorted({int(number) for number in bus} - row.keys())
    if unknown:
        raise ValueError(f"the feeder has no bus {', '.join(map(str, unknown))}")
    return np.array([row[int(number)] for number in bus], dtype=np.int64)


def _watts(kilo: Array) -> Array:
    """(buses, slots) in thousands → (slots, buses) in ones, contiguous for the library."""
    return np.ascontiguousarray(kilo.T * 1e3)


def _network(feeder: Feeder) -> dict[Any, Any]:
    """The feeder as power-grid-model's input; loads are given later, a value a slot."""
    buses, branches = len(feeder.bus), len(feeder.from_bus)
    node = initialize_array("input", "node", buses)
    node["id"] = np.arange(buses)
    node["u_rated"] = feeder.nominal_kv * 1e3

    line = initialize_array("input", "line", branches)
    line["id"] = buses + np.arange(branches)
    line["from_node"] = bus_rows(feeder, feeder.from_bus)
    line["to_node"] = bus_rows(feeder, feeder.to_bus)
    line["from_status"] = line["to_status"] = 1
    line["r1"], line["x1"] = feeder.r_ohm, feeder.x_ohm
    line["c1"] = line["tan1"] = 0.0

    load = initialize_array("input", "sym_load", buses)
    load["id"] = buses + branches + np.arange(buses)
    load["node"] = node["id"]
    load["status"] = 1
    load["type"] = LoadGenType.const_power
    load["p_specified"] = load["q_specified"] = 0.0

    source = initialize_array("input", "source", 1)
    source["id"] = 2 * buses + branches
    source["node"] = bus_rows(feeder, np.array([feeder.source_bus]))
    source["status"] = 1
    source["u_ref"] = feeder.source_voltage_pu
    source["sk"] = SHORT_CIRCUIT_VA
    return {"node": node, "line": line, "sym_load": load, "source": source}


def _state(feeder: Feeder, output: dict[Any, Any], failed: Index) -> FeederState:
    """The library's output, in the domain's units and order, NaN where it failed."""
    head_kw, head_kvar = output["source"]["p"][:, 0] / 1e3, output["source"]["q"][:, 0] / 1e3
    voltage, current = output["node"]["u_pu"].T.copy(), output["line"]["i_from"].T.copy()
    for values in (head_kw, head_kvar, voltage, current):
        values[..., failed] = np.nan
    converged = np.ones(len(head_kw), dtype=np.bool_)
    converged[failed] = False
    return FeederState(
        head_kw=head_kw,
        head_kvar=head_kvar,
        losses_kw=3.0 * feeder.r_ohm @ current**2 / 1e3,
        transformer_loading=np.hypot(head_kw, head_kvar) / feeder.transformer_kva,
        voltage_pu=voltage,
        branch_loading=current / feeder.ampacity_a[:, None],
        converged=converged,
    )
