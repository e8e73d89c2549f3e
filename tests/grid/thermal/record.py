"""Writes what transformer-thermal-model finds for days of load and ambient temperature.

pip install transformer-thermal-model==0.6.0   # wants pandas 3, pandapower 2.3: another venv
python tests/grid/thermal/record.py
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from transformer_thermal_model.aging import days_aged
from transformer_thermal_model.cooler import CoolerType
from transformer_thermal_model.model import Model
from transformer_thermal_model.schemas import InputProfile, UserTransformerSpecifications
from transformer_thermal_model.transformer import PaperInsulationType, PowerTransformer

warnings.filterwarnings("ignore")

# IEC 60076-7's recommended characteristics, natural oil and air cooling.
KINDS = {
    "distribution": (55.0, 23.0, 5.0, 0.8, 1.6, 180.0, 4.0, 1.0, 1, 2),
    "power": (52.0, 26.0, 6.0, 0.8, 1.3, 210.0, 10.0, 0.5, 2, 2),
}
WEEK = 7


def days() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Loads and ambient temperatures of 96 quarter-hours, by name."""
    hour = np.arange(96) / 4.0
    rng = np.random.default_rng(60076)
    evening = 0.35 + 0.75 * np.exp(-(((hour - 19.0) / 2.0) ** 2))
    night = 0.35 + 0.75 * np.exp(-(((hour - 3.0) / 1.5) ** 2))
    warm = 22.0 + 9.0 * np.sin((hour - 9.0) * np.pi / 12.0)
    return {
        "evening peak, warm day": (evening, warm),
        "night peak, warm day": (night, warm),
        "winter": (evening + 0.1, np.full(96, -8.0)),
        "overload, steps": (rng.uniform(0.2, 1.4, 24).repeat(4), np.full(96, 35.0)),
        "idle": (np.full(96, 0.02), warm - 10.0),
        "rated": (np.ones(96), np.full(96, 20.0)),
    }


def run(kind: str, load: np.ndarray, ambient: np.ndarray) -> dict[str, object]:
    """A week of the same day, of which the last one is kept."""
    oil_rise, hot_rise, ratio, x, y, oil, winding, k11, k21, k22 = KINDS[kind]
    specs = UserTransformerSpecifications(
        load_loss=ratio, no_load_loss=1.0, nom_load_sec_side=1.0, time_const_oil=oil,
        time_const_windings=winding, top_oil_temp_rise=oil_rise, winding_oil_gradient=hot_rise,
        hot_spot_fac=1.0, oil_const_k11=k11, winding_const_k21=k21, winding_const_k22=k22,
        oil_exp_x=x, winding_exp_y=y, end_temp_reduction=0.0, amb_temp_surcharge=0.0,
    )  # fmt: skip
    profile = InputProfile.create(
        datetime_index=pd.date_range("2023-01-01", periods=96 * WEEK, freq="15min"),
        load_profile=np.tile(load, WEEK),
        ambient_temperature_profile=np.tile(ambient, WEEK),
    )
    found = Model(profile, PowerTransformer(specs, CoolerType.ONAN)).run()
    return {
        "top_oil_c": [round(value, 6) for value in found.top_oil_temp_profile[-96:]],
        "hot_spot_c": [round(value, 6) for value in found.hot_spot_temp_profile[-96:]],
        "days_aged": float(
            days_aged(found.hot_spot_temp_profile[-97:], PaperInsulationType.NORMAL)
        ),
    }


def main() -> None:
    """Records every day for both kinds."""
    cases = [
        {
            "name": name, "kind": kind, "loading": load.round(9).tolist(),
            "ambient_c": ambient.round(9).tolist(), **run(kind, load.round(9), ambient.round(9)),
        }
        for name, (load, ambient) in days().items()
        for kind in KINDS
    ]  # fmt: skip
    made_by = {key: version(key) for key in ("transformer-thermal-model", "pandas", "numpy")}
    text = json.dumps({"made_by": made_by, "cases": cases})
    (Path(__file__).parent / "found.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
