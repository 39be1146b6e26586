"""Acknowledgements that the server may not have got yet. Pure.

The server takes a connection's frames in order, so a pong says that everything before its ping arrived.
What no pong has confirmed is sent again after a reconnect; an acknowledgement twice is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from laundryd.wire import frames
from laundryd.wire.events import AckKind
from laundryd.wire.ids import NoticeId

KEPT_MAX: Final = 1_000
"""Unconfirmed ids that are kept; a resident gets some ten notices a day."""
IDS_A_FRAME: Final = 100
"""As many as the contract allows."""


@dataclass(slots=True)
class _Told:
    kind: AckKind
    after_pings: int | None
    """Pings that went before it over this connection; None: not sent over this connection."""


class Acks:
    """What was shown and read, until it is confirmed."""

    def __init__(self) -> None:
        self._told: dict[NoticeId, _Told] = {}
        self._pings = 0
        self._pongs = 0

    def add(self, kind: AckKind, ids: Iterable[NoticeId]) -> None:
        """Take ids to tell; that something was read says that it was shown."""
        for notice_id in ids:
            known = self._told.pop(notice_id, None)
            was_read = known is not None and known.kind is AckKind.READ
            self._told[notice_id] = _Told(AckKind.READ if was_read else kind, None)
        while len(self._told) > KEPT_MAX:
            del self._told[next(iter(self._told))]

    def connected(self) -> None:
        """Begin anew on a new connection: nothing was said over it yet."""
        self._pings = self._pongs = 0
        for told in self._told.values():
            told.after_pings = None

    def pinged(self) -> None:
        """Count a ping of ours that goes out."""
        self._pings += 1

    def ponged(self) -> None:
        """Take its answer: everything sent before it has arrived."""
        self._pongs += 1
        self._told = {
            notice_id: told
            for notice_id, told in self._told.items()
            if told.after_pings is None or told.after_pings >= self._pongs
        }

    def to_send(self) -> list[frames.ClientFrame]:
        """Return the frames that tell what was not told over this connection; they count as sent."""
        found: list[frames.ClientFrame] = []
        for kind, frame in ((AckKind.SHOWN, frames.Ack), (AckKind.READ, frames.Read)):
            ids = [
                notice_id
                for notice_id, told in self._told.items()
                if told.kind is kind and told.after_pings is None
            ]
            found += [
                frame(notice_ids=ids[start : start + IDS_A_FRAME])
                for start in range(0, len(ids), IDS_A_FRAME)
            ]
            for notice_id in ids:
                self._told[notice_id].after_pings = self._pings
        return found
