"""Faust's tables, for groups that change while checkpoints are looked for."""

from collections import Counter

from faust.tables import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.types import TP
from faust.types.transports import ConsumerT


class GroupAwareRecovery(Recovery):
    """Reads tables anew where the group has changed since it asked where they begin."""

    async def _seek_offsets(self, consumer: ConsumerT, tps: set[TP], offsets: Counter[TP], title: str) -> None:
        """Go to where each partition of a table is to be read from.

        Both arguments become those of the new group when it changes, and there they have no offsets yet: Faust would
        go to none, and fail. Its own way to begin again is ``RebalanceAgain``.
        """
        if any(offsets[tp] is None for tp in tps):
            raise RebalanceAgain
        await super()._seek_offsets(consumer, tps, offsets, title)


class Tables(TableManager):
    """The tables of a processor."""

    @property
    def recovery(self) -> Recovery:
        """What reads them back."""
        if self._recovery is None:
            self._recovery = GroupAwareRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
