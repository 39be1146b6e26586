"""Writes what is made from the wire: the JSON Schema, then the web app's types."""

from tools.dev import node
from tools.dev.layout import PWA, VENV_PYTHON
from tools.dev.progress import run_step


def write_schema() -> None:
    """Write the schema and the types anew; raises Trouble when a step fails."""
    run_step("JSON Schema", (VENV_PYTHON, "-m", "laundryd.wire.schema"), log_as="schema")
    found = node.find_node()
    run_step(
        "web app's types",
        (*found.npm, "run", "types"),
        env=found.env(),
        cwd=PWA,
        log_as="types",
    )
