"""What the room's computer must offer: clock, folder, database, port, certificate. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge.checks.finding import Finding, fail, ok, warn

CLOCK_FROM: Final = 2025
CLOCK_TO: Final = 2099
"""Years that a set clock can show: from this program's release to the end of what anybody plans."""
FREE_LEAST_BYTES: Final = 16 * 1024 * 1024
"""Free space below which the disk counts as full: the database's log and one copy of a small room."""
CERTIFICATE_WARN: Final = timedelta(days=21)
"""Renewals are usual 30 days before the end: nine days later one has failed."""
_MB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FolderSight:
    """The data folder. ``free_bytes`` None: cannot be told. ``trouble`` None: it can be written.

    ``strangers``: files in it that belong to another user than the folder does. ``damaged``: names of
    databases that were moved aside. ``exists`` False: it would be made, in the nearest folder above.
    """

    path: Path
    exists: bool
    trouble: str | None
    free_bytes: int | None
    strangers: Sequence[str] = ()
    damaged: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DatabaseSight:
    """The database's file. ``size_bytes`` None: there is none yet. ``trouble`` None: it reads well."""

    path: Path
    size_bytes: int | None
    schema: int = 0
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class PageSight:
    """The page's port. ``refused`` None: it can be listened on.

    ``is_edge``: an edge answers there already, and ``store_trouble`` is what it says of its database.
    """

    refused: str | None
    is_edge: bool = False
    store_trouble: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateSight:
    """The page's certificate. ``trouble`` None: certificate and key can be read and belong together."""

    not_before: datetime | None = None
    not_after: datetime | None = None
    trouble: str | None = None


def judge_clock(now: datetime) -> Finding:
    """Judge whether the computer's clock can be right."""
    shown = f"it shows {now:%Y-%m-%d %H:%M:%S} UTC"
    if CLOCK_FROM <= now.year <= CLOCK_TO:
        return ok("clock", shown)
    return fail(
        "clock",
        f"{shown}, which cannot be",
        "set it, best by a time server (timedatectl set-ntp true)",
    )


def judge_folder(seen: FolderSight, database_max_bytes: int) -> list[Finding]:
    """Judge the data folder; ``database_max_bytes`` is what the database may grow to."""
    what = "data folder"
    if seen.trouble is not None:
        remedy = "give it to the user that runs the edge, or name another as data_dir"
        return [fail(what, f"{seen.path} cannot be written: {seen.trouble}", remedy)]
    free = seen.free_bytes
    room = f"{seen.path}{'' if seen.exists else ' will be made'}"
    room += "" if free is None else f", {free // _MB} MiB free"
    found: list[Finding] = []
    if free is not None and free < FREE_LEAST_BYTES:
        found.append(fail(what, room, "free some of the disk: without space nothing can be kept"))
    elif free is not None and free < database_max_bytes:
        most = f"the database may grow to {database_max_bytes // _MB} MiB"
        found.append(warn(what, room, f"{most}: free some of the disk, or lower store.max_mb"))
    else:
        found.append(ok(what, room))
    if seen.strangers:
        names = ", ".join(seen.strangers)
        remedy = (
            "give them to the folder's owner (chown --reference), or the service cannot use them"
        )
        found.append(fail(what, f"another user's files lie in it: {names}", remedy))
    if seen.damaged:
        names = ", ".join(seen.damaged)
        remedy = "look whether the disk is dying; keep them elsewhere, and remove them here"
        found.append(warn(what, f"damaged databases were moved aside: {names}", remedy))
    return found


def judge_database(seen: DatabaseSight, schema_newest: int) -> Finding:
    """Judge the database's file; ``schema_newest`` is the newest schema that this program knows."""
    if seen.trouble is not None:
        remedy = (
            "put a backup in its place while the edge is stopped; left so, the edge moves it aside, "
            "saves what can be read and goes on, in memory if it cannot be written"
        )
        return fail("database", f"{seen.path} cannot be used: {seen.trouble}", remedy)
    if seen.size_bytes is None:
        return ok("database", f"{seen.path} is not there and will be made")
    if seen.schema > schema_newest:
        found = f"its schema {seen.schema} is newer than this program knows ({schema_newest})"
        remedy = "run the newer version, or restore the backup made before its upgrade"
        return fail("database", found, remedy)
    size = f"{seen.path}, {seen.size_bytes / _MB:.1f} MiB, reads well"
    if seen.schema < schema_newest:
        size += f"; the next start takes it from schema {seen.schema} to {schema_newest}"
    return ok("database", size)


def judge_page(seen: PageSight, address: str) -> Finding:
    """Judge whether the page can be served at ``address``."""
    if seen.is_edge and seen.store_trouble is not None:
        found = f"an edge serves it at {address}, in memory: {seen.store_trouble}"
        remedy = "free or mend its disk: a power cut now forgets what happens"
        return fail("page", found, remedy)
    if seen.is_edge:
        return ok("page", f"an edge serves it at {address} already")
    if seen.refused is not None:
        remedy = "end what holds the port, or set http.host and http.port to what is free"
        return fail("page", seen.refused, remedy)
    return ok("page", f"it would be served at {address}, which is free")


def judge_names(public_host: str | None, *, is_known: bool) -> list[Finding]:
    """Judge whether the page answers to the name in ``http.public_url`` (None: there is none)."""
    if public_host is None or is_known:
        return []
    remedy = f"add {public_host} to http.hosts, or residents are answered 421"
    return [
        fail("page", f"http.public_url names {public_host}, which it does not answer to", remedy)
    ]


def judge_certificate(seen: CertificateSight, now: datetime) -> Finding:
    """Judge the page's certificate at ``now``."""
    what, remedy = "certificate", "renew it and restart the edge"
    if seen.trouble is not None or seen.not_before is None or seen.not_after is None:
        return fail(what, f"it cannot be used: {seen.trouble or 'it says no dates'}", remedy)
    dates = f"valid from {seen.not_before:%Y-%m-%d} to {seen.not_after:%Y-%m-%d}"
    if now < seen.not_before:
        return fail(what, f"{dates}, not yet", "set the clock, or wait")
    if now >= seen.not_after:
        return fail(what, f"{dates}, over", remedy)
    if seen.not_after - now < CERTIFICATE_WARN:
        return warn(what, f"{dates}, {(seen.not_after - now).days} days left", remedy)
    return ok(what, dates)
