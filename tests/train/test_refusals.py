"""What libraries raise while a model loads: whose fault it is, and the line that says so."""

import errno

import pytest

from schemas.errors import ConfigError, MachineError
from train.refusals import one_line


@pytest.mark.parametrize(
    "error", [ValueError("no list"), RuntimeError("size mismatch"), OSError("no file"), KeyError("x"), Exception("y")]
)
def test_what_a_library_refuses_is_the_configuration(error):
    with (
        pytest.raises(ConfigError, match=r"^m: cannot load the model: ") as raised,
        one_line("m: cannot load the model"),
    ):
        raise error
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")])
def test_memory_that_runs_out_is_the_machine(error):
    line = r"^m: cannot load the model: out of memory \(.*\); use a smaller"
    with pytest.raises(MachineError, match=line), one_line("m: cannot load the model"):
        raise error


def test_memory_that_torch_cannot_have_is_the_machine():
    torch = pytest.importorskip("torch")
    with pytest.raises(MachineError, match="out of memory"), one_line("m: cannot load the model"):
        torch.empty(10**18)
    with pytest.raises(MachineError, match="out of memory"), one_line("m: cannot load the model"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has ...")


def test_an_error_of_ours_and_one_of_no_library_pass():
    for error in (MachineError("x"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised, one_line("m"):
            raise error
        assert raised.value is error
