"""What another wish would change, before it is kept: the stay as it is beside the stay as it would
be."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hubwise.domain.events import WishSaid
from hubwise.domain.modes import Mode
from hubwise.live import acts
from hubwise.live.fold import Session
from hubwise.live.mine import MyStay, my_stay
from hubwise.live.rights import Actor
from hubwise.live.site import Site


@dataclass(frozen=True, slots=True)
class Trial:
    """A stay as it stands, and as it would with a wish; ``known``: whether a plan says so."""

    wish: WishSaid
    before: MyStay
    after: MyStay

    @property
    def known(self) -> bool:
        """Whether it is known what the wish comes to: it is not where nobody says when to leave."""
        return self.after.expected is not None


async def try_wish(site: Site, session: Session, actor: Actor, asked: acts.Preferences) -> Trial:
    """Work out what a wish would change; nothing is kept.

    Raises
    ------
    acts.NotNowError
        Where the stay is over, or the wish cannot be.
    TimeoutError
        Where it takes too long.
    """
    wish = await acts.wish_of(site, session, actor, asked)
    plan = None if wish.mode is Mode.CHARGE_NOW else await site.tried(wish)
    before = await my_stay(site, session)
    return Trial(wish, before, await my_stay(site, session, wish, plan))


def in_mode(session: Session, mode: Mode) -> acts.Preferences:
    """What was wished last, in another mode."""
    wish = session.wish
    if wish is None:
        zero = acts.Preferences.nothing()
        return replace(zero, mode=mode)
    levels = (wish.energy_kwh, wish.required_kwh, wish.reserve_kwh)
    return acts.Preferences(wish.departure_at, *levels, mode)
