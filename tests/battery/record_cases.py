"""Record what BLAST-Lite says of its own test profile, and of others, as cases for the tests.

Run where ``blast-lite`` is installed (it needs numpy below 2.4, or finds its removed ``trapz``
put back here): ``python tests/battery/record_cases.py``. Writes a folder a profile below
``tests/battery/cases``: ``year.csv``, the profile's first year (the others are the same), and
``fade.json`` with the capacity lost after each year, by model.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

if not hasattr(np, "trapz"):
    setattr(np, "trapz", np.trapezoid)  # noqa: B010

CASES = Path(__file__).parent / "cases"
MODELS = {
    "LFP-250Ah": "Lfp_Gr_250AhPrismatic",
    "LFP-3Ah": "Lfp_Gr_SonyMurata3Ah_Battery",
    "NMC-75Ah": "NMC_Gr_75Ah_A",
    "NMC111-75Ah": "Nmc111_Gr_Kokam75Ah_Battery",
    "NMC811-3.5Ah": "Nmc811_GrSi_LGMJ1_4Ah_Battery",
    "NCA-3.2Ah": "Nca_Gr_Panasonic3Ah_Battery",
    "LMO-66Ah": "Lmo_Gr_NissanLeaf66Ah_2ndLife_Battery",
}
"""Class in BLAST-Lite of every cell."""


def profiles() -> dict[str, dict[str, np.ndarray]]:
    """Time [s], state of charge and temperature [°C] of every profile, hourly."""
    from blast.utils.demo import generate_sample_data

    hours = np.arange(24 * 365 * 5 + 1)
    clock = hours % 24
    commute = np.interp(clock, [0, 6, 8, 17, 19, 24], [0.55, 0.9, 0.8, 0.8, 0.55, 0.55])
    two_way = np.interp(
        clock, [0, 1, 7, 8, 17, 18, 21, 24], [0.25, 0.3, 0.9, 0.8, 0.7, 0.65, 0.25, 0.25]
    )
    seasons = 15.0 - 8.0 * np.cos(2 * np.pi * hours / (24 * 365))

    def steady(soc: np.ndarray, celsius: np.ndarray | float) -> dict[str, np.ndarray]:
        warmth = np.broadcast_to(celsius, hours.shape).astype(float)
        return {"Time_s": hours * 3600.0, "SOC": soc, "Temperature_C": warmth}

    return {
        "synthetic": generate_sample_data("synthetic"),
        "commute": steady(commute, seasons),
        "two-way": steady(two_way, 25.0),
        "parked-full": steady(np.full(hours.shape, 0.95), 30.0),
    }


def fine(profile: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same profile every five minutes.

    BLAST-Lite leaves out the step between two of its chunks: an hour a day of hourly data.
    """
    time = np.arange(profile["Time_s"][0], profile["Time_s"][-1] + 1.0, 300.0)
    return {"Time_s": time} | {
        key: np.interp(time, profile["Time_s"], profile[key]) for key in ("SOC", "Temperature_C")
    }


def fade(model: str, profile: dict[str, np.ndarray], *, same_energy: bool) -> list[float]:
    """Capacity lost after each year of a profile.

    States of charge are followed as given, or (``same_energy``) swings grow as capacity goes.
    """
    import blast.models

    days = (profile["Time_s"][-1] - profile["Time_s"][0]) / 86400.0
    cell = getattr(blast.models, MODELS[model])()
    cell.simulate_battery_life(
        profile,
        threshold_time=days / 365.0 - 0.01,
        is_conserve_energy_throughput=same_energy,
    )
    years = np.arange(1.0, np.floor(days / 365.0) + 0.5)
    # The simulation ends days before the last year does.
    at = np.minimum(years * 365.0, cell.stressors["t_days"][-1])
    return [
        float(lost) for lost in 1.0 - np.interp(at, cell.stressors["t_days"], cell.outputs["q"])
    ]


def main() -> None:
    """Record every case."""
    for name, profile in profiles().items():
        folder = CASES / name
        folder.mkdir(parents=True, exist_ok=True)
        said: dict[str, object] = {"blast-lite": version("blast-lite")}
        for key, same_energy in (("same_shares", False), ("same_energy", True)):
            said[key] = {
                model: fade(model, fine(profile), same_energy=same_energy) for model in MODELS
            }
        (folder / "fade.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
        day = {key: values[: 24 * 365 + 1] for key, values in profile.items()}
        rows = zip(day["SOC"], day["Temperature_C"], strict=True)
        lines = ["soc,temperature_c", *(f"{soc:.6g},{celsius:.6g}" for soc, celsius in rows)]
        (folder / "year.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
