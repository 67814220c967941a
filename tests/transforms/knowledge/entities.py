"""Entities in the form of Wikidata's dumps, for tests. The items are invented."""

import json
from collections.abc import Iterable


def entity(qid: str, label: str | None = None, lang: str = "en", **fields: object) -> dict:
    labels = {} if label is None else {lang: {"language": lang, "value": label}}
    return {"type": "item", "id": qid, "labels": labels, "aliases": {}, "claims": {}, **fields}


def claims(*statements: dict) -> dict[str, list[dict]]:
    grouped: dict[str, list[dict]] = {}
    for statement in statements:
        grouped.setdefault(statement["mainsnak"]["property"], []).append(statement)
    return grouped


def statement(key: str, kind: str, value: object, datatype: str | None = None, rank: str = "normal") -> dict:
    snak = {"snaktype": "value", "property": key, "datavalue": {"type": kind, "value": value}, "datatype": datatype}
    return {"mainsnak": snak, "type": "statement", "rank": rank}


def no_value(key: str, snaktype: str) -> dict:
    return {"mainsnak": {"snaktype": snaktype, "property": key}, "type": "statement", "rank": "normal"}


def to_item(key: str, qid: int, rank: str = "normal") -> dict:
    return statement(key, "wikibase-entityid", {"entity-type": "item", "numeric-id": qid, "id": f"Q{qid}"}, rank=rank)


def time(key: str, value: str, precision: object = 11) -> dict:
    calendar = "http://www.wikidata.org/entity/Q1985727"
    return statement(key, "time", {"time": value, "precision": precision, "calendarmodel": calendar})


def quantity(key: str, amount: str, **unit: str) -> dict:
    return statement(key, "quantity", {"amount": amount, **unit})


def dump(entities: Iterable[dict], brackets: bool = True) -> bytes:
    lines = [json.dumps(each, ensure_ascii=False) for each in entities]
    return ("[\n" + ",\n".join(lines) + "\n]\n" if brackets else "".join(f"{line}\n" for line in lines)).encode()
