"""``python -m laundryd``."""

from laundryd.cli import main

main()
