"""The time of every reader and text step is linear in its input, also in the worst case."""

import pytest

from benchmarks.adversarial import cases, is_linear, seconds

CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_sixteen_times_the_input_takes_no_more_than_linear_time(name):
    size, run = CASES[name]
    run(10)  # imports and caches are loaded once
    times = [seconds(run, n) for n in (size, 16 * size)]
    if not is_linear(*times):  # measured again, as another process may have disturbed it
        times = [seconds(run, n) for n in (size, 16 * size)]
    assert is_linear(*times), times


def test_quadratic_time_is_not_linear():
    assert is_linear(0.1, 1.6) and is_linear(0.001, 0.3)
    assert not is_linear(0.1, 25.6) and not is_linear(0.001, 2.0)
