"""Faults in good output: `CASES` has one for each expectation of each suite, `VARIANTS` other causes of some."""

from tests.validation import good
from tests.validation.corruption import (
    EE,
    EEA,
    EET,
    FIRST,
    IDS,
    KG,
    NER,
    NER_LABELS,
    NER_REST,
    NER_TEST,
    PERSON,
    RE,
    ROWS,
    SECOND,
    SPO,
    SPO_TEST,
    Case,
    add_column,
    edit,
    edit_prompt,
    event_map,
    example_fault,
    fault,
    form_fault,
    mask,
    more_negatives,
    put,
    rename,
    row_fault,
    second_batch_first,
    unmask,
    unwritable,
    with_optional_columns,
)
from validation.suites import CORPUS_CULPRITS, SUITES

CASES = [
    *(
        Case(suite, "expect_table_columns_to_match_set", None, ("colour",), corrupt_frame=add_column)
        for suite in SUITES
    ),
    # examples
    *(
        Case(
            "examples",
            "expect_column_values_to_not_be_null",
            name,
            ids,
            lambda rows, name=name: put(rows[0], **{name: None}),
        )
        for name, ids in (("id", ("row 0",)), ("source", (FIRST,)), ("split", (FIRST,)), ("lang", (FIRST,)))
    ),
    Case(
        "examples",
        "expect_column_values_to_be_of_type",
        "source",
        (FIRST,),
        corrupt_frame=unwritable("source", 7),
    ),
    Case(
        "examples",
        "expect_column_values_to_be_unique",
        "id",
        (FIRST,),
        lambda rows: put(rows[1], id=FIRST),
        count=2,
    ),
    fault("examples", "malformed_id", "news-1", lambda rows: put(rows[1], id="news-1")),
    Case(
        "examples",
        "expect_column_values_to_be_in_set",
        "split",
        (SECOND,),
        lambda rows: put(rows[1], split="dev"),
    ),
    Case(
        "examples",
        "expect_column_values_to_match_regex",
        "lang",
        (SECOND,),
        lambda rows: put(rows[1], lang="English"),
    ),
    example_fault("text_chars", SECOND, lambda rows: put(rows[1], text=" \n")),
    example_fault("task_count", SECOND, lambda rows: put(rows[1], tasks=[])),
    example_fault("broken_record", FIRST, lambda rows: put(rows[0]["entities"][1], label=None)),
    example_fault("split_differs", SECOND, lambda rows: put(rows[1], split="test")),
    example_fault("chars_over_max", SECOND, lambda rows: put(rows[1], text="Rain fell. " * 8)),
    example_fault("unknown_tasks", SECOND, lambda rows: put(rows[1], tasks=["NER", "COREF"])),
    example_fault("blank_mentions", FIRST, lambda rows: put(rows[0]["events"][1]["arguments"][0]["mention"], text="")),
    example_fault("bad_spans", FIRST, lambda rows: put(rows[0]["entities"][3]["mention"], spans=[[28, 34], [17, 24]])),
    example_fault("offset_mismatches", FIRST, lambda rows: put(rows[0]["relations"][0]["tail"], spans=[[16, 23]])),
    example_fault("unknown_labels", FIRST, lambda rows: put(rows[0]["entities"][1], label="Person")),
    example_fault("unknown_roles", FIRST, lambda rows: put(rows[0]["events"][1]["arguments"][0], role="place")),
    # labels
    *(
        Case("labels", "expect_column_values_to_not_be_null", name, ids, corrupt_frame=unwritable(name, None))
        for name, ids in (
            ("id", ("row 0",)),
            ("task", (NER_LABELS + "award",)),
            ("source", (NER_LABELS + "award",)),
            ("lang", (NER_LABELS + "award",)),
        )
    ),
    Case("labels", "expect_column_values_to_be_of_type", "id", ("7",), corrupt_frame=unwritable("id", 7)),
    Case(
        "labels",
        "expect_column_values_to_be_of_type",
        "source",
        (NER_LABELS + "award",),
        corrupt_frame=unwritable("source", 7),
    ),
    *(
        Case(
            "labels",
            rule,
            column,
            ids,
            lambda sets, column=column, value=value: (
                sets.__delitem__(slice(1, 7)),
                put(sets[0], labels=sets[0]["labels"][:1], **{column: value}),
            ),
        )
        for rule, column, value, ids in (
            ("expect_column_values_to_be_in_set", "task", "POS", (f"POS/{good.KEY}/award",)),
            ("expect_column_values_to_match_regex", "lang", "EN", (NER_LABELS + "award",)),
        )
    ),
    fault("labels", "unnamed", NER_LABELS, lambda sets: put(sets[0]["labels"][0], name="")),
    fault("labels", "repeated_name", PERSON, lambda sets: put(sets[0]["labels"][6], name="person")),
    fault("labels", "out_of_order", NER_LABELS + "city", lambda sets: put(sets[0]["labels"][0], name="town")),
    fault(
        "labels",
        "bad_roles",
        f"EE/{good.KEY}/end job",
        lambda sets: put(sets[3]["labels"][0], roles=[{"name": "employee"}] * 2),
    ),
    fault(
        "labels",
        "wrong_typed_name",
        f"SPO/{good.KEY}/person_born in_city",
        lambda sets: put(sets[2]["labels"][0], predicate="native of"),
    ),
    # hard negatives
    *(
        Case("hard_negatives", "expect_column_values_to_not_be_null", name, ids, corrupt_frame=unwritable(name, None))
        for name, ids in (("id", ("row 0",)), ("task", (NER_LABELS + "city",)), ("source", (NER_LABELS + "city",)))
    ),
    Case("hard_negatives", "expect_column_values_to_be_of_type", "id", ("7",), corrupt_frame=unwritable("id", 7)),
    Case(
        "hard_negatives",
        "expect_column_values_to_be_of_type",
        "source",
        (NER_LABELS + "city",),
        corrupt_frame=unwritable("source", 7),
    ),
    Case(
        "hard_negatives",
        "expect_column_values_to_be_in_set",
        "task",
        (NER_LABELS + "city",),
        corrupt_frame=unwritable("task", "POS"),
    ),
    fault("hard_negatives", "unknown_label", NER_LABELS + "town", lambda d: put(d, town=[("city", 0.9)])),
    fault("hard_negatives", "unknown_neighbours", PERSON, lambda d: put(d, person=[("town", 0.4)])),
    fault("hard_negatives", "self_neighbour", PERSON, lambda d: put(d, person=[("person", 1.0)])),
    fault("hard_negatives", "repeated_neighbours", PERSON, lambda d: put(d, person=[("city", 0.4), ("city", 0.3)])),
    fault(
        "hard_negatives",
        "neighbours_over_max",
        PERSON,
        lambda d: put(d, person=[("city", 0.4), ("law", 0.3), ("date", 0.2), ("award", 0.1)]),
    ),
    fault("hard_negatives", "scores_out_of_range", PERSON, lambda d: put(d, person=[("city", float("nan"))])),
    fault("hard_negatives", "scores_ascending", PERSON, lambda d: put(d, person=[("city", 0.3), ("law", 0.4)])),
    # instructions
    *(
        Case(
            "instructions",
            "expect_column_values_to_not_be_null",
            name,
            (f"row {RE}",) if name == "id" else (IDS[RE],),
            lambda rows, name=name: put(rows[RE], **{name: None}),
        )
        for name in SUITES["instructions"].strings
    ),
    *(
        Case(
            "instructions",
            "expect_column_values_to_be_of_type",
            name,
            ("7",) if name == "id" else (IDS[0],),
            corrupt_frame=unwritable(name, 7),
        )
        for name in ("id", "text_sha256", "source")
    ),
    Case(
        "instructions",
        "expect_column_values_to_be_unique",
        "id",
        (IDS[NER],),
        lambda rows: put(rows[NER_REST], id=IDS[NER]),
        count=2,
    ),
    row_fault("malformed_example_id", RE, lambda row: put(row, example_id=f"{good.KEY}/train/first")),
    *(
        Case(
            "instructions",
            f"expect_column_values_to_{'match_regex' if column == 'lang' else 'be_in_set'}",
            column,
            (IDS[RE],),
            corrupt_frame=lambda frame, column=column: frame.assign(
                **{column: frame[column].where(frame["id"] != IDS[RE], "other")}
            ),
        )
        for column in ("task", "lang", "split")
    ),
    row_fault("nulls", RE, lambda row: put(row, hard_negatives=["works at", None])),
    row_fault("id_outside_example", RE, lambda row: put(row, id="elsewhere/RE/0"), "elsewhere/RE/0"),
    row_fault("id_outside_example", RE, lambda row: put(row, id=f"{FIRST}/NER/0/1"), f"{FIRST}/NER/0/1"),
    row_fault("split_differs", RE, lambda row: put(row, split="validation")),
    row_fault("unknown_label_set", RE, lambda row: put(row, source="Papers")),
    row_fault("unknown_labels", NER, lambda row: rename(row, "law", "statute")),
    row_fault(
        "repeated_labels",
        NER_TEST,
        lambda row: (put(row, labels=[*row["labels"][:5], "law"]), edit_prompt(row, schema=row["labels"])),
    ),
    row_fault(
        "repeated_predicates",
        SPO_TEST,
        lambda row: (
            put(row, labels=[good.HIRED.name, good.TAUGHT.name]),
            edit_prompt(row, schema=good.triples(good.HIRED, good.TAUGHT)),
        ),
    ),
    row_fault("stray_positives", NER_TEST, lambda row: put(row, positives=["product"])),
    row_fault("stray_hard_negatives", NER_TEST, lambda row: put(row, hard_negatives=["product"])),
    row_fault("positive_hard_negatives", NER_TEST, lambda row: put(row, hard_negatives=["city"])),
    row_fault(
        "negatives_asked",
        EEA,
        lambda row: (
            put(row, labels=["start job", "end job"]),
            edit_prompt(row, schema=good.event_types(["joined"], good.START, good.END)),
            edit(row, "output", lambda answer: put(answer, **{"end job": []})),
        ),
    ),
    row_fault("broken_prompt", RE, lambda row: put(row, instruction=row["instruction"][:-1])),
    row_fault("wrong_prompt_keys", RE, lambda row: edit(row, "instruction", lambda p: dict(sorted(p.items())))),
    row_fault(
        "wrong_prompt_values", EE, lambda row: edit_prompt(row, schema=good.event_types(False, good.START, good.END))
    ),
    row_fault("schema_differs", RE, lambda row: edit_prompt(row, schema=list(reversed(good.RE)))),
    row_fault("wrong_masks", RE, lambda row: mask(row, "works for", "Joined")),
    row_fault(
        "unknown_roles",
        KG,
        lambda row: edit(row, "instruction", lambda p: p["schema"][0]["attributes"].append("shoe size")),
    ),
    row_fault("wrong_hash", RE, lambda row: edit_prompt(row, input=good.TEXT + " ")),
    row_fault("misplaced_answer", RE, lambda row: put(row, output=None, label=row["output"])),
    row_fault("broken_answer", RE, lambda row: put(row, output=row["output"][:-1])),
    row_fault("wrong_answer_shape", RE, lambda row: put(row, output=row["output"].replace("subject", "head"))),
    form_fault("unknown_form", RE, "spans", ROWS[RE]["output"]),
    fault(
        "instructions",
        "messages_differ",
        IDS[NER_TEST],
        lambda rows: with_optional_columns(rows)[NER_TEST]["messages"].append({"role": "assistant", "content": "{}"}),
    ),
    row_fault("answer_keys_differ", SPO, lambda row: edit(row, "output", lambda a: dict(reversed(a.items())))),
    row_fault(
        "answer_roles_differ",
        EE,
        lambda row: edit(row, "output", lambda a: a["start job"][0]["arguments"].__delitem__("place")),
    ),
    row_fault(
        "repeated_answers", EET, lambda row: edit(row, "output", lambda a: put(a, **{"start job": ["joined"] * 2}))
    ),
    row_fault("positives_differ", NER, lambda row: edit(row, "output", lambda a: put(a, law=["the company"]))),
    row_fault(
        "batch_out_of_bounds",
        KG,
        lambda row: (
            put(row, labels=["person", "organization"]),
            edit(row, "instruction", lambda p: p["schema"].append({"entity_type": "organization", "attributes": []})),
            edit(row, "output", lambda answer: put(answer, organization=[])),
        ),
    ),
    fault("instructions", "batch_not_full", IDS[NER], second_batch_first),
    fault("instructions", "excess_negatives", IDS[NER_REST], more_negatives),
    # corpus
    Case("corpus", "expect_table_row_count_to_be_between", None, (), lambda facts: facts.clear()),
    *(
        Case("corpus", "expect_column_values_to_not_be_null", name, ids, corrupt_frame=unwritable(name, None))
        for name, ids in (("id", ("row 0",)), ("split", (f"clean/{good.KEY}/train",)))
    ),
    Case("corpus", "expect_column_values_to_be_of_type", "id", ("7",), corrupt_frame=unwritable("id", 7)),
    Case(
        "corpus",
        "expect_column_values_to_be_unique",
        "id",
        (f"clean/{good.KEY}/train",),
        lambda facts: put(facts[1], id=facts[0]["id"]),
        count=2,
    ),
    Case(
        "corpus",
        "expect_column_values_to_be_in_set",
        "split",
        ("data/NER/train",),
        lambda facts: put(facts[2], split="dev"),
    ),
    fault("corpus", "rows", f"clean/{good.KEY}/test", lambda facts: put(facts[1], rows=0, manifest_rows=0)),
    fault("corpus", "missing_rows", "data/NER/train", lambda facts: put(facts[2], rows=8)),
    *(
        fault(
            "corpus",
            name,
            (FIRST, SECOND),
            lambda facts, name=name: put(facts[0], **{name: {"count": 2, "ids": [SECOND, FIRST]}}),
            2,
        )
        for name in CORPUS_CULPRITS
    ),
    fault("corpus", "excess_negatives", "data/NER/train", lambda facts: put(facts[2], negatives=6)),
]


TRIPLE = '{"head": "Anna Berg", "relation": "works for", "tail": "Nordlys"}'
CONTEXT = '{"before": "", "mention": "joined", "after": " Nordlys"}'  # it occurs once, so that it needs none
ARROWS = 'Write "relation": "subject" → "object".'

VARIANTS = [
    form_fault("broken_answer", RE, "triples", "{}"),
    form_fault("wrong_answer_shape", RE, "triples", f"[{TRIPLE},{TRIPLE}]"),
    form_fault("wrong_answer_shape", RE, "triples", '[{"relation": "works for", "tail": "Nordlys"}]'),
    form_fault("answer_keys_differ", RE, "triples", f"[{TRIPLE}, {TRIPLE.replace('works for', 'paints')}]"),
    form_fault("repeated_answers", RE, "triples", f"[{TRIPLE}, {TRIPLE}]"),
    form_fault("positives_differ", RE, "triples", "[]"),
    form_fault("broken_answer", RE, "sentences", "Anna Berg works for Nordlys.", ARROWS),
    form_fault("wrong_answer_shape", RE, "sentences", '"works for": "Anna Berg" → "Nordlys"'),
    form_fault("wrong_answer_shape", RE, "sentences", '"works for": "Anna Berg" → "Nordlys"\n', ARROWS),
    form_fault("positives_differ", RE, "sentences", "NAN", ARROWS),
    form_fault("wrong_answer_shape", EET, "nan", '{"start job": ["joined"], "end job": []}'),
    form_fault("wrong_answer_shape", EET, "spans", f'{{"start job": [{CONTEXT}], "end job": []}}'),
    form_fault("answer_keys_differ", EET, "spans", '{"start job": ["joined"]}'),
    row_fault("unknown_label_set", RE, lambda row: put(row, lang="zh")),
    row_fault("positives_differ", NER, lambda row: put(row, positives=["person", "city"])),
    row_fault("misplaced_answer", RE, lambda row: put(row, output=None)),
    row_fault("misplaced_answer", RE, lambda row: put(row, label="[]")),
    row_fault("misplaced_answer", NER_TEST, lambda row: put(row, output="{}")),
    row_fault("broken_answer", NER_TEST, lambda row: put(row, label="Oslo")),
    row_fault("wrong_answer_shape", NER_TEST, lambda row: put(row, label='[{"entity": "Oslo"}]')),
    row_fault("wrong_answer_shape", NER_TEST, lambda row: put(row, label="{}")),
    row_fault("wrong_answer_shape", NER, lambda row: edit(row, "output", lambda a: put(a, person=[""]))),
    row_fault("wrong_answer_shape", EET, lambda row: edit(row, "output", lambda a: put(a, **{"start job": [7]}))),
    row_fault("wrong_answer_shape", KG, lambda row: edit(row, "output", lambda a: put(a, person=["Anna Berg"]))),
    row_fault("wrong_prompt_values", RE, lambda row: edit_prompt(row, instruction=" ")),
    row_fault("wrong_prompt_values", RE, lambda row: edit_prompt(row, input=None)),
    row_fault("wrong_prompt_values", RE, lambda row: edit_prompt(row, schema=good.event_types(True, good.START))),
    row_fault("wrong_prompt_values", EEA, lambda row: edit_prompt(row, schema=good.event_types(True, good.START))),
    row_fault("wrong_prompt_values", NER, lambda row: edit_prompt(row, schema=dict.fromkeys(row["labels"], ""))),
    row_fault("wrong_prompt_values", EE, lambda row: edit_prompt(row, schema=event_map(True, {"place": ""}))),
    row_fault("wrong_prompt_values", EE, lambda row: edit_prompt(row, schema=event_map(["joined"], {"place": "a"}))),
    row_fault("wrong_prompt_values", EEA, lambda row: edit_prompt(row, schema=event_map(True, {"place": "a"}))),
    row_fault("wrong_prompt_values", KG, lambda row: edit_prompt(row, schema={"person": "a human"})),
    row_fault(
        "wrong_prompt_values", KG, lambda row: edit(row, "instruction", lambda p: put(p["schema"][0], description="a"))
    ),
    row_fault("schema_differs", RE, lambda row: edit_prompt(row, schema=dict.fromkeys(reversed(good.RE), "a"))),
    row_fault("schema_differs", RE, lambda row: mask(row, "works for", "label_1", "label_1")),
    row_fault("wrong_masks", RE, lambda row: mask(row, "works for", "BORN IN")),
    row_fault("answer_keys_differ", RE, lambda row: (mask(row, "works for", "label_1"), unmask(row))),
    row_fault("broken_prompt", RE, lambda row: put(row, instruction="[]")),
    row_fault(
        "unknown_roles",
        KG,
        lambda row: edit(row, "instruction", lambda p: p["schema"][0]["attributes"].append("born in")),
    ),
    row_fault(
        "answer_roles_differ",
        KG,
        lambda row: edit(row, "output", lambda a: put(a["person"]["Anna Berg"], seat="Bergen")),
    ),
    row_fault(
        "answer_roles_differ",
        EEA,
        lambda row: edit(row, "output", lambda a: put(a["start job"][1], arguments={"place": "Bergen"})),
    ),
    row_fault(
        "repeated_answers", RE, lambda row: edit(row, "output", lambda a: put(a, **{"works for": [good.SOMEONE] * 2}))
    ),
    row_fault(
        "repeated_answers", EE, lambda row: edit(row, "output", lambda a: put(a, **{"start job": [good.STARTED] * 2}))
    ),
    example_fault("unknown_labels", FIRST, lambda rows: put(rows[0]["relations"][0], tail_label="city")),
    example_fault("unknown_labels", FIRST, lambda rows: put(rows[0]["events"][0], label="move house")),
    example_fault("broken_record", FIRST, lambda rows: put(rows[0], tasks=["NER", None])),
]
