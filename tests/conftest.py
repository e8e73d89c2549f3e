"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# Compiled kernels make first calls slow: no deadlines. Continuous integration repeats the same
# examples every time; a developer's run draws new ones.
settings.register_profile("hubwise", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("hubwise")
