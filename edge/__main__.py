"""``python -m edge``: the same as ``laundryd edge``."""

from edge.cli import app

app(prog_name="laundryd edge")
