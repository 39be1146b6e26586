"""Who is connected: sessions across reconnects. Pure, with the time as an argument.

A session is named by its ``session_id`` and has at most one connection. Each connection gets a new
generation number; whatever an older generation still says, its death above all, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from laundryd.live.attention import Attention
from laundryd.live.kept import KeptSession
from laundryd.live.session_ids import SessionIds
from laundryd.wire.ids import DeviceId, ResidentId, SessionId

Link = TypeVar("Link")


@dataclass(slots=True)
class Session(Generic[Link]):
    """One session. ``link`` is its connection, None when dropped; ``dropped_s`` says since when."""

    session_id: SessionId
    resident: ResidentId
    device: DeviceId
    connected_since: datetime
    attention: Attention
    generation: int
    link: Link | None
    attentive: bool = False
    dropped_s: float | None = None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as the rest of the program sees it.

    ``connected`` is false for one that dropped so lately that it still counts as it was.
    ``connected_since`` is room time.
    """

    session_id: SessionId
    resident: ResidentId
    device: DeviceId
    attentive: bool
    visible: bool
    connected: bool
    connected_since: datetime


class Sessions(Generic[Link]):
    """All sessions of one process.

    ``attentive_s``: how long after a touch a visible page is looked at. ``linger_s``: how long a dropped
    session still counts as it was. ``ids`` makes the ids and says whose they are. ``per_resident_max``:
    sessions of one resident; beyond them the oldest dropped ones are forgotten, since a program that
    comes and goes would otherwise fill the memory.
    """

    def __init__(
        self, *, attentive_s: float, linger_s: float, per_resident_max: int, ids: SessionIds
    ) -> None:
        self._attentive_s = attentive_s
        self._linger_s = linger_s
        self._per_resident_max = per_resident_max
        self._ids = ids
        self._by_id: dict[SessionId, Session[Link]] = {}
        self._by_resident: dict[ResidentId, dict[SessionId, Session[Link]]] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def attach(
        self,
        *,
        asked_id: SessionId | None,
        resident: ResidentId,
        device: DeviceId,
        link: Link,
        attention: Attention,
        since: datetime,
        now_s: float,
    ) -> tuple[Session[Link], Link | None]:
        """Connect ``link`` and return its session, and the older connection that it replaces, if any.

        ``asked_id`` is kept if it was made for this resident on this device, also when it is not known
        here, after a restart of the server say. Any other is answered with a new one.
        """
        self._generation += 1
        if asked_id is not None and not self._ids.is_theirs(asked_id, resident, device):
            asked_id = None
        known = self._by_id.get(asked_id) if asked_id is not None else None
        if known is not None:
            replaced, known.link = known.link, link
            known.generation = self._generation
            known.dropped_s = None
            known.connected_since = since
            # identify says whether the page is visible; when it was touched, the session knows better.
            known.attention = Attention(
                visible=attention.visible, touched_s=known.attention.touched_s
            )
            self._judge(known, now_s)
            return known, replaced
        session_id = asked_id if asked_id is not None else self._ids.new(resident, device)
        session = Session(
            session_id=session_id,
            resident=resident,
            device=device,
            connected_since=since,
            attention=attention,
            generation=self._generation,
            link=link,
        )
        self._judge(session, now_s)
        self._make_room_for(resident)
        self._add(session)
        return session, None

    def kept(self, now_s: float) -> list[KeptSession]:
        """Write down all sessions, for ``restore`` in another life."""
        return [
            KeptSession(
                session_id=session.session_id,
                resident=session.resident,
                device=session.device,
                connected_since=session.connected_since,
                visible=session.attention.visible,
                attentive=session.attentive,
                touched_s_ago=max(0.0, now_s - session.attention.touched_s),
            )
            for session in self._by_id.values()
        ]

    def restore(self, kept: Iterable[KeptSession], *, kept_s_ago: float, now_s: float) -> None:
        """Take in what another life had written down: they count as dropped just now.

        Who was attentive counts as having touched the page until then.

        Ids that are not of this server's making are left out, and sessions that are here already.
        """
        for one in kept:
            if one.session_id in self._by_id or not self._ids.is_theirs(
                one.session_id, one.resident, one.device
            ):
                continue
            touched_s = now_s - (0.0 if one.attentive else one.touched_s_ago + kept_s_ago)
            session: Session[Link] = Session(
                session_id=one.session_id,
                resident=one.resident,
                device=one.device,
                connected_since=one.connected_since,
                attention=Attention(visible=one.visible, touched_s=touched_s),
                generation=self._generation,
                link=None,
                dropped_s=now_s,
            )
            self._judge(session, now_s)
            self._add(session)

    def detach(
        self, session_id: SessionId, generation: int, *, now_s: float, on_purpose: bool
    ) -> bool:
        """Take a connection's death; False if it was an old one's, which means nothing.

        ``on_purpose``: the page was closed, so the session is gone at once; otherwise it lingers.
        """
        session = self._by_id.get(session_id)
        if session is None or session.generation != generation or session.link is None:
            return False
        session.link = None
        session.dropped_s = now_s
        if on_purpose or self._linger_s == 0:
            self._forget(session)
        return True

    def attend(
        self, session_id: SessionId, generation: int, attention: Attention, now_s: float
    ) -> bool:
        """Take what a connection says of its page; True if the session began or ceased to look."""
        session = self._by_id.get(session_id)
        if session is None or session.generation != generation:
            return False
        session.attention = attention
        return self._judge(session, now_s)

    def sweep(self, now_s: float) -> bool:
        """Let attention lapse and forget who dropped too long ago; True if anything changed."""
        changed = False
        for session in list(self._by_id.values()):
            if session.dropped_s is not None and now_s - session.dropped_s >= self._linger_s:
                self._forget(session)
                changed = True
            elif self._judge(session, now_s):
                changed = True
        return changed

    def forget_device(self, device: DeviceId) -> bool:
        """Forget a revoked device's sessions; True if there were any. Their links are the caller's."""
        gone = [session for session in self._by_id.values() if session.device == device]
        for session in gone:
            self._forget(session)
        return bool(gone)

    def current(self, session_id: SessionId, resident: ResidentId) -> Link | None:
        """Return the connection that ``session_id`` of ``resident`` has now, None if it has none."""
        session = self._by_id.get(session_id)
        return session.link if session is not None and session.resident == resident else None

    def links(self, resident: ResidentId) -> list[Link]:
        """Return all open connections of ``resident``."""
        found = self._by_resident.get(resident, {}).values()
        return [session.link for session in found if session.link is not None]

    def views(self, resident: ResidentId | None = None) -> Iterator[SessionView]:
        """Show all sessions, or those of ``resident``, in the order in which they came."""
        source = self._by_id if resident is None else self._by_resident.get(resident, {})
        for session in source.values():
            yield SessionView(
                session_id=session.session_id,
                resident=session.resident,
                device=session.device,
                attentive=session.attentive,
                visible=session.attention.visible,
                connected=session.link is not None,
                connected_since=session.connected_since,
            )

    def _add(self, session: Session[Link]) -> None:
        self._by_id[session.session_id] = session
        self._by_resident.setdefault(session.resident, {})[session.session_id] = session

    def _make_room_for(self, resident: ResidentId) -> None:
        theirs = self._by_resident.get(resident, {})
        surplus = len(theirs) + 1 - self._per_resident_max
        for session in [one for one in theirs.values() if one.link is None][: max(0, surplus)]:
            self._forget(session)

    def _judge(self, session: Session[Link], now_s: float) -> bool:
        before = session.attentive
        session.attentive = session.attention.is_attentive(now_s, self._attentive_s)
        return session.attentive is not before

    def _forget(self, session: Session[Link]) -> None:
        del self._by_id[session.session_id]
        theirs = self._by_resident[session.resident]
        del theirs[session.session_id]
        if not theirs:
            del self._by_resident[session.resident]
