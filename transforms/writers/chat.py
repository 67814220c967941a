"""Instruction rows → rows of chat data: `messages` (TRL, OpenAI), alpaca and sharegpt (LLaMA-Factory).

The rows of alpaca and sharegpt have a `task`, which LLaMA-Factory does not use: without it, a reader cannot tell
entity types from event types (EET).
"""


def messages(task: str, instruction: str, output: str) -> dict:
    """Conversational language modeling (https://huggingface.co/docs/trl/dataset_formats)."""
    return {"messages": [{"role": "user", "content": instruction}, {"role": "assistant", "content": output}]}


def alpaca(task: str, instruction: str, output: str) -> dict:
    """github.com/hiyouga/LLaMA-Factory, data/README.md: alpaca format."""
    return {"instruction": instruction, "input": "", "output": output, "task": task}


def sharegpt(task: str, instruction: str, output: str) -> dict:
    """github.com/hiyouga/LLaMA-Factory, data/README.md: sharegpt format."""
    turns = [{"from": "human", "value": instruction}, {"from": "gpt", "value": output}]
    return {"conversations": turns, "task": task}
