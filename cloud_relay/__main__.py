"""``python -m cloud_relay``: the same as ``laundryd relay``."""

from __future__ import annotations

from cloud_relay.cli import app

if __name__ == "__main__":
    app()
