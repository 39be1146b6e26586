"""A desktop's notification service on a D-Bus of its own: what browsers show there, and real clicks.

https://specifications.freedesktop.org/notification-spec/latest/
"""

# No postponed annotations: D-Bus signatures are read from them, and "u" or "as" are no Python types.

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Self

from dbus_fast import Message, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusSignature
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

NAME: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"
SHOWN_WITHIN_S: Final = 30.0
BY_THE_USER: Final = 2
"""Why a notification closed: dismissed by the user."""
DEFAULT: Final = "default"
"""The key of the action that a click on the notification itself invokes."""

Number = Annotated[int, DBusSignature("u")]
Text = Annotated[str, DBusSignature("s")]
Texts = Annotated[list[str], DBusSignature("as")]
Hints = Annotated[dict[str, Variant], DBusSignature("a{sv}")]
Signed = Annotated[int, DBusSignature("i")]


_PING: Final = Message(
    destination="org.freedesktop.DBus",
    path="/org/freedesktop/DBus",
    interface="org.freedesktop.DBus",
    member="GetId",
)


@dataclass(frozen=True, slots=True)
class OnTheDesktop:
    """One notification: ``buttons`` are the keys of its actions by what stands on them."""

    number: int
    title: str
    body: str
    buttons: dict[str, str]


class _Notifications(ServiceInterface):
    def __init__(self) -> None:
        super().__init__(NAME)
        self.shown: list[OnTheDesktop] = []
        self.changed = asyncio.Condition()
        self._count = 0

    @dbus_method()
    def GetCapabilities(self) -> Texts:  # noqa: N802 -- the specification's own name
        return ["body", "actions", "body-markup", "persistence"]

    @dbus_method()
    def GetServerInformation(  # noqa: N802 -- the same
        self,
    ) -> Annotated[tuple[str, str, str, str], DBusSignature("ssss")]:
        return ("tests", "laundryd", "1", "1.2")

    @dbus_method()
    async def Notify(  # noqa: N802, PLR0917 -- the same, and its own order
        self,
        app: Text,
        replaces: Number,
        icon: Text,
        summary: Text,
        body: Text,
        actions: Texts,
        hints: Hints,
        timeout: Signed,  # noqa: ASYNC109 -- the same
    ) -> Number:
        del app, icon, hints, timeout
        self._count += 1
        number = replaces or self._count
        buttons = dict(zip(actions[1::2], actions[::2], strict=True))
        async with self.changed:
            self.shown.append(OnTheDesktop(number, summary, body, buttons))
            self.changed.notify_all()
        return number

    @dbus_method()
    def CloseNotification(self, number: Number) -> None:  # noqa: N802 -- the same
        self.NotificationClosed(number, 3)

    @dbus_signal()
    def NotificationClosed(  # noqa: N802 -- the same
        self, number: int, reason: int
    ) -> Annotated[tuple[int, int], DBusSignature("uu")]:
        return (number, reason)

    @dbus_signal()
    def ActionInvoked(  # noqa: N802 -- the same
        self, number: int, key: str
    ) -> Annotated[tuple[int, str], DBusSignature("us")]:
        return (number, key)


class Desktop:
    """A running D-Bus with the service; use it with ``async with``, and end the browser first.

    ``address``: for the browser, as ``DBUS_SESSION_BUS_ADDRESS``.
    """

    def __init__(self) -> None:
        self.address = ""
        self._service = _Notifications()

    async def __aenter__(self) -> Self:
        program = shutil.which("dbus-daemon")
        assert program is not None, "no dbus-daemon on PATH: apt-get install dbus"
        self._daemon = await asyncio.create_subprocess_exec(
            program,
            "--session",
            "--nofork",
            "--print-address=1",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # which services of the system it started
            env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": ""},
        )
        assert self._daemon.stdout is not None
        self.address = (await self._daemon.stdout.readline()).decode().strip()
        self._bus = await MessageBus(bus_address=self.address).connect()
        self._bus.export(PATH, self._service)
        await self._bus.request_name(NAME)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._bus.disconnect()
        self._daemon.terminate()
        await self._daemon.wait()

    @property
    def shown(self) -> Sequence[OnTheDesktop]:
        """All that was ever shown, in order."""
        return self._service.shown

    async def until_shown(self, title: str, count: int = 1) -> OnTheDesktop:
        """Wait until ``count`` notifications of this title were shown; return the last of them.

        Raises:
            TimeoutError: they were not within ``SHOWN_WITHIN_S``.

        """

        def found() -> list[OnTheDesktop]:
            return [one for one in self.shown if one.title == title]

        async with asyncio.timeout(SHOWN_WITHIN_S), self._service.changed:
            await self._service.changed.wait_for(lambda: len(found()) >= count)
            # There and back: the browser has its number before anybody can press anything.
            await self._bus.call(_PING)
        return found()[-1]

    def press(self, shown: OnTheDesktop, button: str | None = None) -> None:
        """Press a button by what stands on it; None: click the notification itself."""
        key = DEFAULT if button is None else shown.buttons[button]
        self._service.ActionInvoked(shown.number, key)
        self._service.NotificationClosed(shown.number, BY_THE_USER)
