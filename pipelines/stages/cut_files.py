"""The files of the clean stage between its two steps: the repaired windows and the keys of their texts, by shard."""

from pipelines.build_folder import Shard
from transforms import files


def cut_folder(output: str) -> str:
    """The folder of the repaired windows and the keys of their texts, until the decisions on them are made."""
    return f"{output}/clean/.cut"


def cut_path(output: str, shard: Shard) -> str:
    return f"{cut_folder(output)}/{shard.number:06d}.parquet"


def cut_keys_path(output: str, shard: Shard) -> str:
    return f"{cut_folder(output)}/{shard.number:06d}.keys"


def windows_path(output: str, shard: Shard) -> str:
    """The file with the repaired windows of the shard: the shard itself if no row had to be changed."""
    cut = cut_path(output, shard)
    return cut if files.exists(cut) else f"{output}/{shard.path}"
