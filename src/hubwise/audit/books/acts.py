"""Acts of operators against what follows from them: neither stands without the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from hubwise.audit.books.faults import Faults
from hubwise.audit.books.forms import Said

OPERATOR = "operator:"
# Verbs that leave an event of another kind behind; what follows from others is a bill or a row.
FOLLOWED = ("post prices", "withdraw prices", "limit", "lift", "wish")
Words = tuple[str, ...]


@dataclass(slots=True)
class Acts:
    """Acts whose event was not seen yet, by their words; of each where they stand."""

    faults: Faults
    _open: dict[Words, list[str]] = field(default_factory=dict)

    def take(self, said: Said, place: str) -> None:
        """An act."""
        if not (said["who"] and said["why"] and said["verb"]):
            self.faults.add("acts: listed", place, "without a name or a reason")
        if said["verb"] in FOLLOWED:
            why = () if said["verb"] == "wish" else (said["why"],)
            words = (said["verb"], said["who"], said["what"], *why)
            self._open.setdefault(words, []).append(place)

    def limit(self, said: Said, place: str) -> None:
        """A limit of a hub: an act stands before it."""
        verb = "lift" if said["until"] <= said["received_at"] else "limit"
        what = f"{said['hub']}: {said['most_kw']} kW"
        if not self._met((verb, said["by"], what, said["why"])):
            self.faults.add("acts: followed", place, "a limit without an act")

    def posted(self, said: Said, *, first: bool) -> bool:
        """Whether an operator's list, or its end where it is not the first word, has an act."""
        told = said["ordered"]
        verb = "post prices" if first else "withdraw prices"
        return self._met((verb, told["by"], told["order"], told["why"]))

    def wished(self, by: str, session: str) -> bool:
        """Whether a wish said by an operator has an act."""
        return self._met(("wish", by.removeprefix(OPERATOR), session))

    def end(self) -> None:
        """Nothing follows."""
        for words, places in self._open.items():
            for place in places:
                self.faults.add("acts: followed", place, f"{words[0]!r} was left without effect")

    def _met(self, words: Words) -> bool:
        """Whether such an act waited for its event; one less does."""
        places = self._open.get(words, [])
        return bool(places and places.pop())
