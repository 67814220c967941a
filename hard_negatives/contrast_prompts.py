"""The prompt that asks a model for the line of a label against its neighbours, and the check of its answer."""

from hard_negatives import contrast_file
from hard_negatives.contrast import Basis
from schemas import language
from schemas.example import LAYER
from schemas.label import LabelSet
from transforms.language import detect_language

MAX_NEW_TOKENS = 400

MEANT = {
    "entities": ("type of entity", "实体类型"),
    "relations": ("relation", "关系"),
    "events": ("type of event", "事件类型"),
}
"""Layer → what its labels are, in English and Chinese."""

ENGLISH = """\
The dataset {source} has the {meant} '{name}'{described}. Annotators confuse it with:
{opposites}

Write one line in {language}, of at most 60 words, that explains '{name}' to an annotator: first what it means, then \
how it differs from each of these, in the form: what it means; not 'X', which means something else. Write the names in \
quotes as above, name no other label, and write nothing but this line."""

CHINESE = """\
数据集 {source} 有{meant}“{name}”{described}。标注者容易把它与以下标签混淆：
{opposites}

用中文写一行话（不超过 100 字），向标注者解释“{name}”：先写它的含义，再写它与以上每个标签的区别，\
格式为：含义；不是“X”，后者指另一种含义。标签名称加上引号，不要提到其他标签，只写这一行。"""

QUOTES = (("'", "'"), ('"', '"'), ("‘", "’"), ("“", "”"), ("「", "」"), ("《", "》"))


def prompt(basis: Basis, labels: LabelSet) -> str:
    """The prompt for the line of a label of the set: in Chinese for a Chinese set, else in English."""
    is_chinese = labels.lang == "zh"
    colon = "：" if is_chinese else ": "
    opposites = [
        f"- {quoted_name(each.name, is_chinese)}{colon if each.description else ''}{each.description}"
        for each in basis.opposites
    ]
    return (CHINESE if is_chinese else ENGLISH).format(
        source=labels.source,
        meant=MEANT[LAYER[labels.task]][is_chinese],
        name=basis.name,
        described=f"{colon}{basis.description}" if basis.description else "",
        opposites="\n".join(opposites),
        language=language.name(labels.lang),
    )


def quoted_name(name: str, is_chinese: bool) -> str:
    return f"“{name}”" if is_chinese else f"'{name}'"


def problem(answer: str, basis: Basis, labels: LabelSet) -> str:
    """Why an answer cannot be the line of a label of the set; empty if it can.

    It must be one line that is not too long, in the language of the set or of the description, and name a neighbour;
    in quotes it may name only the label and its neighbours.
    """
    if reason := contrast_file.problem(answer):
        return reason
    langs = {labels.lang, detect_language(f"{basis.name} {basis.description}")}
    if (lang := detect_language(answer)) not in langs:
        return f"in {language.name(lang)}, not in {language.name(labels.lang)}"
    names = {opposite.name for opposite in basis.opposites}
    if not any(name.casefold() in answer.casefold() for name in names):
        return "names no neighbour"
    for label in labels.labels:
        name = label.predicate or label.name
        if name not in names | {basis.name} and names_in_quotes(answer, name):
            return f"names {name}, which is no neighbour"
    return ""


def names_in_quotes(line: str, name: str) -> bool:
    return any(f"{left}{name}{right}" in line for left, right in QUOTES)
