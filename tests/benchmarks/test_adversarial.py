"""The time of every reader and text step is linear in its input, also in the worst case."""

import pytest

from benchmarks.adversarial import cases, is_linear, seconds

CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_sixteen_times_the_input_takes_no_more_than_linear_time(name):
    size, run = CASES[name]
    run(10)  # loads what is loaded once
    taken = [seconds(run, n) for n in (size, 16 * size)]
    if not is_linear(*taken):  # once more, if something else had the processor's caches
        taken = [seconds(run, n) for n in (size, 16 * size)]
    assert is_linear(*taken), taken


def test_a_square_is_told_from_a_line():
    assert is_linear(0.1, 1.6) and is_linear(0.001, 0.3)
    assert not is_linear(0.1, 25.6) and not is_linear(0.001, 2.0)
