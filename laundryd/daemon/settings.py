"""Settings of a program: a TOML file, the environment and systemd's credentials, in one typed table.

What stands nearer to the person who starts the program wins: given in code or on the command line,
then the environment, then a credential file, then the TOML file, then the default. A wrong setting
stops the program with one sentence each: its name, where it stood, what was found, what is allowed.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as SourceError
from typing_extensions import override

EXIT_SETTINGS: Final = 2
"""Exit code of a program whose settings are wrong; its unit lists it in RestartPreventExitStatus."""

NESTING: Final = "__"
"""Stands for the dot between a table and its key in the names of variables and credentials."""


class _Hidden:
    @override
    def __repr__(self) -> str:
        return "a secret that is not shown"


_HIDDEN: Final = _Hidden()


class SettingsError(Exception):
    """The settings are wrong; ``sentences`` has one for each wrong setting."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class _Sources:
    """What was read outside of the environment, and where, while one program's settings are loaded."""

    overrides: dict[str, object] = field(default_factory=dict)
    toml: dict[str, object] = field(default_factory=dict)
    credentials: dict[str, object] = field(default_factory=dict)


_SOURCES: ContextVar[_Sources] = ContextVar("settings_sources")


class ProgramSettings(BaseSettings):
    """Base of a program's settings: unknown names are refused; give ``env_prefix`` in the subclass."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_nested_delimiter=NESTING, validate_default=True
    )

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        read = _SOURCES.get(_Sources())
        return (
            init_settings,
            InitSettingsSource(settings_cls, read.overrides),
            env_settings,
            InitSettingsSource(settings_cls, read.credentials),
            InitSettingsSource(settings_cls, read.toml),
        )


S = TypeVar("S", bound=ProgramSettings)


def load_settings(
    model: type[S], config: Path | None = None, overrides: Mapping[str, object] | None = None
) -> S:
    """Load ``model`` from the TOML file ``config`` (None: no file), environment and credentials.

    Raises:
        SettingsError: the file cannot be read, or a setting is missing, unknown or out of bounds.

    """
    leaves = dict(walk(model))
    read = _Sources(
        overrides=dict(overrides or {}),
        toml=_read_toml(config) if config is not None else {},
        credentials=_read_credentials(leaves),
    )
    wrong = list(_unknown_variables(model, leaves))
    token = _SOURCES.set(read)
    try:
        settings = model()
    except ValidationError as error:
        origin = _Origin(model, config, read, leaves)
        wrong += [
            origin.sentence(detail)
            for detail in error.errors(include_url=False)
            if not origin.is_variable(detail)
        ]
    except SourceError as error:
        wrong.append(f"{error}; a list or table in a variable is written as JSON")
    finally:
        _SOURCES.reset(token)
    if wrong:
        raise SettingsError(wrong)
    return settings


def walk(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every leaf of a settings model as its dotted name and its field, in the order written."""
    for name, info in model.model_fields.items():
        table = table_of(info)
        if table is None:
            yield before + name, info
        else:
            yield from walk(table, f"{before}{name}.")


def table_of(info: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a field that is a table of settings (also an optional one), else None."""
    annotation = info.annotation
    options = (
        get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    )
    for option in options:
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def is_secret(info: FieldInfo) -> bool:
    """Say whether a field's value must not be shown."""
    return SecretStr in (info.annotation, *get_args(info.annotation))


def variable_name(model: type[ProgramSettings], name: str) -> str:
    """Return the environment variable of the setting ``name`` (dotted)."""
    return (model.model_config.get("env_prefix", "") + name.replace(".", NESTING)).upper()


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = (
            "let the user that runs this read it"
            if isinstance(error, PermissionError)
            else "name a file that is there"
        )
        raise SettingsError([f"{path}: cannot be read ({error.strerror}); {remedy}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: is not TOML: {error}"]) from error


def _read_credentials(leaves: Mapping[str, FieldInfo]) -> dict[str, object]:
    """Read the files of systemd's credentials that are named like a setting; others are not ours."""
    found: dict[str, object] = {}
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        return found
    for name in leaves:
        for spelled in (name, name.replace(".", NESTING)):
            path = Path(folder) / spelled
            try:
                text = path.read_text(encoding="utf-8").strip()
            except (FileNotFoundError, IsADirectoryError):
                continue
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError([f"credential {path}: cannot be read ({error})"]) from error
            *tables, key = name.split(".")
            at = found
            for table in tables:
                inner = at.setdefault(table, {})
                assert isinstance(inner, dict)  # noqa: S101 -- made by the line above
                at = inner
            at[key] = text
    return found


def _unknown_variables(model: type[ProgramSettings], leaves: Mapping[str, object]) -> Iterator[str]:
    prefix = str(model.model_config.get("env_prefix", "")).upper()
    known = {variable_name(model, name) for name in leaves}
    # A whole table may be given as JSON in one variable.
    known |= {
        variable_name(model, name.rsplit(".", depth)[0])
        for name in leaves
        for depth in range(1, name.count(".") + 1)
    }
    for variable in sorted(os.environ):
        if prefix and variable.upper().startswith(prefix) and variable.upper() not in known:
            yield f"{variable}: no such setting{_guess(variable.upper(), known)}"


def _guess(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Turns pydantic's findings into sentences for the person who wrote the settings."""

    model: type[ProgramSettings]
    config: Path | None
    read: _Sources
    leaves: Mapping[str, FieldInfo]

    def is_variable(self, detail: ErrorDetails) -> bool:
        """Say whether an unknown name came from a variable, which was named already."""
        name = ".".join(str(part) for part in detail["loc"])
        return detail["type"] == "extra_forbidden" and variable_name(self.model, name) in os.environ

    def sentence(self, detail: ErrorDetails) -> str:
        """Say which setting is wrong, where it stood, what was found and what is allowed."""
        name = ".".join(str(part) for part in detail["loc"])
        info = self._info(name)
        about = f" ({info.description})" if info is not None and info.description else ""
        allowed = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        match detail["type"]:
            case "missing":
                variable = variable_name(self.model, name)
                file = self.config or "a file that --config names"
                return f"{name}: is not set; write it into {file} or set {variable}{about}"
            case "extra_forbidden":
                guess = _guess(name, set(self.leaves))
                return f"{name} in {self._where(name)}: no such setting{guess}"
        if not name:
            return f"settings: {allowed}"
        found = repr(self._shown(name, detail["input"]))
        return f"{name} in {self._where(name)}: found {found}; allowed: {allowed}{about}"

    def _shown(self, name: str, found: object) -> object:
        """Return what was found without its secrets: whole tables are found wrong too."""
        info = self.leaves.get(name)
        if info is not None:
            return _HIDDEN if is_secret(info) else found
        if isinstance(found, Mapping):
            return {key: self._shown(f"{name}.{key}", value) for key, value in found.items()}
        holds_secrets = any(
            is_secret(leaf) for known, leaf in self.leaves.items() if known.startswith(f"{name}.")
        )
        return _HIDDEN if holds_secrets else found

    def _info(self, name: str) -> FieldInfo | None:
        while name and name not in self.leaves:
            name = name.rpartition(".")[0]
        return self.leaves.get(name)

    def _where(self, name: str) -> str:
        parts = name.split(".")
        for depth in range(len(parts), 0, -1):
            variable = variable_name(self.model, ".".join(parts[:depth]))
            if variable in os.environ:
                return variable
        if _holds(self.read.credentials, parts):
            return "a credential file"
        if self.config is not None and _holds(self.read.toml, parts):
            return str(self.config)
        return "the defaults or the command line"


def _holds(tree: object, parts: list[str]) -> bool:
    for part in parts:
        if not isinstance(tree, dict):
            return True
        if part not in tree:
            return False
        tree = tree[part]
    return True
