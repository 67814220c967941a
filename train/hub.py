"""Checks that a Hub repository exists and that the Hub answers, and fails within seconds.

The libraries that load from the Hub retry for up to a minute before they report an error.
"""

import os

from schemas.errors import ConfigError, MachineError

TIMEOUT_S = 10.0


def check(name: str, kind: str) -> None:
    """Checks the repository `name`; `kind`: model or dataset. A repository in the local cache is not requested.

    Raises ConfigError for a name that the Hub does not have, MachineError if the Hub does not answer.
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
        raise ConfigError(f"{name}: neither a local path nor a {kind} on the Hub that you can read") from error
    except (httpx2.HTTPError, OSError) as error:
        raise MachineError(f"{name}: no such local path, and the Hub does not answer; check both") from error
