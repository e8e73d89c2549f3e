"""How capacity goes: the curves of the published models, and steps along them.

A curve says what is lost after ``x`` days, or equivalent full cycles, under one stress. When the
stress changes, loss goes on from where it stands, on the new stress' curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain.arrays import Array


@dataclass(frozen=True, slots=True)
class Power:
    """``loss = rate * x ** exponent``; arrays of shape (sessions,)."""

    rate: Array
    exponent: Array | float

    def after(self, lost: Array, dx: Array | float) -> Array:
        """Loss after ``dx`` more, where ``lost`` is lost already."""
        rate = np.maximum(self.rate, 0.0)
        along = np.divide(lost, rate, out=np.zeros_like(lost), where=rate > 0.0)
        reached: Array = rate * (along ** (1.0 / self.exponent) + dx) ** self.exponent
        return np.maximum(reached, lost)


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """``loss = ceiling * tanh((rate * x) ** exponent / 2)``; arrays of shape (sessions,).

    The published form, ``2 ceiling (1/2 - 1/(1 + exp((rate x) ** exponent)))``, is the same.
    """

    rate: Array | float
    exponent: Array | float
    ceiling: Array | float

    def after(self, lost: Array, dx: Array | float) -> Array:
        """Loss after ``dx`` more, where ``lost`` is lost already."""
        rate = np.maximum(self.rate, np.finfo(float).tiny)
        share = np.minimum(lost / self.ceiling, 1.0 - 1e-12)
        x = (2.0 * np.arctanh(share)) ** (1.0 / self.exponent) / rate
        with np.errstate(over="ignore"):
            reached: Array = self.ceiling * np.tanh((rate * (x + dx)) ** self.exponent / 2.0)
        return np.maximum(reached, lost)


Curve = Power | Sigmoid
