"""What root makes in a service's folder belongs to the service.

systemd gives a service with DynamicUser its folder as a whole, but only while the folder itself is not
the service's yet. A file that an admin's command adds later, as root and with mode 0600, the service could
never read. So it gets the owner of the folder that it is made in.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT_UID: Final = 0


def inherit_owner(path: Path) -> None:
    """Give ``path``, which we have just made, to the owner of its folder; only root needs to, and can."""
    if os.geteuid() == ROOT_UID:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def make_private_folder(path: Path) -> None:
    """Make ``path`` and the folders above it that are missing, mode 0700, each its parent's owner's."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        inherit_owner(folder)
