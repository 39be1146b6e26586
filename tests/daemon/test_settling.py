"""What a small computer is spared: it is seen in a process of its own, as the program starts."""

import json
import subprocess
import sys

STARTED = """
import json
from laundryd.daemon.settling import leave_out_unused
leave_out_unused()
import edge.app
from fastapi.openapi.models import OpenAPI
from laundryd.wire import frames
from laundryd.wire.frames import CLIENT_FRAME, SERVER_FRAME, Pong
compiled = [OpenAPI.__pydantic_complete__, frames.Welcome.__pydantic_complete__]
print(json.dumps({
    "compiled": compiled,
    "read": CLIENT_FRAME.validate_json('{"type": "pong"}') == Pong(),
    "written": SERVER_FRAME.validate_json(Pong().model_dump_json()) == Pong(),
    "document": OpenAPI.model_validate(
        {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}
    ).info.title,
}))
"""


def test_what_a_room_does_not_need_is_not_compiled_until_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == {
        "compiled": [False, False],
        "read": True,
        "written": True,
        "document": "t",
    }
