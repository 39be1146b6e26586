"""The key with which a room that was never enrolled signs its residents' tokens.

It must outlive what it signed: while it cannot be written the room is not durable, whatever its database
can do, and the store goes back to the disk only together with it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Self

from laundryd.daemon.tokens import SigningKey
from laundryd.wire.uplink import VerifyKey

log = logging.getLogger("laundryd.edge.store")


class OwnKey:
    """``signing`` signs from now on; tokens of any of ``keys`` (by name) are valid.

    ``unkept``: why ``signing`` is in memory alone; None when it is on the disk.
    """

    def __init__(self, path: Path, signing: SigningKey, unkept: OSError | None = None) -> None:
        self._path = path
        self.signing = signing
        self.unkept = unkept
        self.keys: dict[str, VerifyKey] = {signing.kid: signing.verify_key}

    @classmethod
    def take_up(cls, path: Path) -> Self:
        """Read the key at ``path``, or make one there, in memory alone when the disk refuses.

        Raises:
            ValueError: the file is no Ed25519 private key.

        """
        try:
            return cls(path, SigningKey.load_or_create(path))
        except OSError as error:
            return cls(path, SigningKey.generate(), error)

    def keep(self) -> None:
        """Write the key if it is in memory alone; blocks.

        Where a key lies by now (the disk with it was away) that one signs, as before and after a restart;
        what ours signed meanwhile is valid until then.

        Raises:
            OSError: it cannot be written.

        """
        if self.unkept is None:
            return
        if self._path.exists():
            try:
                self.signing = SigningKey.load_or_create(self._path)
            except ValueError as error:
                raise OSError(str(error)) from error
            self.keys[self.signing.kid] = self.signing.verify_key
            log.warning(
                "the disk is back with a key of its own: who joined meanwhile joins again after "
                "the next restart"
            )
        else:
            self.signing.write(self._path)
        self.unkept = None
