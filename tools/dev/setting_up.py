"""The set-up: each step looks whether it has anything to do, and is over at once if not.

What only an administrator can install comes first, so that nobody waits to be told so.
"""

from collections.abc import Sequence

from tools.dev import node, python_env, system, system_install


def for_demo() -> None:
    """Set up what the demo needs: the Python packages, a broker and the web app."""
    _programs(system.FOR_DEMO)
    python_env.prepare("demo")
    node.build_webapp()


def for_checks() -> None:
    """Set up what the checks need: the Python packages and the web app's, which is not built."""
    _programs(())
    python_env.prepare("dev")
    node.install_packages(node.find_node())


def for_faults() -> None:
    """Set up what the fault runs need: the Python packages of the tests and a broker."""
    _programs(system.FOR_DEMO)
    python_env.prepare("dev")


def for_wheel() -> None:
    """Set up what the wheel is made of: the Python packages and the web app."""
    _programs(())
    python_env.prepare("demo")
    node.build_webapp()


def for_tests() -> None:
    """Set up everything, with the real servers and browsers of the tests."""
    _programs(system.FOR_TEST)
    python_env.prepare("dev")
    node.build_webapp()


def _programs(needs: Sequence[system.Need]) -> None:
    missing = [need for need in needs if not system_install.is_there(need)]
    system_install.install([*python_env.missing(), *missing])
