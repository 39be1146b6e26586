"""Errors of the edge.

EdgeError
├── BrokerUnreachableError  the room's broker does not answer, or does not let us in
├── EnrolmentError          the enrolment file is missing, unreadable or another room's
├── JoinCodeError           a join code was made and cannot be kept
├── PlotError               a replay's picture cannot be drawn or written
├── RosterAwaitedError      an enrolled room has no roster yet and can judge no token
└── RosterError             a roster is not signed by our relay, for another room, or older than ours

Wrong settings are laundryd.daemon.settings.SettingsError; a database that cannot be opened is
laundryd.daemon.sqlite.MigrationError or sqlite3.Error.
"""

from __future__ import annotations


class EdgeError(Exception):
    """Base of the edge's own errors; the message says what happened, where, and what to do."""


class BrokerUnreachableError(EdgeError):
    """The room's broker does not answer, or does not let us in."""


class EnrolmentError(EdgeError):
    """The enrolment file is missing, unreadable or another room's."""


class JoinCodeError(EdgeError):
    """A join code was made and cannot be kept, so it lets nobody in."""


class PlotError(EdgeError):
    """A replay's picture cannot be drawn or written; the replay itself stands."""


class RosterAwaitedError(EdgeError):
    """An enrolled room has no roster yet: nobody's token can be judged, and none is wrong for that."""


class RosterError(EdgeError):
    """A roster that must not be used; the one before it stays in force."""
