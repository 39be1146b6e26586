"""Every bad input of the room's own page, each by its name, against the running edge."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from laundryd.daemon.tokens import RELAY_AUDIENCE, SigningKey
from laundryd.wire.errors import ERRORS, ErrorCode
from tests.edge.local.conftest import CODE, EnrolledRoom, OpenRoom
from tests.edge.running import ROOM, EdgeProcess, token_for

MACHINES = f"/api/v1/rooms/{ROOM.key}/machines"


def assert_problem(answer: httpx.Response, code: ErrorCode) -> None:
    row = ERRORS[code]
    assert answer.status_code == row.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["title"], body["status"]) == (code, row.title, row.status)
    assert body["detail"].count(row.remedy) == 1
    assert answer.headers["x-content-type-options"] == "nosniff"


def me(edge: EdgeProcess, token: str) -> httpx.Response:
    with edge.page(token) as page:
        return page.get("/api/v1/me")


# -- who asks


def test_no_token(open_room: OpenRoom) -> None:
    with open_room.edge.page() as page:
        for answer in (
            page.get("/api/v1/me"),
            page.get(f"/api/v1/rooms/{ROOM.key}"),
            page.post(f"{MACHINES}/w1/claim", json={"id": "1"}),
        ):
            assert_problem(answer, ErrorCode.UNAUTHENTICATED)
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_of_the_relay_opens_the_room(enrolled_room: EnrolledRoom) -> None:
    deadline = time.monotonic() + 10
    while (answer := me(enrolled_room.edge, token_for(enrolled_room.key))).status_code != 200:
        assert time.monotonic() < deadline, answer.text  # the roster is on its way
    assert answer.json()["resident"] == "anna"


def test_a_token_for_another_audience(enrolled_room: EnrolledRoom) -> None:
    token = token_for(enrolled_room.key, audience=RELAY_AUDIENCE)
    assert_problem(me(enrolled_room.edge, token), ErrorCode.UNAUTHENTICATED)


def test_a_token_for_another_site(enrolled_room: EnrolledRoom) -> None:
    token = token_for(enrolled_room.key, audience="edge:oak-hall/basement")
    assert_problem(me(enrolled_room.edge, token), ErrorCode.UNAUTHENTICATED)


def test_a_token_of_a_foreign_key(enrolled_room: EnrolledRoom) -> None:
    foreign = SigningKey.load_or_create(enrolled_room.edge.folder / "foreign.pem")
    assert_problem(me(enrolled_room.edge, token_for(foreign)), ErrorCode.UNAUTHENTICATED)


def test_an_expired_token(enrolled_room: EnrolledRoom) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    token = token_for(enrolled_room.key, issued_at=long_ago)
    assert_problem(me(enrolled_room.edge, token), ErrorCode.UNAUTHENTICATED)


def test_a_token_of_a_revoked_device(enrolled_room: EnrolledRoom) -> None:
    token = token_for(enrolled_room.key, device="d-gone")
    assert_problem(me(enrolled_room.edge, token), ErrorCode.UNAUTHENTICATED)


def test_an_enrolled_room_does_not_take_its_own_keys_tokens(enrolled_room: EnrolledRoom) -> None:
    own = SigningKey.load_or_create(enrolled_room.edge.data_dir / "edge-signing-key.pem")
    assert_problem(me(enrolled_room.edge, token_for(own)), ErrorCode.UNAUTHENTICATED)


@pytest.mark.parametrize("token", ["x", "a.b.c", "é" * 30, "x" * 4000])
def test_a_token_that_is_none(open_room: OpenRoom, token: str) -> None:
    header = f"Bearer {token}".encode()
    answer = httpx.get(f"{open_room.edge.origin}/api/v1/me", headers={b"Authorization": header})
    assert_problem(answer, ErrorCode.UNAUTHENTICATED)
    assert token not in answer.text or len(token) < 3


# -- from where


def test_a_foreign_origin(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(
        f"{MACHINES}/w2/claim", json={"id": "1"}, headers={"Origin": "http://evil.example"}
    )
    assert_problem(answer, ErrorCode.FOREIGN_ORIGIN)


def test_no_origin_beside_a_cookie(open_room: OpenRoom) -> None:
    token = open_room.anna.cookies["laundryd_edge"]
    answer = httpx.post(
        f"{open_room.edge.origin}{MACHINES}/w2/claim",
        json={"id": "1"},
        headers={"Cookie": f"laundryd_edge={token}"},
    )
    assert_problem(answer, ErrorCode.FOREIGN_ORIGIN)


def test_a_foreign_host(open_room: OpenRoom) -> None:
    answer = open_room.anna.get("/api/v1/me", headers={"Host": "evil.example"})
    assert_problem(answer, ErrorCode.FOREIGN_HOST)


# -- how it is asked


def test_a_body_that_is_not_json(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(
        f"{MACHINES}/w2/claim", content=b"id=1", headers={"Content-Type": "application/json"}
    )
    assert_problem(answer, ErrorCode.NOT_JSON)


def test_a_body_of_another_type(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(
        f"{MACHINES}/w2/claim", content=b'{"id": "1"}', headers={"Content-Type": "text/plain"}
    )
    assert_problem(answer, ErrorCode.NOT_JSON)


def test_a_body_with_wrong_fields(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(f"{MACHINES}/w2/start", json={"minutes": 9_000, "who": "me"})
    assert_problem(answer, ErrorCode.INVALID_BODY)
    assert answer.json()["fields"] == ["body.id", "body.minutes", "body.who"]


def test_an_oversized_body(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(f"{MACHINES}/w2/claim", json={"id": "x" * 20_000})
    assert_problem(answer, ErrorCode.TOO_LARGE)


def test_an_oversized_body_without_a_length(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(
        f"{MACHINES}/w2/claim",
        content=(b" " * 1_000 for _ in range(20)),
        headers={"Content-Type": "application/json"},
    )
    assert_problem(answer, ErrorCode.TOO_LARGE)


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/me/notices", "/api/x", "/../secret.x"]
)
def test_an_unknown_address(open_room: OpenRoom, path: str) -> None:
    assert_problem(open_room.anna.get(path), ErrorCode.NOT_FOUND)


def test_a_method_that_is_not_there(open_room: OpenRoom) -> None:
    assert_problem(open_room.anna.delete("/api/v1/join"), ErrorCode.METHOD_NOT_ALLOWED)


# -- commands


def test_another_room(open_room: OpenRoom) -> None:
    answer = open_room.anna.get("/api/v1/rooms/maple-hall.attic")
    assert_problem(answer, ErrorCode.UNKNOWN_ROOM)


@pytest.mark.parametrize("machine", ["w9", "W1", "…"])
def test_an_unknown_machine(open_room: OpenRoom, machine: str) -> None:
    answer = open_room.anna.post(f"{MACHINES}/{machine}/claim", json={"id": f"m-{len(machine)}"})
    assert_problem(answer, ErrorCode.UNKNOWN_MACHINE)


def test_an_unknown_command(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(f"{MACHINES}/w1/explode", json={"id": "1"})
    assert_problem(answer, ErrorCode.UNKNOWN_COMMAND)


def test_a_command_in_the_wrong_phase(open_room: OpenRoom) -> None:
    answer = open_room.anna.post(f"{MACHINES}/w1/collect", json={"id": "phase"})
    assert_problem(answer, ErrorCode.ILLEGAL_MOVE)


def test_a_claim_on_somebody_elses_machine(open_room: OpenRoom) -> None:
    assert open_room.ben.post(f"{MACHINES}/d1/claim", json={"id": "mine"}).status_code == 200
    answer = open_room.anna.post(f"{MACHINES}/d1/claim", json={"id": "theirs"})
    assert_problem(answer, ErrorCode.NOT_YOURS)
    assert "ben" not in answer.text.lower()


# -- joining


def test_a_wrong_join_code(open_room: OpenRoom) -> None:
    with open_room.edge.page() as page:
        answer = page.post("/api/v1/join", json={"code": "ZZZZ-ZZZZ"})
    assert_problem(answer, ErrorCode.JOIN_CODE_INVALID)
    assert "ZZZZ" not in answer.text + open_room.edge.log


def test_a_spent_join_code(open_room: OpenRoom) -> None:
    with open_room.edge.page() as page:
        answer = page.post("/api/v1/join", json={"code": CODE})
    assert_problem(answer, ErrorCode.JOIN_CODE_SPENT)


def test_a_wrong_link_code(open_room: OpenRoom) -> None:
    with open_room.edge.page() as page:
        answer = page.post("/api/v1/devices/link", json={"code": "ZZZZ-ZZZZ"})
    assert_problem(answer, ErrorCode.LINK_CODE_INVALID)


def test_neither_code_nor_voucher(open_room: OpenRoom) -> None:
    with open_room.edge.page() as page:
        assert_problem(page.post("/api/v1/join", json={}), ErrorCode.INVALID_BODY)


def test_a_voucher_of_another_room(enrolled_room: EnrolledRoom) -> None:
    voucher = token_for(enrolled_room.key, audience="edge:maple-hall/attic")
    with enrolled_room.edge.page() as page:
        answer = page.post("/api/v1/join", json={"voucher": voucher})
    assert_problem(answer, ErrorCode.VOUCHER_INVALID)


def test_an_enrolled_room_names_the_relay_instead_of_taking_codes(
    enrolled_room: EnrolledRoom,
) -> None:
    with enrolled_room.edge.page(token_for(enrolled_room.key)) as page:
        for answer in (
            page.post("/api/v1/join", json={"code": CODE}),
            page.post("/api/v1/devices/link", json={"code": CODE}),
            page.post("/api/v1/devices/link-code"),
        ):
            assert_problem(answer, ErrorCode.JOIN_AT_RELAY)
            assert "https://laundry.example.org" in answer.json()["detail"]


def test_too_many_tries(room_broker: object, open_room: OpenRoom) -> None:
    del room_broker
    edge = EdgeProcess(open_room.edge.folder / "tries", open_room.edge.broker)
    edge.start()
    try:
        with edge.page() as page:
            for _ in range(10):
                answer = page.post("/api/v1/join", json={"code": "ZZZZ-ZZZZ"})
                assert_problem(answer, ErrorCode.JOIN_CODE_INVALID)
            answer = page.post("/api/v1/join", json={"code": "ZZZZ-ZZZZ"})
        assert_problem(answer, ErrorCode.RATE_LIMITED)
        assert 0 < int(answer.headers["retry-after"]) <= 3600
    finally:
        edge.stop()
