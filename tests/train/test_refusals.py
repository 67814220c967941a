"""Exceptions of libraries while a model loads become one line, as a ConfigError or a MachineError."""

import errno

import pytest

from schemas.errors import ConfigError, MachineError
from train.refusals import one_line


@pytest.mark.parametrize(
    "error", [ValueError("no list"), RuntimeError("size mismatch"), OSError("no file"), KeyError("x"), Exception("y")]
)
def test_an_error_of_a_library_is_a_config_error(error):
    with (
        pytest.raises(ConfigError, match=r"^m: cannot load the model: ") as raised,
        one_line("m: cannot load the model"),
    ):
        raise error
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")])
def test_out_of_memory_is_a_machine_error(error):
    line = r"^m: cannot load the model: out of memory \(.*\); use a smaller"
    with pytest.raises(MachineError, match=line), one_line("m: cannot load the model"):
        raise error


def test_out_of_memory_in_torch_is_a_machine_error():
    torch = pytest.importorskip("torch")
    with pytest.raises(MachineError, match="out of memory"), one_line("m: cannot load the model"):
        torch.empty(10**18)
    with pytest.raises(MachineError, match="out of memory"), one_line("m: cannot load the model"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has ...")


def test_project_errors_and_interrupts_are_not_changed():
    for error in (MachineError("x"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised, one_line("m"):
            raise error
        assert raised.value is error
