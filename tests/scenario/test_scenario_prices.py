"""Files of prices as they are downloaded: every clock right, and nothing wrong in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain import Horizon
from hubwise.scenario.price_files import Prices, asked_of, read_prices
from hubwise.scenario.price_formats import formats
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import read_document
from price_writers import WRITERS, Rows

DAYS = {
    "Europe": (date(2025, 3, 30), date(2025, 7, 9), date(2025, 10, 26)),
    "America": (date(2025, 3, 9), date(2025, 7, 9), date(2025, 11, 2)),
}
EURO = "Europe/Amsterdam"


def of_day(day: date, zone: str) -> Horizon:
    return Horizon.local_day(day, zone, start=time(0))


def read(
    folder: Path, content: bytes, horizon: Horizon, **told: object
) -> tuple[Prices | None, Reader]:
    """A file of this content, under a name that tells nothing."""
    (folder / "file").write_bytes(content)
    reader = Reader(folder)
    asked = replace(asked_of(horizon), **told)  # type: ignore[arg-type]
    return read_prices(reader, "file", asked, horizon), reader


def rows_of(horizon: Horizon, step: int, prices: list[float]) -> Rows:
    """Rows that begin a day before the horizon and end a day after it."""
    first = horizon.start_utc - timedelta(days=1)
    return [(first + timedelta(minutes=step * k), price) for k, price in enumerate(prices)]


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_a_source_writes_is_read_to_the_cent_and_the_slot(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random prices, negative ones too, on ordinary days and both days of the clock's change."""
    writer = WRITERS[name]
    day = data.draw(st.sampled_from(DAYS[writer.zone.partition("/")[0]]))
    step = data.draw(st.sampled_from(writer.steps))
    horizon = of_day(day, writer.zone)
    count = (horizon.slots * 15 + 2880) // step
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    drawn = rng.integers(-50_00, 4000_00, count)
    drawn[1::3] = drawn[::3][: len(drawn[1::3])]  # some equal their neighbour
    rows = rows_of(horizon, step, (drawn / 100).tolist())
    folder = tmp_path_factory.mktemp(name)
    found, reader = read(folder, writer.write(rows, timedelta(minutes=step)), horizon)
    assert not reader.issues
    assert found is not None
    assert (found.unit, found.currency) == (writer.unit, writer.currency)
    there = {t: p * writer.scale for t, p in rows if horizon.start_utc <= t < horizon.end_utc}
    told = dict(found.rows)
    assert all(abs(told[t] - p) < 1e-9 for t, p in there.items())
    assert len(told) == len(there)
    slots = horizon.starts_utc()
    if step % 15 == 0:
        expected = [there[max(t for t in there if t <= slot)] for slot in slots]
        assert np.allclose(found.by_slot, expected)


@pytest.mark.parametrize("name", WRITERS)
def test_one_format_knows_a_file(name: str, tmp_path: Path) -> None:
    """No two formats take the same file; that for tables of no known program comes last."""
    writer = WRITERS[name]
    rows = rows_of(of_day(date(2025, 7, 9), writer.zone), writer.steps[0], [1.5, 2.5, 3.5, 4.5])
    (tmp_path / "file").write_bytes(writer.write(rows, timedelta(minutes=writer.steps[0])))
    document = read_document(Reader(tmp_path), "file")
    assert document is not None
    knowing = [key for key, one in formats().items() if one.recognises(document)]
    assert [key for key in knowing if key != "plain"] == knowing[:1] or knowing == ["plain"]
    assert len(knowing) <= 2
