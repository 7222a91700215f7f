"""The seed of the tests: SKRATIONALE_TESTS_SEED shifts the random states of data, fits and searches."""

import os

SEED = int(os.environ.get("SKRATIONALE_TESTS_SEED", "0"))
"""What a test asserts about a fit or a search holds for nearly all of these, not for one that was lucky."""
