"""The command line with toys: `python -m tests.chaos.child FOLDER TOYS COMMAND ...`.

The folder holds the small data set; the toys are `cells` or `searches`.
"""

import sys
from pathlib import Path

from bench.__main__ import main
from tests.chaos import toys

if __name__ == "__main__":
    toys.install(Path(sys.argv[1]), sys.argv[2])
    sys.exit(main(sys.argv[3:]))
