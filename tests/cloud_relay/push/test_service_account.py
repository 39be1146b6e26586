from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_relay.errors import SetupError
from cloud_relay.push.service_account import NEEDED, load_service_account

GOOD = {
    "type": "service_account",
    "project_id": "laundry-test",
    "client_email": "relay@laundry-test.iam.gserviceaccount.com",
    "private_key": "-----BEGIN PRIVATE KEY-----\nsecret\n",
    "token_uri": "https://oauth2.example.org/token",
}


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "service-account.json"
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SetupError) as caught:
        load_service_account(path)
    assert "secret" not in str(caught.value)
    return str(caught.value)


def test_a_key_file_as_the_console_makes_it(tmp_path: Path) -> None:
    account = load_service_account(written(tmp_path, json.dumps(GOOD)))
    assert account.project_id == "laundry-test"
    assert "secret" not in repr(account)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    assert "chmod 600" in refusal(written(tmp_path, json.dumps(GOOD), 0o604))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing").startswith(f"{tmp_path / 'nothing'}: cannot be read")


@pytest.mark.parametrize("text", ["", "secret", "[]", '{"type": "authorized_user"}', '"secret"'])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    assert "JSON key file of a service account" in refusal(written(tmp_path, text))


@pytest.mark.parametrize("name", NEEDED)
def test_what_it_lacks_is_named(tmp_path: Path, name: str) -> None:
    content = {key: value for key, value in GOOD.items() if key != name}
    assert f"lacks {name}" in refusal(written(tmp_path, json.dumps(content)))
