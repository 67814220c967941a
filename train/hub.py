"""The name of a Hub repository → an error at once where there is none of that name or the Hub does not answer.

The libraries that load from the Hub try for up to a minute before they say so.
"""

import os

from schemas.errors import ConfigError, MachineError

TIMEOUT_S = 10.0


def check(name: str, kind: str) -> None:
    """`kind`: model or dataset. What was downloaded before is not asked for.

    Raises ConfigError for a name that the Hub does not know, MachineError where it does not answer.
    """
    import httpx2
    from huggingface_hub import HfApi, constants, errors
    from huggingface_hub.file_download import repo_folder_name

    try:
        folder = repo_folder_name(repo_id=name, repo_type=kind)
        if os.path.isdir(f"{constants.HF_HUB_CACHE}/{folder}/snapshots"):
            return
        HfApi().repo_info(name, repo_type=kind, timeout=TIMEOUT_S)
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise ConfigError(f"{name}: neither a local path nor a {kind} of the Hub that you may read") from error
    except (httpx2.HTTPError, OSError) as error:
        raise MachineError(f"{name}: no such local path, and the Hub does not answer; check both") from error
