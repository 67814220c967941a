"""Tasks of Label Studio for tests."""


def span(text: str, string: str, label: str) -> dict:
    start = text.index(string)
    value = {"start": start, "end": start + len(string), "text": string, "labels": [label]}
    return {"type": "labels", "from_name": "l", "to_name": "text", "id": f"{label}{start}", "value": value}


def task(number: int, text: str, by_annotator: dict[str, list[tuple[str, str]]], **data) -> dict:
    annotations = [
        {"completed_by": {"email": name}, "result": [span(text, *pair) for pair in pairs]}
        for name, pairs in by_annotator.items()
    ]
    return {"id": number, "data": {"text": text, **data}, "annotations": annotations}
