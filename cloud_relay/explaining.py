"""What every word of ``laundryd relay`` does: read the settings, and say in sentences what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from cloud_relay.errors import RelayError
from cloud_relay.settings import RelaySettings
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.settings import EXIT_SETTINGS, SettingsError, load_settings
from laundryd.wire.errors import ERRORS

EXIT_REFUSED: Final = 1
DEFAULT_DATA_DIR: Final = Path("/var/lib/laundryd-relay")
DEFAULT_CONFIG: Final = DEFAULT_DATA_DIR / "relay.toml"

Config = Annotated[
    Path | None,
    # Whether it can be read is said by us, without a frame drawn around it in the journal.
    typer.Option(
        readable=False, help=f"The relay's TOML file. [default: {DEFAULT_CONFIG}, if it is there]"
    ),
]


def load(config: Path | None) -> RelaySettings:
    """Read the settings; None: the default file, if it is there.

    Raises:
        SettingsError: they are wrong.

    """
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
    return load_settings(RelaySettings, config)


@contextmanager
def explained() -> Iterator[None]:
    """Turn our errors into sentences on standard error and an exit code."""
    try:
        yield
    except SettingsError as error:
        for sentence in error.sentences:
            typer.echo(sentence, err=True)
        raise typer.Exit(EXIT_SETTINGS) from error
    except RelayError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_REFUSED) from error
    except ProblemError as error:
        row = ERRORS[error.code]
        said = [f"{row.title}.", *([error.detail] if error.detail else []), row.remedy]
        typer.echo(" ".join(dict.fromkeys(said)), err=True)
        raise typer.Exit(EXIT_REFUSED) from error
