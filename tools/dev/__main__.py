"""`python -m tools.dev`: what the launcher `./dev` calls."""

import sys

from tools.dev.words import main

sys.exit(main(sys.argv[1:]))
