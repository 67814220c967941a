"""python -m benchmarks.sft: measures tokens per second, model FLOPs utilization and memory with a random model.

Rows are random token ids with the row lengths of a corpus, so nothing is downloaded. Utilization counts 6 FLOPs per
parameter (without the embedding) and token, and 12 per layer, width and token of the causal half of a row, relative to
the dense bfloat16 peak of the data sheet (Chowdhery et al. 2022, "PaLM", appendix B).
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
    "1b": {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 20, "num_attention_heads": 16},
    "4b": {"hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36, "num_attention_heads": 32},
}
"""Name → shape of a Llama; 1b and 4b have about 1 and 4 billion parameters with VOCABULARY."""

VOCABULARY = 151_936
PEAK_TFLOPS = {"H200": 989, "H100": 989, "A100": 312, "L40S": 362, "4090": 165}
"""Substring of a device name → dense bfloat16 peak in its data sheet."""


def lengths(count: int, max_length: int, seed: int = 0) -> list[int]:
    """Row lengths like those of instruction rows: log-normal, with a median of 250 tokens."""
    import numpy as np

    drawn = np.random.default_rng(seed).lognormal(np.log(250), 0.5, count)
    return np.clip(drawn, 32, max_length).astype(int).tolist()


def measured(shape: str, packing: bool, steps: int, max_length: int, batch_size: int, attention: str) -> dict:
    """The figures of `steps` steps after two warm-up steps. Memory is the peak of the device in GB (10^9 bytes)."""
    import datasets
    import numpy as np
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from train import load, tiny
    from train.tuning.packing import check as check_packing

    load.quiet()
    vocabulary = VOCABULARY if shape != "tiny" else 300
    config = LlamaConfig(vocab_size=vocabulary, max_position_embeddings=max_length, **SHAPES[shape])
    config.num_key_value_heads = min(8, config.num_attention_heads)
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = LlamaForCausalLM._from_config(config, attn_implementation=attention)
    rng = np.random.default_rng(0)
    rows = [rng.integers(3, vocabulary, size).tolist() for size in lengths(steps * batch_size * 32, max_length)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder,
            max_steps=steps + 2,
            max_length=max_length,
            packing=packing,
            per_device_train_batch_size=batch_size,
            bf16=load.has_bfloat16(),
            use_cpu=not torch.accelerator.is_available(),
            optim="adamw_torch_fused",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        check_packing(arguments, model)

        class Clock(TrainerCallback):
            """Records when the measured steps begin, and how many tokens the trainer has seen by then."""

            def on_step_end(self, args, state, control, **_):
                if state.global_step == 2:
                    if torch.cuda.is_available():
                        torch.cuda.synchronize()
                    self.start, self.tokens = time.perf_counter(), trainer._total_train_tokens

        clock = Clock()
        trainer = SFTTrainer(
            model=model,
            args=arguments,
            train_dataset=datasets.Dataset.from_dict({"input_ids": rows}),
            processing_class=tiny.tokenizer([""], 259),
            callbacks=[clock],
        )
        trainer.train()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    seconds, tokens = time.perf_counter() - clock.start, trainer._total_train_tokens - clock.tokens
    parameters = sum(p.numel() for p in model.parameters()) - vocabulary * config.hidden_size
    row = float(np.mean(lengths(1000, max_length)))
    operations = 6 * parameters + 6 * config.num_hidden_layers * config.hidden_size * row
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    peak = next((tflops for name, tflops in PEAK_TFLOPS.items() if name in device), None)
    return {
        "shape": shape,
        "parameters": parameters + vocabulary * config.hidden_size,
        "packing": packing,
        "attention": attention,
        "device": device,
        "tokens_per_s": round(tokens / seconds),
        "share_of_peak": round(tokens / seconds * operations / peak / 1e12, 3) if peak else None,
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 1) if torch.cuda.is_available() else None,
    }


def main(flags: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sft", description=__doc__.split("\n")[0])
    parser.add_argument("--shape", choices=SHAPES, default="4b")
    parser.add_argument(
        "--packing", action="store_true", help="pack rows into full sequences; default: one padded row per sequence"
    )
    parser.add_argument("--attention", default="sdpa", help="as attn_implementation; default: sdpa")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--max_length", type=int, default=4096)
    parser.add_argument("--batch_size", type=int, default=8, help="rows (packed: sequences) per step")
    given = parser.parse_args(flags)
    import torch

    if given.shape != "tiny" and not torch.cuda.is_available():
        print("not run: no CUDA device; use --shape tiny to try the script on a CPU", file=sys.stderr)
        return 1
    with contextlib.redirect_stdout(sys.stderr):  # the trainer's log is printed
        figures = measured(given.shape, given.packing, given.steps, given.max_length, given.batch_size, given.attention)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
