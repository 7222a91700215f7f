"""Two thousand random tables through every estimator: right answers, or a clear refusal."""

import pytest
from hypothesis import HealthCheck, given, seed, settings
from random_frames import MODELS, cases, check_case
from seeds import SEED

MANY = settings(max_examples=170, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", MODELS)
@MANY
@seed(SEED)
@given(case=cases())
def test_a_random_table_gets_right_answers_or_a_clear_refusal(name, case):
    check_case(MODELS[name], case)
