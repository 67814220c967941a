"""Instruction rows → rows of chat data: `messages` (TRL, OpenAI), alpaca and sharegpt (LLaMA-Factory)."""


def messages(instruction: str, output: str) -> dict:
    """Conversational language modeling (https://huggingface.co/docs/trl/dataset_formats)."""
    return {"messages": [{"role": "user", "content": instruction}, {"role": "assistant", "content": output}]}


def alpaca(instruction: str, output: str) -> dict:
    """github.com/hiyouga/LLaMA-Factory, data/README.md: alpaca format."""
    return {"instruction": instruction, "input": "", "output": output}


def sharegpt(instruction: str, output: str) -> dict:
    """github.com/hiyouga/LLaMA-Factory, data/README.md: sharegpt format."""
    return {"conversations": [{"from": "human", "value": instruction}, {"from": "gpt", "value": output}]}
