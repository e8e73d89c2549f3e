"""Nations: many zones, each a feeder with its hubs and a draw of its drivers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from hubwise.domain import Horizon
from hubwise.domain.errors import Issue, ScenarioError
from hubwise.scenario.door import load_draws, packaged
from hubwise.scenario.draws import MARK, Draws, split_seed
from hubwise.scenario.files import Section, Word
from hubwise.scenario.identity import fingerprint
from hubwise.scenario.reading import Reader

NATION = "nation.toml"


class ZonesSection(Section):
    """One ``[[zones]]``: copies of a scenario, each with a seed of its own."""

    scenario: Word
    name: Word | None = None
    copies: Annotated[int, Field(ge=1)] = 1
    seed: Annotated[int, Field(ge=0)] | None = None


class _NationFile(Section):
    name: Word
    zones: Annotated[list[ZonesSection], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class ZoneKind:
    """Zones that differ by their drivers alone.

    Parameters
    ----------
    name
        What they are called; each has its seed behind it.
    source
        Their scenario.
    fingerprint
        Of that scenario, as it is given.
    first_seed, copies
        Their seeds are ``first_seed`` and those that follow.
    """

    name: str
    source: str
    fingerprint: str
    first_seed: int
    copies: int

    def draws(self) -> Draws:
        """The scenario, read anew: a nation does not hold its zones."""
        return load_draws(self.source)

    @property
    def seeds(self) -> range:
        """A seed for each zone."""
        return range(self.first_seed, self.first_seed + self.copies)

    def zone(self, seed: int) -> str:
        """The name of the zone of one seed."""
        return f"{self.name}{MARK}{seed}"


@dataclass(frozen=True, slots=True)
class Nation:
    """Many zones.

    Parameters
    ----------
    name
        The nation's name.
    currency, horizon
        Of all its zones.
    kinds
        Zones of one kind each.
    """

    name: str
    currency: str
    horizon: Horizon
    kinds: tuple[ZoneKind, ...]

    def __len__(self) -> int:
        return sum(kind.copies for kind in self.kinds)


def is_nation(source: str | Path) -> bool:
    """Whether a folder holds ``nation.toml``."""
    return str(source) not in packaged() and (Path(source) / NATION).is_file()


def load_nation(source: str | Path, *, copies: int | None = None) -> Nation:
    """Read and check a nation: a folder that holds ``nation.toml``, or copies of one scenario.

    Parameters
    ----------
    source
        The folder; or a scenario (see `load`), whose zones have its seed and those that follow.
    copies
        How many zones of that scenario; 1 if not given. A ``nation.toml`` says it itself.

    Raises
    ------
    ScenarioError
        With every problem of the file and of all its scenarios.
    """
    folder = Path(source)
    if not is_nation(source):
        base, seed = (str(source), None) if folder.is_dir() else split_seed(str(source))
        section = ZonesSection(scenario=base, copies=copies or 1, seed=seed)
        return _checked(load_draws(base).scenario.name, [section], Reader(folder))
    if copies is not None:
        right = f"give copies in {NATION}, for each of its zones"
        raise ScenarioError([Issue(NATION, "", "copies", "is given beside the file", right)])
    reader = Reader(folder)
    raw = reader.toml(NATION)
    read = reader.section("", _NationFile, raw, file=NATION) if raw is not None else None
    if read is None:
        raise ScenarioError(reader.issues)
    return _checked(read.name, read.zones, reader)


def _checked(name: str, sections: list[ZonesSection], reader: Reader) -> Nation:
    kinds: list[ZoneKind] = []
    shared: list[tuple[str, Horizon]] = []
    for k, section in enumerate(sections, 1):
        found = _draws(section, reader)
        if found is None:
            continue
        given = found.scenario
        seed = given.search.seed if section.seed is None else section.seed
        called = section.name or given.name
        kind = ZoneKind(called, given.source, fingerprint(given), seed, section.copies)
        _check_names(kind, kinds, f"[[zones]] {k}", reader)
        kinds.append(kind)
        shared.append((given.situation.market.currency, given.situation.horizon))
    _check_shared(shared, reader)
    if reader.issues:
        raise ScenarioError(reader.issues)
    return Nation(name, *shared[0], tuple(kinds))


def _check_names(kind: ZoneKind, others: list[ZoneKind], where: str, reader: Reader) -> None:
    for other in others:
        first = max(kind.seeds.start, other.seeds.start)
        if kind.name == other.name and first < min(kind.seeds.stop, other.seeds.stop):
            wrong = f"{kind.zone(first)} stands here twice"
            reader.wrong(NATION, where, "seed", wrong, "give another seed or name")


def _check_shared(shared: list[tuple[str, Horizon]], reader: Reader) -> None:
    currencies = sorted({currency for currency, _ in shared})
    if len(currencies) > 1:
        wrong = f"zones have {' and '.join(currencies)}"
        reader.wrong(NATION, "", "currency", wrong, "a nation has one currency")
    spans = {(one.start_utc, one.slots, one.slot_minutes) for _, one in shared}
    if len(spans) > 1:
        said = sorted(f"{slots} x {minutes} min from {start}" for start, slots, minutes in spans)
        wrong = f"zones have {' and '.join(said)}"
        reader.wrong(NATION, "", "horizon", wrong, "a nation has one horizon, to be added up over")


def _draws(section: ZonesSection, reader: Reader) -> Draws | None:
    """The zones' scenario; what is wrong with it is noted under its name."""
    name = section.scenario
    beside = reader.folder / name
    try:
        return load_draws(beside if name not in packaged() and beside.is_dir() else name)
    except ScenarioError as error:
        reader.issues.extend(
            one if one.file == name else replace(one, file=f"{name}/{one.file}")
            for one in error.issues
        )
        return None
