"""``laundryd edge check``: what the edge would do by its settings, and whether it could.

The looks are I/O, in ``checks.look`` and ``checks.listen``; what is said of them is judged by pure code
in ``checks.computer`` and ``checks.wire``. Nothing is changed, and an edge that runs is not disturbed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Final, TextIO
from urllib.parse import urlsplit

from edge.checks.computer import (
    judge_certificate,
    judge_clock,
    judge_database,
    judge_folder,
    judge_names,
    judge_page,
)
from edge.checks.finding import Finding, fail, has_failed, ok, warn
from edge.checks.listen import hear_room, knock
from edge.checks.look import (
    look_at_certificate,
    look_at_database,
    look_at_folder,
    look_at_page,
)
from edge.checks.wire import judge_broker, judge_cloud, judge_plug, judge_unused
from edge.errors import EnrolmentError
from edge.link.enrolment import read_enrolment
from edge.local.codes import DATABASE
from edge.settings import EdgeSettings
from edge.store.migrations import MIGRATIONS
from laundryd.wire.origins import knows_host

LISTEN_S: Final = 10.0
"""How long to wait for plugs, seconds: a plug that is asked answers at once; many report every 10 s."""


async def check(
    settings: EdgeSettings, out: TextIO, *, seconds: float = LISTEN_S, as_json: bool = False
) -> bool:
    """Write a line for each thing looked at, as soon as it is known; False when one must be mended."""
    findings: list[Finding] = []
    async for finding in _findings(settings, seconds):
        findings.append(finding)
        out.write((finding.as_json() if as_json else finding.line()) + "\n")
        out.flush()
    return not has_failed(findings)


async def _findings(settings: EdgeSettings, seconds: float) -> AsyncIterator[Finding]:
    for finding in _plan(settings):
        yield finding
    now = datetime.now(UTC)
    yield judge_clock(now)
    folder = await asyncio.to_thread(look_at_folder, settings.data_dir)
    for finding in judge_folder(folder, settings.store.max_bytes):
        yield finding
    database = await asyncio.to_thread(look_at_database, settings.data_dir / DATABASE)
    yield judge_database(database, len(MIGRATIONS))
    async for finding in _page(settings, now):
        yield finding
    broker, plugs, unused = await hear_room(
        settings.broker, settings.ref, settings.machines, seconds
    )
    yield judge_broker(broker)
    if broker.trouble is None:
        for plug in plugs:
            yield judge_plug(plug, seconds)
        for finding in judge_unused(unused, all_heard=all(plug.readings for plug in plugs)):
            yield finding
    async for finding in _cloud(settings):
        yield finding


def _plan(settings: EdgeSettings) -> Iterator[Finding]:
    """Say what the edge would do."""
    yield ok("room", f"{settings.ref.key}, {settings.name}")
    for machine in settings.machines:
        plug = machine.plug
        how = f"plug {plug.source} {plug.topic}" if plug else "no plug: residents and timers decide"
        yield ok(f"machine {machine.id}", f"{machine.kind}, {machine.name}, {how}")
    if settings.testing.enabled:
        yield warn("testing", "it is on", "remove [testing]: this is for demos and tests alone")


async def _page(settings: EdgeSettings, now: datetime) -> AsyncIterator[Finding]:
    http = settings.http
    tls = http.certfile is not None
    address = f"{'https' if tls else 'http'}://{http.host}:{http.port}"
    name = next(iter(http.hosts))
    seen = await asyncio.to_thread(look_at_page, http.host, http.port, name, tls=tls)
    yield judge_page(seen, address)
    parts = urlsplit(http.public_url or "")
    known = knows_host(parts.netloc, [host.lower() for host in settings.hosts])
    for finding in judge_names(parts.netloc or None, is_known=known):
        yield finding
    if http.certfile is not None and http.keyfile is not None:
        certificate = await asyncio.to_thread(look_at_certificate, http.certfile, http.keyfile)
        yield judge_certificate(certificate, now)


async def _cloud(settings: EdgeSettings) -> AsyncIterator[Finding]:
    path = settings.cloud.enrolment
    if path is None:
        yield ok("cloud", "none: the room works by itself")
        return
    try:
        enrolment = read_enrolment(path, settings.ref)
    except EnrolmentError as error:
        yield fail("enrolment", str(error), "the edge does not start with it")
        return
    yield ok("enrolment", f"{path}, of {enrolment.relay_url}")
    yield judge_cloud(await knock(enrolment.broker, "cloud broker"))
