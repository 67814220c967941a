"""The worst cases of `benchmarks.adversarial` in the formats of annotation tools: files of size n."""

import json
from collections.abc import Callable


def rows(*values: object) -> str:
    return json.dumps(values)


def regions(n: int, names: int) -> list:
    """n spans of `names` texts, each with a relation to the first."""
    spans = [
        {
            "id": f"{i}",
            "to_name": f"t{i % names}",
            "type": "labels",
            "value": {"start": i, "end": i + 1, "labels": ["X"]},
        }
        for i in range(n)
    ]
    return spans + [{"from_id": f"{i}", "to_id": "0", "type": "relation", "labels": ["r"]} for i in range(n)]


WEBANNO = (
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Span|value\n"
    "#T_RL=webanno.custom.Link|value|BT_webanno.custom.Span\n\n"
)


def xmi(n: int) -> str:
    """n spans whose slots are the same array of n links."""
    links = "".join(f'<l:Link xmi:id="{n + i}" role="r" target="0"/>' for i in range(n))
    spans = "".join(f'<l:Span xmi:id="{i}" sofa="s" begin="0" end="1" slots="x"/>' for i in range(n))
    array = " ".join(str(n + i) for i in range(n))
    return (
        '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" xmlns:l="http:///l.ecore">'
        f'<cas:Sofa xmi:id="s" sofaString="a"/><cas:FSArray xmi:id="x" elements="{array}"/>{links}{spans}</xmi:XMI>'
    )


def cas_json(n: int) -> str:
    """n spans whose slots are the same array of n links."""
    links = [{"%ID": n + i, "%TYPE": "l.Link", "role": "r", "@target": 0} for i in range(n)]
    spans = [{"%ID": i, "%TYPE": "l.Span", "@sofa": "s", "begin": 0, "end": 1, "@slots": "x"} for i in range(n)]
    array = {"%ID": "x", "%TYPE": "uima.cas.FSArray", "%ELEMENTS": [n + i for i in range(n)]}
    sofa = {"%ID": "s", "%TYPE": "uima.cas.Sofa", "sofaString": "a"}
    return json.dumps({"%FEATURE_STRUCTURES": [sofa, array, *links, *spans]})


def bioc_rows(n: int) -> str:
    """n mentions of one concept, with n relations between it and itself."""
    annotations = [
        {"id": i, "infons": {"type": "X", "identifier": "C"}, "locations": [{"offset": 2 * i, "length": 1}]}
        for i in range(n)
    ]
    relations = [{"infons": {"type": "r", "a": "C", "b": "C"}}] * n
    return rows({"passages": [{"text": "a " * n, "annotations": annotations}], "relations": relations})


TOOL_FILES: dict[str, tuple[str, int, Callable[[int], str]]] = {
    # name: (format, size at 1×, content of the file at a size)
    "label studio, relations": (
        *("label_studio", 500),
        lambda n: rows({"data": {"text": "😀" * n}, "annotations": [{"result": regions(n, 1)}]}),
    ),
    "label studio, texts": (
        *("label_studio", 200),
        lambda n: rows({"data": {f"f{i}": "aa" for i in range(n)}, "annotations": [{"result": regions(n, n)}]}),
    ),
    "doccano, users": (
        *("doccano", 200),
        lambda n: rows(
            {
                "text": "a",
                "annotations": [{"label": 1, "start_offset": 0, "end_offset": 1, "user": i} for i in range(n)],
            }
        ),
    ),
    "prodigy, relations": (
        *("prodigy", 1_000),
        lambda n: rows(
            {
                "text": "a" * n,
                "spans": [{"start": i, "end": i + 1, "token_end": i, "label": "X"} for i in range(n)],
                "relations": [{"head": i, "child": 0, "label": "r"} for i in range(n)],
                "answer": "accept",
            }
        ),
    ),
    "pubannotation, one denotation": (
        *("pubannotation", 1_000),
        lambda n: rows(
            {
                "text": "a " * n,
                "denotations": [{"obj": "X", "span": [{"begin": 2 * i, "end": 2 * i + 1} for i in range(n)]}],
            }
        ),
    ),
    "spacy, tokens": (
        *("spacy", 1_000),
        lambda n: rows(
            {"paragraphs": [{"raw": "a " * n, "sentences": [{"tokens": [{"orth": "a", "ner": "U-X"}] * n}]}]}
        ),
    ),
    "gliner, spans": (
        *("gliner", 1_000),
        lambda n: rows({"tokenized_text": ["東"] * n, "ner": [[i, i, "X"] for i in range(n)]}),
    ),
    "gliner2, types": (
        *("gliner2", 1_000),
        lambda n: rows({"input": "a", "output": {"entities": {f"t{i}": ["a"] for i in range(n)}}}),
    ),
    "columns, text that differs": (
        *("conll", 2_000),
        lambda n: "# text = " + "a" * n + "b\n" + "".join(f"{i}\ta\tB-X\n" for i in range(1, n + 1)),
    ),
    "columns, comments": ("conll", 4_000, lambda n: "a\tB-X\n" + "# text = a\n" * n),
    "webanno, stacked": (
        *("webanno", 1_000),
        lambda n: (
            f"{WEBANNO}#Text=a\n1-1\t0-1\ta\t{'|'.join(f'X[{i}]' for i in range(n))}\t"
            f"{'|'.join(['r'] * n)}\t{'|'.join(f'1-1[{i}_0]' for i in range(n))}\t\n"
        ),
    ),
    "webanno, escapes": ("webanno", 20_000, lambda n: f"{WEBANNO}#Text=a\n1-1\t0-1\ta\t{chr(92) * n}\t_\t_\n"),
    "webanno, sentences": (
        *("webanno", 500),
        lambda n: WEBANNO + "".join(f"#Text=😀\n{i}-1\t{3 * i}-{3 * i + 2}\t😀\tX[1]\t_\t_\n\n" for i in range(n)),
    ),
    "xmi, one array in many slots": ("uima_xmi", 500, xmi),
    "cas json, one array in many slots": ("uima_json", 500, cas_json),
    "bioc, one concept": ("bioc_json", 500, bioc_rows),
    "alpaca, labels": (
        *("alpaca", 200),
        lambda n: rows(
            *({"instruction": {"schema": [f"l{i}"], "input": "a"}, "output": {f"l{i}": ["a"]}} for i in range(n))
        ),
    ),
    "json array, broken objects": ("doccano", 1_000, lambda n: "[" + '{"text": @},\n' * n + "{}]"),
    "json array, open string": ("doccano", 40_000, lambda n: '[{"text": "' + "a" * n),
    "json array, open brackets": ("doccano", 40_000, lambda n: '[{"text": ' + "[" * n),
}
