from __future__ import annotations

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.demo.push_request import BODY_MAX_BYTES, TTL_MAX_S, PushRefusedError, read_push

RECORD = bytes(20) + bytes([65]) + bytes(65) + bytes(40)
GOOD = {"TTL": "60", "Content-Encoding": "aes128gcm"}


def status_of(headers: dict[str, str], body: bytes = RECORD) -> HTTPStatus:
    with pytest.raises(PushRefusedError) as refused:
        read_push(headers, body)
    return refused.value.status


def test_a_right_push_is_read() -> None:
    topic = "a" * 32
    message = read_push({**GOOD, "Topic": topic, "Urgency": "high"}, RECORD)
    assert (message.topic, message.ttl_s, message.urgency, message.body) == (
        topic,
        60,
        "high",
        RECORD,
    )


def test_without_topic_and_urgency_nothing_is_replaced_and_urgency_is_normal() -> None:
    message = read_push(GOOD, RECORD)
    assert (message.topic, message.urgency) == (None, "normal")


def test_a_push_without_a_body_needs_no_encoding() -> None:
    assert read_push({"TTL": "0"}, b"").body == b""


def test_a_ttl_beyond_the_longest_is_cut() -> None:
    assert read_push({**GOOD, "TTL": "999999999"}, RECORD).ttl_s == TTL_MAX_S


@pytest.mark.parametrize("ttl", ["", "-1", "1.5", "soon", "9" * 40])
def test_a_ttl_that_is_no_number_of_seconds_is_a_bad_request(ttl: str) -> None:
    assert status_of({**GOOD, "TTL": ttl}) is HTTPStatus.BAD_REQUEST


def test_a_missing_ttl_is_a_bad_request() -> None:
    assert status_of({"Content-Encoding": "aes128gcm"}) is HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("topic", ["", "a" * 33, "washer 3", "wäsche", "a+b"])
def test_a_topic_that_is_not_base64url_of_32_is_a_bad_request(topic: str) -> None:
    assert status_of({**GOOD, "Topic": topic}) is HTTPStatus.BAD_REQUEST


def test_an_unknown_urgency_is_a_bad_request() -> None:
    assert status_of({**GOOD, "Urgency": "urgent"}) is HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("encoding", ["", "aesgcm", "gzip"])
def test_another_encoding_is_a_bad_request(encoding: str) -> None:
    assert status_of({**GOOD, "Content-Encoding": encoding}) is HTTPStatus.BAD_REQUEST


def test_a_body_beyond_the_limit_is_too_large() -> None:
    largest = RECORD + bytes(BODY_MAX_BYTES - len(RECORD))
    assert read_push(GOOD, largest).body == largest
    assert status_of(GOOD, largest + b"x") is HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@given(body=st.binary(min_size=1, max_size=200))
def test_clear_text_is_never_accepted_as_a_record(body: bytes) -> None:
    if len(body) > 102 and body[20] == 65:
        return
    assert status_of(GOOD, body) is HTTPStatus.BAD_REQUEST
