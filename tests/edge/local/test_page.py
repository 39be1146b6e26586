"""The room's own page, as a resident's browser uses it, against the running edge."""

from __future__ import annotations

import uuid

import httpx

from tests.edge.local.conftest import EnrolledRoom, OpenRoom
from tests.edge.running import ROOM, token_for

MACHINES = f"/api/v1/rooms/{ROOM.key}/machines"


def cookie_parts(answer: httpx.Response) -> set[str]:
    return {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(open_room: OpenRoom) -> None:
    assert open_room.joined.headers["set-cookie"].startswith("laundryd_edge=")
    parts = cookie_parts(open_room.joined)
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert open_room.joined.headers["cache-control"] == "no-store"
    token = open_room.anna.cookies["laundryd_edge"]
    assert token not in open_room.joined.text + open_room.edge.log


def test_joining_says_who_one_is_and_remembers_the_language(open_room: OpenRoom) -> None:
    me = open_room.anna.get("/api/v1/me").json()
    assert me["resident"] == open_room.joined.json()["resident"]
    assert me["lang"] == "ko"
    assert me["rooms"] == [{"room": ROOM.key, "name": "Basement", "local_url": None}]
    assert (me["wishes"], me["relay_url"]) == (None, None), "nobody keeps wishes here"
    assert open_room.anna.put("/api/v1/me", json={"lang": "en"}).json()["lang"] == "en"
    assert open_room.anna.get("/api/v1/me").json()["lang"] == "en"


def test_a_further_device_is_linked_once_with_its_code(open_room: OpenRoom) -> None:
    made = open_room.anna.post("/api/v1/devices/link-code")
    assert made.status_code == 200, made.text
    code = made.json()["code"].lower().replace("-", " ")
    with open_room.edge.page() as phone, open_room.edge.page() as thief:
        linked = phone.post("/api/v1/devices/link", json={"code": code})
        assert linked.status_code == 200, linked.text
        assert linked.json()["resident"] == open_room.joined.json()["resident"]
        assert linked.json()["device"] != open_room.joined.json()["device"]
        assert thief.post("/api/v1/devices/link", json={"code": code}).status_code == 403


def test_the_same_command_id_gets_the_same_answer(open_room: OpenRoom) -> None:
    wish = uuid.uuid4().hex
    first = open_room.anna.post(f"{MACHINES}/w2/claim", json={"id": wish})
    assert first.status_code == 200, first.text
    again = open_room.anna.post(f"{MACHINES}/w2/claim", json={"id": wish})
    assert again.json() == first.json()
    other = open_room.anna.post(f"{MACHINES}/w2/release", json={"id": wish})
    assert other.json()["code"] == "invalid_body"
    release = open_room.anna.post(f"{MACHINES}/w2/release", json={"id": uuid.uuid4().hex})
    assert release.status_code == 200, release.text


def test_a_snapshot_says_what_but_never_who(open_room: OpenRoom) -> None:
    room = open_room.anna.get(f"/api/v1/rooms/{ROOM.key}")
    assert [one["machine"] for one in room.json()["machines"]] == ["w1", "w2", "d1"]
    assert room.json()["durable"] is True
    assert open_room.joined.json()["resident"] not in room.text


def test_a_voucher_of_the_relay_opens_an_enrolled_room(enrolled_room: EnrolledRoom) -> None:
    voucher = token_for(enrolled_room.key, resident="carla")
    with enrolled_room.edge.page() as page:
        answer = page.post("/api/v1/join", json={"voucher": voucher, "lang": "ko"})
        assert answer.status_code == 200, answer.text
        assert "httponly" in cookie_parts(answer)
        me = page.get("/api/v1/me").json()
        assert (me["resident"], me["lang"]) == ("carla", "ko")
        assert (me["wishes"], me["relay_url"]) == (None, "https://laundry.example.org")
        assert page.put("/api/v1/me", json={"lang": "en"}).json()["lang"] == "en"
        assert page.get("/api/v1/me").json()["lang"] == "en"


def test_a_program_shows_its_token_by_hand(enrolled_room: EnrolledRoom) -> None:
    token = token_for(enrolled_room.key, resident="dora")
    answer = httpx.post(
        f"{enrolled_room.edge.origin}{MACHINES}/w2/claim",
        json={"id": "by-hand"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200, answer.text


def test_the_openapi_document_is_complete(open_room: OpenRoom) -> None:
    document = open_room.anna.get("/api/v1/openapi.json").json()
    said = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert said == {
        ("POST", "/api/v1/join"),
        ("POST", "/api/v1/devices/link-code"),
        ("POST", "/api/v1/devices/link"),
        ("GET", "/api/v1/me"),
        ("PUT", "/api/v1/me"),
        ("GET", "/api/v1/rooms/{room}"),
        ("POST", "/api/v1/rooms/{room}/machines/{machine}/{command}"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"], operation
            assert {"421", "500"} <= set(operation["responses"]), operation
            assert ("401" in operation["responses"]) == bool(operation.get("security")), operation
    assert "HTTPValidationError" not in str(document)


def test_probes_and_metrics(open_room: OpenRoom) -> None:
    page = open_room.anna
    assert page.get("/healthz").json() == {"ok": True}
    assert page.get("/readyz").json() == {"ready": True, "durable": True, "trouble": None}
    open_room.edge.metric_becomes(1, "room_broker_connected")
    text = page.get("/metrics").text
    for name in (
        "laundryd_edge_uplink_connected 0.0",
        "laundryd_edge_uplink_waiting_entries",
        'laundryd_live_sessions{server="edge"}',
    ):
        assert name in text
