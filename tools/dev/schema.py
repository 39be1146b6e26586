"""Writes what is made from the wire: the JSON Schema, then the web app's types."""

from tools.dev import node
from tools.dev.layout import PWA, VENV_PYTHON
from tools.dev.progress import run_step

TYPES_SCRIPT = "types"
"""The script of pwa/package.json that makes the types from the schema, where there is one."""


def write_schema() -> None:
    """Write the schema and the types anew; raises Trouble when a step fails."""
    run_step("JSON Schema", (VENV_PYTHON, "-m", "laundryd.wire.schema"), log_as="schema")
    if (PWA / "package.json").is_file() and TYPES_SCRIPT in node.npm_scripts():
        found = node.find_node()
        run_step(
            "web app's types",
            (*found.npm, "run", TYPES_SCRIPT),
            env=found.env(),
            cwd=PWA,
            log_as="types",
        )
