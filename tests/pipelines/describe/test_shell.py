"""Commands in documentation: a shell splits them into the intended words."""

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.describe import shell

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=10)


@given(st.lists(WORDS | st.sampled_from(["$HOME", "a;b", "`id`", "'", "x\ny", "\\", "-n", "!", "[v1]"]), min_size=1))
@settings(max_examples=25)
def test_bash_splits_a_command_into_the_same_words(words):
    command = shell.command(words)
    assert command.isprintable()
    ran = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert ran.stdout.decode().split("\0")[:-1] == words
