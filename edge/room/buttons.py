"""Which buttons of a notice can be meant: those whose command the room takes from its resident now."""

from __future__ import annotations

from edge.room.records import MachineRecord
from laundryd.wire.commands import COMMAND_PHASES, CommandName
from laundryd.wire.notices import ACTIONS, NOTICES, ActionId, NoticeKind


def buttons(kind: NoticeKind, record: MachineRecord) -> tuple[ActionId, ...]:
    """Return the row's buttons that make sense of ``record``, the machine after what is told."""
    return tuple(
        action for action in NOTICES[kind].actions if _is_meant(ACTIONS[action].command, record)
    )


def _is_meant(command: CommandName, record: MachineRecord) -> bool:
    if command is CommandName.EXTEND and record.end_is_the_plugs:
        return False
    return record.phase in COMMAND_PHASES[command]
