"""Networks in other programs' files: the format recognised, the network reduced, all noted."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hubwise.scenario.circuit import Circuit, Network, reduced
from hubwise.scenario.pandapower_file import is_pandapower, read_pandapower
from hubwise.scenario.reading import Reader

HERTZ = 50.0


def read_network(
    name: str, reader: Reader, hertz: float = HERTZ, source_bus: int | None = None
) -> Network | None:
    """The network in a JSON file, or nothing where it has a mistake; each is noted.

    Parameters
    ----------
    name
        The file, of pandapower (``to_json``) or power-grid-model (``json_serialize``).
    reader
        Reads it and takes the problems.
    hertz
        System frequency, for formats that do not hold it [Hz].
    source_bus
        Chooses among sources at several buses.
    """
    text = reader.text(name)
    circuit = None if text is None else _read(text, name, reader, hertz)
    if circuit is None:
        return None
    network, wrong = reduced(circuit, source_bus)
    for what, right in wrong:
        reader.wrong(name, "", "", what, right)
    return network


def _is_power_grid_model(content: Mapping[str, object]) -> bool:
    """Whether a JSON file's content is input data of power-grid-model."""
    return content.get("type") == "input" and "data" in content and "version" in content


def _read(text: str, name: str, reader: Reader, hertz: float) -> Circuit | None:
    if not reader.fits(name, 0, sum(map(text.count, ",:[{")), of="values"):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        reader.wrong(name, "", "", f"is not JSON ({error})", "write the network again")
        return None
    if isinstance(content, dict) and is_pandapower(content):
        return read_pandapower(content, name, reader)
    if isinstance(content, dict) and _is_power_grid_model(content):
        # The library takes a tenth of a second to import, which few scenarios need.
        from hubwise.scenario.power_grid_model_file import read_power_grid_model

        if content.get("is_batch") or not isinstance(content["data"], dict):
            right = "give the input data of one network, with is_batch false"
            reader.wrong(name, "", "is_batch", "is a batch of power-grid-model", right)
            return None
        return read_power_grid_model(text, name, reader, hertz)
    right = (
        "give a net of pandapower (pandapower.to_json) or input data of power-grid-model "
        "(power_grid_model.utils.json_serialize)"
    )
    reader.wrong(name, "", "", "is a network of no format that is known", right)
    return None
