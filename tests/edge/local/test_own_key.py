from __future__ import annotations

from pathlib import Path

import pytest

from edge.local.own_key import OwnKey
from laundryd.daemon.tokens import SigningKey


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A folder that nothing can be written into."""
    path = tmp_path / "data"
    path.write_text("no folder")
    return path


def is_kept(own: OwnKey) -> bool:
    return own.unkept is None


def test_a_key_that_can_be_written_is_kept_at_once(tmp_path: Path) -> None:
    own = OwnKey.take_up(tmp_path / "key.pem")
    assert is_kept(own)
    assert SigningKey.load_or_create(tmp_path / "key.pem").kid == own.signing.kid


def test_a_key_that_could_not_be_written_is_written_later(away: Path) -> None:
    own = OwnKey.take_up(away / "key.pem")
    assert not is_kept(own)
    with pytest.raises(OSError, match="data"):
        own.keep()
    assert not is_kept(own)
    away.unlink()
    own.keep()
    assert is_kept(own)
    assert SigningKey.load_or_create(away / "key.pem").kid == own.signing.kid


def test_a_key_that_was_there_all_along_signs_again_and_ours_stays_valid(away: Path) -> None:
    own = OwnKey.take_up(away / "key.pem")
    meanwhile = own.signing
    away.unlink()
    before = SigningKey.load_or_create(away / "key.pem")
    own.keep()
    assert own.signing.kid == before.kid
    assert own.keys.keys() == {before.kid, meanwhile.kid}
    assert SigningKey.load_or_create(away / "key.pem").kid == before.kid
