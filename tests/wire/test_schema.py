"""The generated contract is what the Python tables say."""

import json
from pathlib import Path

import pytest

from laundryd.wire import schema
from laundryd.wire.close_codes import CLOSE_CODES, may_reconnect
from laundryd.wire.commands import COMMAND_PHASES
from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import NOTICES, Lang, NoticeKind


def committed(name: str) -> dict[str, object]:
    content = json.loads((schema.APP_WIRE / name).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def test_the_committed_schema_and_tables_are_those_of_the_wire() -> None:
    assert schema.stale(schema.APP_WIRE) == []


def test_a_changed_file_is_told_as_stale(tmp_path: Path) -> None:
    for name, text in schema.files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert schema.stale(tmp_path) == []
    (tmp_path / "tables.json").write_text("{}", encoding="utf-8")
    assert schema.stale(tmp_path) == ["tables.json"]


def test_check_names_the_file_and_the_way_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema, "APP_WIRE", tmp_path)
    assert schema.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "schema.json" in said
    assert "python -m laundryd.wire.schema" in said
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0
    assert schema.main(["--what"]) == 2


def test_every_reference_in_the_schema_has_its_definition() -> None:
    defs = committed("schema.json")["$defs"]
    assert isinstance(defs, dict)
    text = json.dumps(defs)
    named = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert named <= set(defs)
    assert {"ClientFrame", "ServerFrame", "RoomSnapshot", "Me", "Problem"} <= set(defs)


def test_the_tables_hold_every_notice_in_every_language() -> None:
    notices = committed("tables.json")["notices"]
    assert isinstance(notices, dict)
    assert set(notices) == {kind.value for kind in NoticeKind}
    for kind, row in NOTICES.items():
        assert set(notices[kind.value]["texts"]) == {lang.value for lang in Lang}
        assert notices[kind.value]["texts"]["ko"]["body"] == row.texts[Lang.KO].body


def test_the_tables_hold_every_error_and_every_command() -> None:
    tables = committed("tables.json")
    assert set(dict.fromkeys(ErrorCode)) == set(tables["errors"])  # type: ignore[call-overload]  # JSON
    assert tables["command_phases"] == {
        name.value: [phase.value for phase in type(next(iter(phases))) if phase in phases]
        for name, phases in COMMAND_PHASES.items()
    }


def test_the_reconnect_spans_say_the_same_as_the_table_of_close_codes() -> None:
    spans = committed("tables.json")["reconnect_codes"]
    assert isinstance(spans, list)
    for code in range(1_000, 5_000):
        assert any(first <= code <= last for first, last in spans) == may_reconnect(code), code
    assert all(str(int(code)) in committed("tables.json")["close_codes"] for code in CLOSE_CODES)  # type: ignore[operator]  # JSON
