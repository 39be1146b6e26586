"""Looks at the room's computer for ``laundryd edge check``; changes nothing on it.

All of it blocks: call it in a thread.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import ssl
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from cryptography import x509

from edge.checks.computer import CertificateSight, DatabaseSight, FolderSight, PageSight
from edge.store.wal import log_trouble
from laundryd.daemon.serve import listen
from laundryd.daemon.sqlite import disk_trouble, free_bytes

ANSWER_S: Final = 3.0
"""How long an edge that serves the page already may take to say so, seconds."""


def look_at_folder(path: Path) -> FolderSight:
    """Look whether a file can be made in the data folder, or the folder in the nearest one above."""
    exists = path.exists()
    nearest = next(one for one in (path, *path.parents) if one.exists())
    trouble: str | None = None
    strangers: list[str] = []
    damaged: list[str] = []
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
        if exists:
            owner = path.stat().st_uid
            entries = sorted(path.iterdir())
            strangers = [one.name for one in entries if one.lstat().st_uid != owner]
            damaged = [
                one.name for one in entries if ".damaged-" in one.name and one.name.endswith("Z")
            ]
    except OSError as error:
        trouble = error.strerror or str(error)
    return FolderSight(path, exists, trouble, free_bytes(nearest / "x"), strangers, damaged)


def look_at_database(path: Path) -> DatabaseSight:
    """Read the whole database, without a write; the edge may use it meanwhile."""
    try:
        if not path.exists():
            return DatabaseSight(path, None)
        size = path.stat().st_size
        if (trouble := log_trouble(path)) is not None:
            return DatabaseSight(path, size, trouble=trouble)
        # With a log beside it somebody uses it, or did when the power went: the log is part of it.
        # Without one nobody does, and nothing shall be made beside it.
        has_log = path.with_name(path.name + "-wal").exists()
        uri = f"file:{quote(str(path.absolute()))}?mode=ro" + ("" if has_log else "&immutable=1")
        with closing(sqlite3.connect(uri, uri=True)) as db:
            (schema,) = db.execute("PRAGMA user_version").fetchone()
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.Error, OSError) as error:
        return DatabaseSight(path, 0, trouble=disk_trouble(error) or str(error))
    trouble = None if found == "ok" else f"it is damaged ({found})"
    return DatabaseSight(path, size, int(schema), trouble)


def look_at_page(host: str, port: int, name: str, *, tls: bool) -> PageSight:
    """Look whether the port is free, or an edge that answers to ``name`` serves there."""
    try:
        listen(host, port).close()
    except OSError as error:
        return _asked(host, port, name, tls=tls) or PageSight(error.strerror or str(error))
    return PageSight(None)


def _asked(host: str, port: int, name: str, *, tls: bool) -> PageSight | None:
    """Ask what listens there whether it is an edge; None: it is none."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- "any" as found
    if tls:
        # Its name is another than the address that we ask; the certificate is judged by itself.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        asking: http.client.HTTPConnection = http.client.HTTPSConnection(
            reached, port, timeout=ANSWER_S, context=context
        )
    else:
        asking = http.client.HTTPConnection(reached, port, timeout=ANSWER_S)
    try:
        with closing(asking):
            asking.request("GET", "/readyz", headers={"Host": name})
            said = json.loads(asking.getresponse().read(4_096))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    if not isinstance(said, dict) or not {"ready", "durable", "trouble"} <= said.keys():
        return None
    trouble = said["trouble"]
    return PageSight(None, is_edge=True, store_trouble=trouble and str(trouble))


def look_at_certificate(certfile: Path, keyfile: Path) -> CertificateSight:
    """Read the certificate's dates, and see that the key belongs to it."""
    try:
        certificate = x509.load_pem_x509_certificate(certfile.read_bytes())
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certfile, keyfile)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        return CertificateSight(trouble=str(error))
    return CertificateSight(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
