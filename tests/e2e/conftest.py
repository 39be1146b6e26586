from __future__ import annotations

from tests.e2e.browsers.fixtures import (
    chromium_page,
    firefox,
    launch_firefox,
    new_chromium,
    push_service,
)
from tests.e2e.town import town

__all__ = ["chromium_page", "firefox", "launch_firefox", "new_chromium", "push_service", "town"]
