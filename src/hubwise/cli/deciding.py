"""The process in which hubs are decided about."""

from __future__ import annotations

from hubwise.cli.elsewhere import Elsewhere
from hubwise.live.deciding import Decided, Left, decided_onward
from hubwise.live.outlook import Outlook


class DecidingProcess(Elsewhere):
    """Decisions elsewhere, so that no answer to a station waits for one."""

    async def decide(self, outlook: Outlook) -> Decided:
        """What every stay does; raises as `call` does."""
        return await self.call(_decided, outlook)


# In the process that decides: by hub, what was decided last. Where it dies, the next begins cold.
_left: dict[str, Left] = {}


def _decided(outlook: Outlook) -> Decided:
    """A decision from what this process decided before; after one that fails, from nothing."""
    found, _left[outlook.hub] = decided_onward(outlook, _left.pop(outlook.hub, None))
    return found
