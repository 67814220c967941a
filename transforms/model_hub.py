"""Whether the Hugging Face Hub can be asked for models and tokenizers that are not in the local cache."""

import threading
import urllib.error
import urllib.request

TIMEOUT_S = 5


def endpoint() -> str:
    """The address of the Hub, or of a mirror if HF_ENDPOINT is set."""
    from huggingface_hub import constants  # an extra

    return constants.ENDPOINT


def reachable(url: str) -> bool:
    """Whether a server answers with a status below 500 within TIMEOUT_S.

    Without a network, the Hub's client retries for over a minute. The thread is needed because the timeout of a socket
    covers neither an unresponsive name server nor a host with many addresses.
    """
    answers = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT_S).close()
        except urllib.error.HTTPError as refusal:
            if refusal.code >= 500:
                return
        except OSError:
            return
        answers.append(url)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    return bool(answers)
