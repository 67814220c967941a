"""An estimate of the memory of a training, before its first step, and what to lower where it does not fit.

Weights, gradients and optimizer states are counted. Activations are measured: the tensors that a short row leaves for
the backward pass, on two lengths, whose difference gives the bytes per token. Kernels that keep a matrix of attention
scores (`attn_implementation: eager`) need more for long rows.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from train.tuning.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from trl import SFTConfig

    from train.tuning.trainer import Trainer

GB = 1e9
PROBED = (32, 96)
"""Lengths in tokens of the two rows on which activations are measured."""

STATES = {"sgd": 0.0, "adafactor": 0.0}
"""Optimizer → bytes of its state per byte of a trainable weight. Others have two moments (2.0), in 8 bit 0.5."""


@dataclass(frozen=True)
class Memory:
    """Bytes on one device. `rows`, `longest`: the batch whose activations are meant, in rows and tokens per row."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    rows: int
    longest: int

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimizer + self.activations

    def line(self, device: "torch.device") -> str:
        """What is printed before the training."""
        parts = ("weights", "gradients", "optimizer", "activations")
        sizes = ", ".join(f"{name} {getattr(self, name) / GB:.2f}" for name in parts)
        return (
            f"memory: about {self.total / GB:.1f} GB ({sizes}; {self.rows} rows of {self.longest:,} tokens at a time); "
            f"{device} has {capacity(device) / GB:.0f} GB"
        )


def estimate(trainer: "Trainer", longest: int) -> Memory:
    """The memory of a training step whose rows have `longest` tokens. Leaves the trainer and the random numbers of the
    training as they were.
    """
    arguments = trainer.args
    model: Any = trainer.model
    trainable = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    name = str(getattr(arguments.optim, "value", arguments.optim))
    moments = STATES.get(name, 0.5 if "8bit" in name else 2.0)
    short, long = (saved_bytes(trainer, length) for length in PROBED)
    per_token = (long - short) / (PROBED[1] - PROBED[0])
    if arguments.gradient_checkpointing:  # the inputs of all layers, and one layer at a time
        config = model.config.get_text_config()
        size = 2 if arguments.bf16 or arguments.fp16 else model.dtype.itemsize
        layers = config.num_hidden_layers
        per_token = per_token / layers + layers * config.hidden_size * size
    rows = arguments.per_device_train_batch_size
    return Memory(
        weights=sum(p.numel() * p.element_size() for p in model.parameters()),
        gradients=trainable,
        optimizer=int(moments * trainable),
        activations=int(rows * longest * per_token),
        rows=rows,
        longest=longest,
    )


def saved_bytes(trainer: "Trainer", length: int) -> int:
    """Bytes of the tensors, other than weights, that the loss of one row of `length` tokens keeps for its gradients."""
    import torch

    model: Any = trainer.model
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: "torch.Tensor") -> "torch.Tensor":
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.arange(length, device=trainer.args.device)[None] % model.config.get_text_config().vocab_size
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids.clone()}
    was_training = model.training
    devices = [trainer.args.device] if trainer.args.device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.train()
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(model, inputs)
    del loss
    model.train(was_training)
    trainer.forget_metrics()
    return sum(kept.values())


def capacity(device: "torch.device") -> int:
    """Bytes of memory of the device; of the machine for a CPU."""
    import torch

    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def advice(recipe: Recipe, arguments: "SFTConfig", longest: int) -> str:
    """What to lower, with the numbers to set."""
    rows, steps = arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps
    options = []
    if rows > 1:
        options.append(
            f"training.per_device_train_batch_size={rows // 2} with training.gradient_accumulation_steps={2 * steps} "
            f"(still {rows * steps} rows a step)"
        )
    if not arguments.gradient_checkpointing:
        options.append("training.gradient_checkpointing=true")
    options.append(f"training.max_length={longest // 2} (leaves longer rows out)")
    if recipe.method == "full":
        options.append("method=lora")
    elif recipe.method == "lora" and arguments.device.type == "cuda":
        options.append("method=qlora")
    return f"{rows} rows of up to {longest:,} tokens at a time; set {', or '.join(options)}"
