"""What may stand in a row of each table of pandapower's, of what is read.

Source of what each column means: pandapower's documentation of its elements, version 3.5.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hubwise.scenario.messages import advice

# Numbers of a size that something in a network can have, whatever its unit.
Finite = Annotated[float, Field(ge=-1e9, le=1e9)]
NotNegative = Annotated[float, Field(ge=0, le=1e9)]
Positive = Annotated[float, Field(ge=1e-9, le=1e9)]
Parallel = Annotated[int, Field(ge=1, le=1000)]
Percentage = Annotated[float, Field(ge=0, le=100)]
Percent = Annotated[float, Field(gt=0)]


class Row(BaseModel):
    """A row of one of the net's tables; columns that decide nothing here are passed over."""

    model_config = ConfigDict(extra="ignore")

    name: object = None
    in_service: bool = True


class Bus(Row):
    """A bus [kV]."""

    vn_kv: Positive


class Power(Row):
    """A load, static generator or storage [MW, Mvar]."""

    bus: int
    p_mw: Finite
    q_mvar: Finite = 0.0
    scaling: Finite = 1.0

    def parts(self) -> tuple[complex, complex]:
        """Constant power, and what is drawn in proportion to the squared voltage [MVA]."""
        return complex(self.p_mw, self.q_mvar), 0.0


class AsymmetricPower(Row):
    """A load or static generator whose phases draw between each and earth [MW, Mvar]."""

    bus: int
    p_a_mw: Finite = 0.0
    q_a_mvar: Finite = 0.0
    p_b_mw: Finite = 0.0
    q_b_mvar: Finite = 0.0
    p_c_mw: Finite = 0.0
    q_c_mvar: Finite = 0.0
    scaling: Finite = 1.0
    type: str = "wye"

    def by_phase(self) -> tuple[complex, complex, complex]:
        """Power of each phase [MVA]."""
        return (
            complex(self.p_a_mw, self.q_a_mvar),
            complex(self.p_b_mw, self.q_b_mvar),
            complex(self.p_c_mw, self.q_c_mvar),
        )


class Load(Power):
    """A load, and the shares of it that are of constant impedance and of constant current.

    Before format 3.2 each share is one column for active and reactive power.
    """

    const_z_p_percent: Percentage = 0.0
    const_i_p_percent: Percentage = 0.0
    const_z_q_percent: Percentage = 0.0
    const_i_q_percent: Percentage = 0.0

    @model_validator(mode="before")
    @classmethod
    def _of_old_formats(cls, row: dict[str, object]) -> dict[str, object]:
        """Old columns under their new names, where the new ones are not there, as pandapower."""
        old = {
            f"const_{kind}_{power}_percent": row[f"const_{kind}_percent"]
            for kind in "zi"
            for power in "pq"
            if f"const_{kind}_percent" in row
        }
        return old | row

    @model_validator(mode="after")
    def _at_most_whole(self) -> Load:
        for power in "pq":
            shares = [getattr(self, f"const_{kind}_{power}_percent") for kind in "zi"]
            if sum(shares) > 100.0:
                wrong = f"const_z and const_i are together {sum(shares):g} %"
                raise advice(wrong, "give at most 100 % in all")
        return self

    def parts(self) -> tuple[complex, complex]:
        """Constant power, and what is drawn in proportion to the squared voltage [MVA].

        Power in proportion to the voltage is half of each: their mean has its value and slope at
        nominal voltage.
        """
        z_p = (self.const_z_p_percent + self.const_i_p_percent / 2.0) / 100.0
        z_q = (self.const_z_q_percent + self.const_i_q_percent / 2.0) / 100.0
        squared = complex(z_p * self.p_mw, z_q * self.q_mvar)
        return complex(self.p_mw, self.q_mvar) - squared, squared


class Shunt(Row):
    """A shunt: power at ``vn_kv`` [MW, Mvar], times ``step``."""

    bus: int
    p_mw: Finite = 0.0
    q_mvar: Finite
    vn_kv: Positive | None = None
    step: Finite = 1.0
    step_dependency_table: bool = False


class Ward(Row):
    """A constant power and an impedance at a bus, both at nominal voltage [MW, Mvar]."""

    bus: int
    ps_mw: Finite
    qs_mvar: Finite
    pz_mw: Finite
    qz_mvar: Finite


class Source(Row):
    """An external grid, which holds its bus's voltage."""

    bus: int
    vm_pu: Positive = 1.0


class Generator(Row):
    """A generator that holds its bus's voltage; as slack, a source [MW]."""

    bus: int
    p_mw: Finite
    vm_pu: Positive = 1.0
    scaling: Finite = 1.0
    slack: bool = False


class Line(Row):
    """A line, or ``parallel`` alike."""

    from_bus: int
    to_bus: int
    length_km: NotNegative
    r_ohm_per_km: Finite
    x_ohm_per_km: Finite
    c_nf_per_km: Finite = 0.0
    g_us_per_km: Finite = 0.0
    max_i_ka: Positive | None = None
    df: Positive = 1.0
    parallel: Parallel = 1
    max_loading_percent: Percent = 100.0
    r0_ohm_per_km: Finite | None = None
    x0_ohm_per_km: Finite | None = None
    c0_nf_per_km: Finite | None = None

    def lacking(self) -> list[str]:
        """What the zero sequence needs and is not given."""
        return [key for key in ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km")
                if getattr(self, key) is None]  # fmt: skip


class Tapped(Row):
    """What transformers with taps have, and how much they can be loaded."""

    tap_side: str | None = None
    tap_neutral: Finite = 0.0
    tap_step_percent: Finite = 0.0
    tap_step_degree: Finite = 0.0
    tap_pos: Finite | None = None
    tap_changer_type: str | None = None
    tap_dependency_table: bool = False
    max_loading_percent: Percent = 100.0


class Transformer(Tapped):
    """A transformer with two windings, or ``parallel`` alike."""

    hv_bus: int
    lv_bus: int
    sn_mva: Positive
    vn_hv_kv: Positive
    vn_lv_kv: Positive
    vk_percent: Positive
    vkr_percent: NotNegative
    pfe_kw: NotNegative = 0.0
    i0_percent: NotNegative = 0.0
    shift_degree: Finite = 0.0
    tap2_pos: Finite | None = None
    leakage_resistance_ratio_hv: Finite = 0.5
    leakage_reactance_ratio_hv: Finite = 0.5
    df: Positive = 1.0
    parallel: Parallel = 1
    vector_group: str | None = None
    vk0_percent: NotNegative | None = None
    vkr0_percent: NotNegative | None = None
    mag0_percent: NotNegative | None = None
    mag0_rx: NotNegative | None = None
    si0_hv_partial: Percentage | None = None

    def lacking(self) -> list[str]:
        """What the zero sequence needs and is not given."""
        keys = ("vector_group", "vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx",
                "si0_hv_partial")  # fmt: skip
        return [key for key in keys if getattr(self, key) is None]


class ThreeWindings(Tapped):
    """A transformer with three windings."""

    hv_bus: int
    mv_bus: int
    lv_bus: int
    sn_hv_mva: Positive
    sn_mv_mva: Positive
    sn_lv_mva: Positive
    vn_hv_kv: Positive
    vn_mv_kv: Positive
    vn_lv_kv: Positive
    vk_hv_percent: Positive
    vk_mv_percent: Positive
    vk_lv_percent: Positive
    vkr_hv_percent: NotNegative
    vkr_mv_percent: NotNegative
    vkr_lv_percent: NotNegative
    pfe_kw: NotNegative = 0.0
    i0_percent: NotNegative = 0.0
    loss_side: Literal["hv", "mv", "lv", "star"] = "hv"
    shift_mv_degree: Finite = 0.0
    shift_lv_degree: Finite = 0.0
    tap_at_star_point: bool = False


class Switch(BaseModel):
    """A switch between two buses (``b``), or at an end of a line (``l``) or transformer (``t``).

    At a transformer with three windings it is ``t3``.
    """

    model_config = ConfigDict(extra="ignore")

    bus: int
    element: int
    et: str
    closed: bool = True
    z_ohm: NotNegative = 0.0
