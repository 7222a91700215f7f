"""Forty thousand random tables of few rows, read cell by cell and by columns."""

from few_rows import check, tables
from hypothesis import HealthCheck, given, seed, settings
from seeds import SEED


@settings(max_examples=40_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@seed(SEED)
@given(both=tables())
def test_both_ways_agree(both):
    check(*both)
