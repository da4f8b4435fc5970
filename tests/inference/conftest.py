"""Sound files of every format, as the tests of tagging make them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tagging"))
