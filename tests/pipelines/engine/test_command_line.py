"""Flags of Beam beside the argument PATH."""

import pytest

from pipelines import build
from pipelines.engine import command_line

CONFIG = '{"command": "/opt/worker here"}'


@pytest.mark.parametrize(
    ("flags", "path", "beam_flags"),
    [
        ([f"--environment_config={CONFIG}"], None, [f"--environment_config={CONFIG}"]),
        (["--environment_config", CONFIG, "raw"], "raw", [f"--environment_config={CONFIG}"]),
        (["raw", f"--environment_config={CONFIG}", "--parallelism=2"], "raw",
         ["--parallelism=2", f"--environment_config={CONFIG}"]),
        (["--output=my corpus", "--parallelism", "2", "my texts"], "my texts", ["--parallelism=2"]),
    ],
)  # fmt: skip
def test_the_value_of_a_flag_of_beam_is_no_path_even_with_blanks(flags, path, beam_flags):
    arguments = command_line.parse(build.argument_parser(), flags)
    assert (arguments.path, arguments.beam_flags) == (path, [*beam_flags, "--runner=DirectRunner"])
