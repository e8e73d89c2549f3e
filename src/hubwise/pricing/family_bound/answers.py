"""What a driver may do at any prices of a box: a compiled kernel, arrays in, arrays out.

The worth of a kWh in the battery, as a function of the energy in it, rises with every later price,
of charging and of discharging alike (each slot convolves it with steps of those slopes, which keeps
the order). So two backward passes, at the lowest and at the highest prices of a box, hold it from
both sides, and with it the two levels of every run: the energy up to which charging, and down to
which discharging, can pay, and must. From them follows between which energies the battery is at the
end of each run under every best response to every tariff of the box.

Energies are inside the battery [kWh], prices per kWh inside the battery [currency/kWh].
"""

from __future__ import annotations

from hubwise.compiled import njit

# Prices this near to each other are one [currency/kWh]: a schedule of so little regret is held to
# be a best response, as the dispatch's are.
TIE = 1e-7


@njit(cache=True, nogil=True)
def _reached(slope, length, pieces, low, price, tie):
    """The energy up to which a kWh is worth more than ``price`` (``tie`` > 0: or as much)."""
    energy = low
    k = 0
    while k < pieces and slope[k] < tie - price:
        energy += length[k]
        k += 1
    return energy


@njit(cache=True, nogil=True)
def insert(slope, length, pieces, new, size):
    """Put a piece where its slope belongs; returns how many there are then."""
    if size <= 0.0:
        return pieces
    k = pieces
    while k > 0 and slope[k - 1] > new:
        slope[k] = slope[k - 1]
        length[k] = length[k - 1]
        k -= 1
    slope[k] = new
    length[k] = size
    return pieces + 1


@njit(cache=True, nogil=True)
def cut_front(slope, length, pieces, excess):
    """Take ``excess`` off the front; returns the pieces left and how the function changed."""
    gone = 0
    change = 0.0
    while gone < pieces and length[gone] <= excess:
        change += slope[gone] * length[gone]
        excess -= length[gone]
        gone += 1
    if gone < pieces:
        change += slope[gone] * excess
        length[gone] -= excess
    if gone > 0:
        for k in range(gone, pieces):
            slope[k - gone] = slope[k]
            length[k - gone] = length[k]
    return pieces - gone, change


@njit(cache=True, nogil=True)
def cut_back(length, pieces, excess):
    """Take ``excess`` off the back; returns the pieces left."""
    while pieces > 0 and length[pieces - 1] <= excess:
        pieces -= 1
        excess -= length[pieces]
    if pieces > 0:
        length[pieces - 1] -= excess
    return pieces


@njit(cache=True, nogil=True)
def thresholds_by_worth(
    buy, sell, own_buy, own_sell, tie, up, down, floor, target, top, surplus, slope, length,
    charge_to, drain_to,
):  # fmt: skip
    """Backward pass: the worth of energy at one set of prices, the levels at another.

    ``buy``, ``sell``, ``up``, ``down``, ``floor`` (runs,), ``target``, ``top``, ``surplus`` as in
    `hubwise.drivers.kernel.thresholds`; ``own_buy``, ``own_sell`` (runs,): what a run's own
    decision is taken at; ``tie``: positive where a tie counts as worth it. ``slope``, ``length``:
    scratch of at least 2 runs + 2. Writes ``charge_to`` and ``drain_to`` (runs,).
    """
    n = buy.shape[0]
    low = target
    high = max(top[n], target)
    pieces = 0
    if high > target:
        slope[0] = -surplus
        length[0] = high - target
        pieces = 1
    for t in range(n - 1, -1, -1):
        charge_to[t] = _reached(slope, length, pieces, low, own_buy[t], tie)
        drain_to[t] = _reached(slope, length, pieces, low, own_sell[t], tie)
        # As `insert`, `cut_back` and `cut_front`, written out: calls took three times as long.
        for kind in range(2):
            new = -buy[t] if kind == 0 else -sell[t]
            size = up[t] if kind == 0 else down[t]
            if size <= 0.0:
                continue
            k = pieces
            while k > 0 and slope[k - 1] > new:
                slope[k] = slope[k - 1]
                length[k] = length[k - 1]
                k -= 1
            slope[k] = new
            length[k] = size
            pieces += 1
        excess = down[t] + (high - top[t])
        if excess < 0.0:
            high += down[t]
        else:
            high = top[t]
            while pieces > 0 and length[pieces - 1] <= excess:
                pieces -= 1
                excess -= length[pieces]
            if pieces > 0:
                length[pieces - 1] -= excess
        low -= up[t]
        if floor[t] > low:
            excess = floor[t] - low
            low = floor[t]
            k = 0
            while k < pieces and length[k] <= excess:
                excess -= length[k]
                k += 1
            if k > 0:
                for later in range(k, pieces):
                    slope[later - k] = slope[later]
                    length[later - k] = length[later]
                pieces -= k
            if pieces > 0:
                length[0] -= excess


@njit(cache=True, nogil=True, inline="always")
def _most(energy, up, down, charge_to, drain_to):
    """The most energy at a run's end that its levels allow."""
    if energy <= charge_to:
        return min(energy + up, charge_to)
    return energy if energy <= drain_to else max(energy - down, drain_to)


@njit(cache=True, nogil=True, inline="always")
def _least(energy, up, down, charge_to, drain_to):
    """The least energy at a run's end that its levels allow."""
    if energy >= drain_to:
        return max(energy - down, drain_to)
    return energy if energy >= charge_to else min(energy + up, charge_to)


@njit(cache=True, nogil=True)
def follow_between(
    start, up, down, low_charge, low_drain, high_charge, high_drain, low, high, fall, rise
):
    """Forward pass: between which energies each run ends, and how far it may fall or rise.

    ``low_charge``, ``low_drain``, ``high_charge``, ``high_drain`` (runs,): the least and the most
    that the levels to charge to and to drain to can be. Writes ``low``, ``high``: energies at the
    end of each run, and ``fall``, ``rise``: the lowest and the highest change over it, all of shape
    (runs,). What a run may end with rises with what it begins with, by no more than that, so the
    ends of the range tell all.
    """
    least = start
    most = start
    for t in range(up.shape[0]):
        rise[t] = _most(least, up[t], down[t], high_charge[t], high_drain[t]) - least
        fall[t] = _least(most, up[t], down[t], low_charge[t], low_drain[t]) - most
        least = _least(least, up[t], down[t], low_charge[t], low_drain[t])
        most = _most(most, up[t], down[t], high_charge[t], high_drain[t])
        low[t] = least
        high[t] = most
