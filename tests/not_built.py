"""Stands for a test whose libraries this build has not: skipped with the reason, or failed where all must run."""

import os
import sys

print(f"this build has not: {', '.join(sys.argv[1:])}")
sys.exit(1 if os.environ.get("SLIPWAY_REQUIRE") == "1" else 77)
