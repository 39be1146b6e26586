from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from laundryd.daemon.settings import ProgramSettings
from laundryd.daemon.settings_page import page, rows, undocumented


class Oven(BaseModel):
    heat_c: int = Field(200, ge=50, le=300, description="Degrees that bread bakes well at.")
    bake_s: int = Field(60, description="For how long the bread is in the oven, as always.")
    cool_s: int | None = Field(None, description="Seconds in which the bread has cooled down.")
    rise_s: int = Field(60, description="Seconds that dough rises: yeast needs no less.")
    key: SecretStr | None = Field(None, description="Opens the door, which children must not.")


class Kitchen(ProgramSettings):
    model_config = SettingsConfigDict(env_prefix="KITCHEN_")

    place: Path = Field(description="Where the kitchen stands in the house.")
    doors: list[str] = Field(["left"], description="Short.")
    oven: Oven = Field(Oven(), description="The oven.")


def test_a_row_says_what_is_allowed_its_default_and_its_variable() -> None:
    by_name = {row.name: row for row in rows(Kitchen)}
    heat = by_name["oven.heat_c"]
    assert heat.allowed == "whole number, at least 50, at most 300"
    assert (heat.default, heat.variable) == ("200", "KITCHEN_OVEN__HEAT_C")
    assert by_name["oven.key"].allowed == "secret text"
    assert by_name["place"].default is None
    assert by_name["doors"].default == '["left"]'


def test_a_setting_without_a_sentence_a_unit_or_a_reason_is_found() -> None:
    assert undocumented(Kitchen) == ["doors", "oven.heat_c", "oven.bake_s", "oven.cool_s"]


def test_the_page_has_one_table_for_each_table_of_the_file() -> None:
    text = page(Kitchen, "the kitchen", "python -m kitchen")
    assert "## At the top" in text
    assert "## [oven]" in text
    assert "| `heat_c` | whole number, at least 50, at most 300 | `200` | Degrees" in text
    assert "| `place` | path | must be given | Where" in text
