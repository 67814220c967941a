"""The training benchmark gives figures on a CPU with the tiny shape, and an error where it needs a GPU."""

import json

import pytest

from benchmarks import sft


@pytest.mark.parametrize("packing", [False, True])
def test_the_tiny_shape_gives_figures(capsys, packing):
    flags = ["--shape", "tiny", "--steps", "1", "--max_length", "256", "--batch_size", "1"]
    assert sft.main(flags + ["--packing"] * packing) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["tokens_per_s"] > 0 and figures["packing"] is packing


def test_the_benchmark_is_not_run_without_a_gpu(capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert sft.main([]) == 1
    assert "not run: no CUDA device" in capsys.readouterr().err
