"""The rules of the suites as words of a page, by their English text."""

from pathlib import Path

import msgspec

from transforms.pages.phrases import Words

TEMPLATES = Path(__file__).parent / "templates"


def rule_words() -> dict[str, Words]:
    """Language → English text of a rule, or title of a suite → the text in this language.

    The results of a build have the English text. One of an older version may be missing.
    """
    chinese = msgspec.json.decode((TEMPLATES / "rules.zh.json").read_bytes(), type=dict[str, str])
    return {"en": {rule: rule for rule in chinese}, "zh": dict(chinese)}
