"""``python -m seawall``: the command line."""

import sys

from seawall.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
