"""Warnings that a report takes down, while other threads warn too."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from skrationale.report._measures import _recorded_warnings


def test_only_warnings_of_the_own_thread_are_taken_down():
    def warn_in_both():
        with _recorded_warnings() as recorded, ThreadPoolExecutor(1) as pool:
            warnings.warn("ours", stacklevel=1)
            pool.submit(warnings.warn, "theirs").result()
        return recorded

    with pytest.warns(UserWarning, match="theirs"):
        recorded = warn_in_both()
    assert [str(warning.message) for warning in recorded] == ["ours"]


def test_reports_in_threads_leave_the_filters_of_warnings_as_they_were():
    def hear(i):
        for _ in range(50):
            with _recorded_warnings() as recorded:
                warnings.warn(str(i), stacklevel=1)
            assert [str(warning.message) for warning in recorded] == [str(i)]

    before, shown = list(warnings.filters), warnings.showwarning
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hear, range(4)))
    assert warnings.filters == before
    assert warnings.showwarning is shown
