"""The process in which hubs are decided about."""

from __future__ import annotations

from hubwise.cli.elsewhere import Elsewhere
from hubwise.live.deciding import Decided, decided
from hubwise.live.outlook import Outlook


class DecidingProcess(Elsewhere):
    """Decisions elsewhere, so that no answer to a station waits for one."""

    async def decide(self, outlook: Outlook) -> Decided:
        """What every stay does; raises as `call` does."""
        return await self.call(decided, outlook)
