from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laundryd.wire.errors import ERRORS

if TYPE_CHECKING:
    from tests.cloud_relay.api.conftest import Api

PATHS = {
    "/api/v1/join": {"post"},
    "/api/v1/devices/link-code": {"post"},
    "/api/v1/devices/link": {"post"},
    "/api/v1/me": {"get", "put", "delete"},
    "/api/v1/me/notices": {"get"},
    "/api/v1/rooms/{room}": {"get"},
    "/api/v1/rooms/{room}/voucher": {"post"},
    "/api/v1/rooms/{room}/machines/{machine}/{command}": {"post"},
    "/api/v1/push/key": {"get"},
    "/api/v1/push/fcm": {"put"},
    "/api/v1/push/subscriptions": {"get", "put", "delete"},
    "/api/v1/push/subscriptions/{subscription}": {"delete"},
    "/api/v1/push/test": {"post"},
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
    "/api/v1/staff/sign-in": {"post"},
    "/api/v1/staff/me": {"get", "delete"},
    "/api/v1/staff/residents": {"get"},
    "/api/v1/staff/residents/{resident}/notices": {"get"},
    "/api/v1/staff/residents/{resident}/subscriptions": {"get"},
    "/api/v1/announcements": {"get", "post"},
    "/api/v1/announcements/{announcement}": {"put", "delete"},
}


async def document(api: Api) -> dict[str, Any]:
    async with api.browser() as browser:
        answer = await browser.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_the_openapi_document_names_every_path_and_method(api: Api) -> None:
    found = (await document(api))["paths"]
    assert {path: set(operations) for path, operations in found.items()} == PATHS


async def test_every_operation_is_described_with_its_problems(api: Api) -> None:
    found = await document(api)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["description"], where
            assert {"421", "500"} <= set(operation["responses"]), where
            for status, response in operation["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    assert "application/problem+json" in response["content"], f"{where} {status}"
                    assert int(status) in {row.status for row in ERRORS.values()}
    assert "Problem" in found["components"]["schemas"]
    assert "HTTPValidationError" not in str(found)


async def test_what_needs_a_token_says_so(api: Api) -> None:
    found = (await document(api))["paths"]
    open_to_all = {
        "/api/v1/join",
        "/api/v1/devices/link",
        "/api/v1/push/key",
        "/api/v1/staff/sign-in",
    }
    for path, operations in found.items():
        for operation in operations.values():
            needs = "401" in operation["responses"]
            assert needs == bool(operation.get("security")), path
            assert needs == (path.startswith("/api/") and path not in open_to_all), path


async def test_every_reference_of_the_document_leads_somewhere(api: Api) -> None:
    found = await document(api)
    schemas = found["components"]["schemas"]

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert node["$ref"].removeprefix("#/components/schemas/") in schemas, node
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(found)


async def test_health_readiness_and_metrics(api: Api) -> None:
    async with api.browser() as browser:
        assert (await browser.get("/healthz")).json() == {"status": "ok"}
        ready = await browser.get("/readyz")
        assert ready.status_code == 503
        assert ready.json() == {"ready": False, "missing": ["broker"]}
        text = (await browser.get("/metrics")).text
    assert "laundryd_relay_broker_connected 0.0" in text
    assert "laundryd_relay_rooms 2.0" in text


async def test_every_answer_has_the_security_headers(api: Api) -> None:
    async with api.browser() as browser:
        answer = await browser.get("/healthz")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_plain_request_at_the_live_address_is_told_what_is_there(api: Api) -> None:
    async with api.browser() as browser:
        answer = await browser.get("/api/v1/live")
    assert answer.status_code == 404
    assert "WebSocket" in answer.json()["detail"]
