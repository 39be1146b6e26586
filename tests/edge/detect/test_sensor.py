from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from edge.detect.sensor import AWAITED, SILENT_AFTER, sensor_state
from laundryd.wire.phases import Sensor

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
A_MOMENT = timedelta(seconds=1)


def test_a_machine_without_a_plug_has_no_sensor() -> None:
    assert (
        sensor_state(
            NOW, has_plug=False, listening_since=LONG_AGO, last_reading_at=None, online=None
        )
        is Sensor.NONE
    )


@pytest.mark.parametrize(
    ("listening_since", "last_reading_at", "online", "sensor"),
    [
        (LONG_AGO, NOW, None, Sensor.OK),
        (LONG_AGO, NOW, True, Sensor.OK),
        (LONG_AGO, NOW - SILENT_AFTER, True, Sensor.OK),
        (LONG_AGO, NOW - SILENT_AFTER - A_MOMENT, True, Sensor.SILENT),
        (LONG_AGO, NOW, False, Sensor.SILENT),
        (LONG_AGO, None, True, Sensor.SILENT),
        (NOW, None, None, Sensor.OK),
        (NOW - SILENT_AFTER - A_MOMENT, None, None, Sensor.SILENT),
        (LONG_AGO, NOW + timedelta(hours=1), None, Sensor.OK),
    ],
    ids=[
        "just heard",
        "just heard and online",
        "heard ten minutes ago",
        "not heard for longer, though it says it is there",
        "its will came",
        "online but never measured",
        "the edge has only begun to listen",
        "never heard in ten minutes",
        "the clock was set back",
    ],
)
def test_a_plug_is_believed_for_ten_minutes_and_while_no_will_came(
    *,
    listening_since: datetime,
    last_reading_at: datetime | None,
    online: bool | None,
    sensor: Sensor,
) -> None:
    assert (
        sensor_state(
            NOW,
            has_plug=True,
            listening_since=listening_since,
            last_reading_at=last_reading_at,
            online=online,
        )
        is sensor
    )


@pytest.mark.parametrize(
    ("last_reading_at", "online", "at_rest", "sensor"),
    [
        (LONG_AGO, True, True, Sensor.OK),
        (LONG_AGO, True, False, Sensor.SILENT),
        (LONG_AGO, None, True, Sensor.SILENT),
        (LONG_AGO, False, True, Sensor.SILENT),
        (None, True, True, Sensor.SILENT),
    ],
    ids=["nothing changes", "it runs", "no birth", "its will came", "never measured"],
)
def test_a_plug_that_says_it_is_there_may_be_quiet_beside_a_machine_at_rest(
    *, last_reading_at: datetime | None, online: bool | None, at_rest: bool, sensor: Sensor
) -> None:
    judged = sensor_state(
        NOW,
        has_plug=True,
        listening_since=LONG_AGO,
        last_reading_at=last_reading_at,
        online=online,
        at_rest=at_rest,
    )
    assert judged is sensor


@pytest.mark.parametrize(
    ("listening_since", "last_reading_at", "registered_at", "sensor"),
    [
        (LONG_AGO, NOW - AWAITED, NOW - AWAITED - A_MOMENT, Sensor.OK),
        (LONG_AGO, NOW - 2 * AWAITED, NOW - AWAITED, Sensor.OK),
        (LONG_AGO, NOW - 2 * AWAITED, NOW - AWAITED - A_MOMENT, Sensor.SILENT),
        (NOW, None, NOW - 3 * AWAITED, Sensor.OK),
        (NOW - AWAITED - A_MOMENT, None, NOW - 3 * AWAITED, Sensor.SILENT),
    ],
    ids=[
        "heard since it was registered",
        "it may still speak",
        "broker or plug died: it vouches for nothing",
        "the edge has only begun to listen",
        "the broker stayed away over a restart",
    ],
)
def test_a_plug_whose_word_is_awaited_must_speak(
    *,
    listening_since: datetime,
    last_reading_at: datetime | None,
    registered_at: datetime,
    sensor: Sensor,
) -> None:
    judged = sensor_state(
        NOW,
        has_plug=True,
        listening_since=listening_since,
        last_reading_at=last_reading_at,
        online=None,
        awaited_since=registered_at,
    )
    assert judged is sensor


@pytest.mark.parametrize("before", [Sensor.OK, Sensor.SILENT])
def test_before_its_first_word_a_plug_is_what_it_was(before: Sensor) -> None:
    judged = sensor_state(
        NOW,
        has_plug=True,
        listening_since=NOW - A_MOMENT,
        last_reading_at=None,
        online=None,
        before=before,
    )
    assert judged is before
