"""Names to addresses for the push sender: never to an address of our own network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final, Protocol

from cloud_relay.push.endpoints import PushHosts

AddrInfo = tuple[
    int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]
"""As of ``socket.getaddrinfo``: family, type, protocol, canonical name, socket address."""


class PrivateAddressError(OSError):
    """A push service's name leads to an address that is not public."""


class Resolver(Protocol):
    """Knows the addresses of names."""

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        """Return every address of ``host``, the best first.

        Raises:
            OSError: it does not resolve.

        """
        ...


class SystemResolver:
    """Asks this computer's resolver, in a thread of the event loop's."""

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        """Return every address of ``host`` that this computer could reach by its family."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        return [
            (family, kind, proto, name, address) for family, kind, proto, name, address in found
        ]


class PublicResolver:
    """Resolves names at each new connection and refuses every address that is not public.

    Who asks for a name while it is being asked for shares the answer: a name server that hangs holds one
    thread a name, and no more.
    """

    def __init__(self, hosts: PushHosts, resolver: Resolver | None = None) -> None:
        self._hosts = hosts
        self._resolver = resolver if resolver is not None else SystemResolver()
        self._asked: dict[tuple[str, int], asyncio.Task[list[AddrInfo]]] = {}

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        """Resolve ``host``.

        Raises:
            PrivateAddressError: one of its addresses is private, loopback, link-local or reserved.
            OSError: it does not resolve.

        """
        found = await asyncio.shield(self._ask(host, port))
        if not self._hosts.allows_private(host):
            for *_, address in found:
                if not is_public(str(address[0])):
                    raise PrivateAddressError(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        """Ask no more; who still waits is cancelled."""
        for task in self._asked.values():
            task.cancel()
        if self._asked:
            await asyncio.wait(self._asked.values())

    def _ask(self, host: str, port: int) -> asyncio.Task[list[AddrInfo]]:
        task = self._asked.get((host, port))
        if task is None:
            task = asyncio.create_task(self._resolver.resolve(host, port), name="push resolver")
            self._asked[host, port] = task
            task.add_done_callback(lambda done: self._answered(host, port, done))
        return task

    def _answered(self, host: str, port: int, task: asyncio.Task[list[AddrInfo]]) -> None:
        self._asked.pop((host, port), None)
        if not task.cancelled():
            task.exception()  # whoever waited hears it; that nobody did is no error


def is_public(address: str) -> bool:
    """Say whether an address literal is one of the public internet; also what an IPv6 one carries inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if any(ip in network for network in _IPV4_AT_THE_END):
            inner = ipaddress.IPv4Address(ip.packed[-4:])
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


_IPV4_AT_THE_END: Final = (
    ipaddress.IPv6Network("64:ff9b::/96"),  # what a NAT64 translates (RFC 6052)
    ipaddress.IPv6Network("::/96"),  # "IPv4-compatible" (RFC 4291 section 2.5.5.1)
)
