"""A model and its training options → whether rows may be packed into one sequence without padding."""

from typing import TYPE_CHECKING

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from trl import SFTConfig


def check(arguments: "SFTConfig", model: "PreTrainedModel") -> None:
    """Raises ConfigError if packed rows would attend to each other."""
    import torch

    if not arguments.packing and not arguments.padding_free:
        return
    with torch.autocast(arguments.device.type, torch.bfloat16, enabled=arguments.bf16):
        isolated = isolates_rows(model.to(arguments.device))
    if not isolated:
        option = "packing" if arguments.packing else "padding_free"
        raise ConfigError(
            f"training.{option}: with attention {model.config._attn_implementation} packed rows attend to each "
            "other; set attn_implementation: flash_attention_2, or remove the option"
        )
    if not arguments.packing:
        arguments.max_length = None  # no row is longer; trl rejects truncation without padding


def isolates_rows(model: "PreTrainedModel") -> bool:
    """Whether a row packed after another one gets the logits it gets alone. Tested by running the model."""
    import torch

    first, second = torch.arange(32, device=model.device).reshape(2, 1, 16) % model.config.get_text_config().vocab_size
    both, place = torch.cat([first, second], dim=1), torch.arange(16, device=model.device)[None]
    borders = torch.tensor([0, 16, 32], dtype=torch.int32, device=model.device)
    lengths = {"cu_seq_lens_q": borders, "cu_seq_lens_k": borders, "max_length_q": 16, "max_length_k": 16}
    was_training = model.training
    model.eval()
    with torch.no_grad():
        alone = model(input_ids=second, use_cache=False).logits[0]
        behind = model(input_ids=both, use_cache=False).logits[0, 16:]
        packed = model(input_ids=both, position_ids=torch.cat([place, place], dim=1), use_cache=False, **lengths)
    model.train(was_training)
    return bool((packed.logits[0, 16:] - alone).abs().max() < 0.5 * (behind - alone).abs().max())
