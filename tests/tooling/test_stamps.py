from pathlib import Path

from tools.dev.stamps import Stamps, digest


def test_a_digest_changes_with_content_name_and_arrival_of_a_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    absent = digest(files=[one])
    one.write_text("a")
    first = digest(files=[one])
    one.write_text("b")
    changed = digest(files=[one])
    two.write_text("b")
    assert len({absent, first, changed, digest(files=[two]), digest(words=["b"])}) == 5


def test_a_digest_does_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for path in files:
        path.write_text(path.name)
    assert digest(files=files) == digest(files=reversed(files))


def test_a_step_is_current_only_for_the_digest_it_was_done_for(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    assert not stamps.is_current("npm", "a")
    stamps.set("npm", "a")
    assert stamps.is_current("npm", "a")
    assert not stamps.is_current("npm", "b")
    stamps.forget("npm", "unknown")
    assert not stamps.is_current("npm", "a")
