"""Which price list is offered when: the site's own, and what operators post over it.

The site's own list is that of ``site.toml``, or the one that follows the market. One that an
operator posted holds over it from its beginning to its end, or until it is taken back; of several,
the one that was posted last. Nothing that comes later changes what was offered at a time before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hubwise.domain.events import PricesPosted


@dataclass(slots=True)
class Offered:
    """Price lists as they were posted.

    Parameters
    ----------
    own
        The site's own, in order; each holds until the next.
    ordered
        Those of operators, by order, as said last; in the order in which they were said first.
    """

    own: list[PricesPosted] = field(default_factory=list)
    ordered: dict[str, PricesPosted] = field(default_factory=dict)

    def take(self, posted: PricesPosted) -> None:
        """Take up a list."""
        if posted.ordered is None:
            self.own.append(posted)
        else:
            self.ordered[posted.ordered.order] = posted

    def at(self, when: datetime) -> PricesPosted:
        """The list offered at a time; before the first of the site's own, that.

        Raises
        ------
        IndexError
            Where the site has none of its own.
        """
        for posted in reversed(self.ordered.values()):
            if posted.ordered is not None and posted.ordered.holds(when):
                return posted
        return next((it for it in reversed(self.own) if it.received_at <= when), self.own[0])

    def standing(self, now: datetime) -> list[PricesPosted]:
        """What operators posted that holds or is to come, the one posted last first."""
        return [
            posted
            for posted in reversed(self.ordered.values())
            if (said := posted.ordered) is not None and (said.until is None or now < said.until)
        ]


def source_of(posted: PricesPosted) -> str:
    """Who posted a list: an operator by name, or else ``market`` or ``site.toml``."""
    if posted.ordered is not None:
        return posted.ordered.by
    return "site.toml" if posted.followed is None else "market"
