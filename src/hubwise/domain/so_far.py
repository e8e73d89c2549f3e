"""What has happened so far: what promises and charges of a day, or a month, must remember."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain.arrays import Array


@dataclass(frozen=True, slots=True)
class SoFar:
    """The past of a situation whose promises hold over more than its horizon; nothing by default.

    Parameters
    ----------
    paid
        Net cost, wear included, of participants' energy so far [currency].
    reference_cost
        What they would have paid uncoordinated at the reference tariff [currency].
    head_peak_kw, head_valley_kw
        Highest and lowest power at the feeder head so far [kW].
    baseline_peak_kw, baseline_valley_kw
        The same of the uncoordinated day [kW].
    import_peak_kw
        Every hub's highest import so far of the billing period in which the horizon begins; shape
        (hubs,) [kW]. Its demand charge is paid for already; later periods begin with none.
    """

    paid: float = 0.0
    reference_cost: float = 0.0
    head_peak_kw: float = -np.inf
    head_valley_kw: float = np.inf
    baseline_peak_kw: float = -np.inf
    baseline_valley_kw: float = np.inf
    import_peak_kw: Array | None = None

    @property
    def head_span_kw(self) -> float:
        """Peak-valley difference so far; 0 where there is none [kW]."""
        return max(self.head_peak_kw - self.head_valley_kw, 0.0)

    def span_kw(self, head_kw: Array) -> float:
        """Peak-valley difference of the past and of what follows, ``head_kw`` (slots,) [kW]."""
        peak, valley = float(head_kw.max()), float(head_kw.min())
        return max(peak, self.head_peak_kw) - min(valley, self.head_valley_kw)

    def baseline_span_kw(self, head_kw: Array) -> float:
        """The same of the uncoordinated day [kW]."""
        peak, valley = float(head_kw.max()), float(head_kw.min())
        return max(peak, self.baseline_peak_kw) - min(valley, self.baseline_valley_kw)
