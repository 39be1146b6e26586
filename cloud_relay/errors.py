"""Errors of the relay, as a tree.

::

    RelayError
    ├── SetupError          a file or folder that `laundryd relay init` makes is missing or wrong
    └── RoomExistsError     the room was enrolled before

    laundryd.daemon.settings.SettingsError      wrong settings, one sentence each
    laundryd.daemon.problems.ProblemError       a refused request, with a code of the wire's table
"""

from __future__ import annotations


class RelayError(Exception):
    """Base of the relay's own errors; the message says what happened, where, and what to do."""


class SetupError(RelayError):
    """Something that ``laundryd relay init`` makes is missing, unreadable or not what it should be."""


class RoomExistsError(RelayError):
    """The room was enrolled before."""
