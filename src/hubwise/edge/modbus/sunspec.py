"""SunSpec's information models on a device: found, read, and one group of points written.

The models are SunSpec's own definitions, shipped by ``pysunspec2``; a device lists those it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import pack, unpack

from sunspec2.device import Model, Point

from hubwise.edge.modbus.link import DeviceError, Link

# Where the list may begin, and how it does: "SunS" (SunSpec Device Information Model, §3.2).
BEGINS, MARK, END = (40_000, 0, 50_000), [0x5375, 0x6E53], 0xFFFF
# A device with more models, or a longer one, is none: it repeats itself.
MOST_MODELS, MOST_LENGTH = 200, 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """A model on a device: its number, where its identifier stands, and its length after that."""

    number: int
    address: int
    length: int


async def find_models(link: Link) -> dict[int, Found]:
    """Every model of a device, by number; the first where one comes twice.

    Raises
    ------
    DeviceError
        If it cannot be reached, or lists no models.
    """
    at = await _begin(link)
    found: dict[int, Found] = {}
    for _ in range(MOST_MODELS):
        number, length = await link.read(at, 2)
        if number == END:
            return found
        if length > MOST_LENGTH:
            break
        found.setdefault(number, Found(number, at, length))
        at += 2 + length
    raise DeviceError(f"{link}: its list of SunSpec models has no end")


async def _begin(link: Link) -> int:
    said = ""
    for begin in BEGINS:
        try:
            if await link.read(begin, 2) == MARK:
                return begin + 2
        except DeviceError as error:
            said = f" ({error})"
    raise DeviceError(f"{link}: lists no SunSpec models at 0, 40000 or 50000{said}")


async def read_model(link: Link, found: Found) -> Model:
    """A model with all its points.

    Raises
    ------
    DeviceError
        If it cannot be read, or is another than was found.
    """
    registers = await link.read(found.address, 2 + found.length)
    if registers[:2] != [found.number, found.length]:
        raise DeviceError(f"{link}: model {found.number} is no longer where it was")
    data = pack(f">{len(registers)}H", *registers)
    return Model(model_id=found.number, model_len=found.length, data=data)


def point_of(model: Model, name: str) -> float | None:
    """A point's value in its unit, its scale factor applied; ``None`` where it has none."""
    point = model.points.get(name)
    if point is None or point.value is None:
        return None
    if point.sf and (scale := model.points.get(point.sf)) is not None and scale.value is None:
        return None
    return float(point.cvalue)


async def write_points(link: Link, found: Found, model: Model, values: Mapping[str, float]) -> None:
    """Write points of a model in their order, those that stand side by side in one message.

    Raises
    ------
    DeviceError
        If the device refuses, or a value does not fit its point.
    """
    begin, written = 0, bytearray()
    for name, point in model.points.items():
        if name not in values:
            continue
        data, at = _data(link, point, values[name]), found.address + point.offset
        if written and at != begin + len(written) // 2:
            await link.write(begin, unpack(f">{len(written) // 2}H", written))
            written.clear()
        begin = begin if written else at
        written += data
    if written:
        await link.write(begin, unpack(f">{len(written) // 2}H", written))


def _data(link: Link, point: Point, value: float) -> bytes:
    try:
        if point.sf:
            point.cvalue = value
        else:
            point.value = int(value)
        return bytes(point.get_mb())
    except Exception as error:  # struct's, the library's own: a value that does not fit
        raise DeviceError(f"{link}: {value} does not fit {point.pdef['name']}: {error}") from error
