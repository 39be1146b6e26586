from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import RosterError
from edge.link.roster import RosterKeeper, kept_roster
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.notices import NoticeKind
from laundryd.wire.uplink import DownRoster, Roster

AUDIENCE = "edge:maple-hall/basement"


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.load_or_create(tmp_path / "enrolment.pem")


def roster(version: int, audience: str = AUDIENCE, revoked: tuple[str, ...] = ()) -> Roster:
    return Roster(
        version=version,
        audience=audience,
        keys=[],
        revoked_devices=list(revoked),
        relay_url="https://laundry.example.org",
    )


def signed(key: SigningKey, one: Roster) -> DownRoster:
    return DownRoster(jws=key.sign(one.model_dump(mode="json")))


class Kept:
    """A keeper, what it saved, and whom it called revoked, in the order in which that happened."""

    def __init__(self, key: SigningKey, current: Roster | None = None) -> None:
        self.happened: list[str] = []
        self.keeper = RosterKeeper(
            enrolment_key=key.verify_key,
            audience=AUDIENCE,
            current=current,
            save=self._save,
            on_revoked=lambda devices: self.happened.extend(
                f"{one} out, refused: {one in self.keeper.revoked_devices}" for one in devices
            ),
        )

    async def _save(self, one: Roster) -> None:
        self.happened.append(f"saved {one.version}")


async def test_a_newer_roster_is_kept_then_in_force_then_shuts_out_who_is_inside(
    key: SigningKey,
) -> None:
    kept = Kept(key, roster(1))
    assert await kept.keeper.take(signed(key, roster(2, revoked=("d-1",))))
    assert kept.happened == ["saved 2", "d-1 out, refused: True"]
    assert not await kept.keeper.take(signed(key, roster(2, revoked=("d-1",))))
    assert len(kept.happened) == 2


@pytest.mark.parametrize("wrong", ["an older one", "another room's", "another key's", "no jws"])
async def test_a_roster_that_must_not_be_used_changes_nothing(
    wrong: str, key: SigningKey, tmp_path: Path
) -> None:
    other = SigningKey.load_or_create(tmp_path / "other.pem")
    message = {
        "an older one": signed(key, roster(1)),
        "another room's": signed(key, roster(3, audience="edge:maple-hall/attic")),
        "another key's": signed(other, roster(3)),
        "no jws": DownRoster(jws="x.y.z"),
    }[wrong]
    kept = Kept(key, roster(2))
    with pytest.raises(RosterError, match="roster refused"):
        await kept.keeper.take(message)
    assert kept.keeper.current == roster(2)
    assert kept.happened == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "x"}'])
def test_a_kept_roster_that_cannot_be_read_stops_no_start(text: str) -> None:
    assert kept_roster(text) is None
    assert kept_roster(roster(4).model_dump_json()) == roster(4)


def test_only_a_kind_that_may_be_turned_off_is_declined(key: SigningKey) -> None:
    declined = {"anna": [NoticeKind.STARTED, NoticeKind.RESUMED]}
    keeper = Kept(key, roster(1).model_copy(update={"declined": declined})).keeper
    assert keeper.declines("anna", NoticeKind.STARTED)
    assert not keeper.declines("anna", NoticeKind.RESUMED), "it corrects what was wrong"
    assert not keeper.declines("ben", NoticeKind.STARTED)
    assert not Kept(key).keeper.declines("anna", NoticeKind.STARTED), "no roster yet"
