from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from laundryd.daemon import problems, webapp


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "webapp"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>page</title>")
    (folder / "sw.js").write_text("// worker")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "assets" / "app-1a2b.js").write_text("// app")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    problems.install(app)
    webapp.install(app, folder)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://room"
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("/", "text/html", "no-cache"),
        ("/rooms/maple-hall", "text/html", "no-cache"),
        ("/sw.js", "text/javascript", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/assets/app-1a2b.js", "text/javascript", "public, max-age=31536000, immutable"),
    ],
)
async def test_files_have_their_type_and_their_time(
    build: Path, path: str, kind: str, cache: str
) -> None:
    async with serving(build) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == cache


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
    ],
)
async def test_no_path_leads_out_of_the_build(build: Path, path: str) -> None:
    async with serving(build) as client:
        # As it stands: a client of ours would tidy it up first.
        answer = await client.send(
            client.build_request("GET", httpx.URL("http://room", raw_path=path.encode()))
        )
    assert "secret" not in answer.text.replace("secret.txt", "")
    assert "root:" not in answer.text
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/%00", "/a%00.js", "/" + "x" * 5_000, "/%ff.js"])
async def test_an_odd_path_breaks_nothing(build: Path, path: str) -> None:
    async with serving(build) as client:
        answer = await client.send(
            client.build_request("GET", httpx.URL("http://room", raw_path=path.encode()))
        )
    assert answer.status_code in {200, 404}


@pytest.mark.parametrize("path", ["/none.js", "/assets/none.js", "/api/v1/nothing"])
async def test_a_file_that_is_not_there_is_a_problem_document(build: Path, path: str) -> None:
    async with serving(build) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_missing_build_is_said_in_a_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path / "nothing") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert answer.text.startswith("The web app is not built. ")
    assert "./dev build" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/v1/me", 200, None),
        ("DELETE", "/api/v1/me", 405, "GET, PUT"),
        ("TRACE", "/api/v1/me", 405, "GET, PUT"),
        ("GET", "/api/v1/join", 405, "POST"),
        ("GET", "/api/v1/none", 404, None),
        ("DELETE", "/api/v1/none", 404, None),
        ("DELETE", "/index.html", 405, "GET"),
    ],
)
async def test_an_address_says_all_methods_that_it_has(
    build: Path, method: str, path: str, status: int, allow: str | None
) -> None:
    async def nothing() -> None:
        pass

    app = FastAPI(openapi_url=None)
    problems.install(app)
    router = APIRouter(prefix="/api/v1")
    for has, where in (("GET", "/me"), ("PUT", "/me"), ("POST", "/join")):
        router.add_api_route(where, nothing, methods=[has])
    app.include_router(router)
    webapp.install(app, build)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
