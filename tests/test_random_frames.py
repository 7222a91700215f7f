"""Random tables through every estimator; `tests/long` does the same with many more."""

import pytest
from hypothesis import HealthCheck, given, settings
from random_frames import MODELS, cases, check_case

FEW = settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", MODELS)
@FEW
@given(case=cases())
def test_a_random_table_gets_right_answers_or_a_clear_refusal(name, case):
    check_case(MODELS[name], case)
