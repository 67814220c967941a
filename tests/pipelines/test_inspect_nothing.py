"""What `inspect` says of files and folders in which it can read nothing."""

import pytest

from pipelines import inspect as command


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.xml", "<?xml version='1.0'?>\n<GateDocument version='3'></GateDocument>", "GATE XML is not read"),
        ("a.lif", '{"text": {"@value": "Ada left."}, "views": []}', "LIF is not read"),
        ("a.json", '[{"instruction": "List the people.", "output": "Ada"}]', "Alpaca JSON is not read; "),
        ("a.jsonl", '{"column_data": "Ada.", "column_label": []}', "doccano's file for import is not read; rename"),
        ("a.jsonl", '{"conversations": []}', "ShareGPT JSON is not read; "),
        (
            "a.ttl",
            "@prefix nif: <http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#> .\n<a> a nif:Context .\n",
            "NIF is not read",
        ),
    ],
)
def test_formats_that_are_not_read_are_named(name, content, line, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    assert command.main([str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"not read:\n  {name}: {line}") and out.count("\n") == 2
    assert err == (f"error: {tmp_path}: no file in it is in a known format; docs/user_data.md lists the formats\n")


@pytest.mark.parametrize(
    ("name", "content", "reason", "remedy"),
    [
        ("train.jsonl", "", "it is empty", "export it again"),
        ("train.conll", "\n \n\n", "it is empty", "export it again"),
        ("train.txt", "\n", "it is empty", "export it again"),
        ("a.json", "\ufeff", "it is empty", "export it again"),
        ("a.json", "[]\n", "it is empty", "export it again"),
        ("a.json", "{\n}\n", "it is empty", "export it again"),
        ("a.csv", "text,label\n", "a table is not read", "export JSON from the annotation tool"),
        ("a.json", '{"colour": 1}', "its format is none that is recognised (docs/user_data.md)", ""),
    ],
)
def test_a_file_without_records_has_one_reason(name, content, reason, remedy, tmp_path, capsys):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert command.main([str(path)]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"not read:\n  {name}: {reason}") and out.count("\n") == 2
    assert err == f"error: {path}: {reason}{remedy and f'; {remedy}'}\n"
    assert command.main([str(tmp_path)]) == 2
    is_empty = reason == "it is empty"
    why = "all its files are empty; export them again" if is_empty else "no file in it is in a known format; "
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}: {why}")


def test_an_empty_folder_and_a_wrong_path_are_one_line(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 2
    assert command.main([f"{tmp_path}/nowhere"]) == 2
    out, err = capsys.readouterr()
    assert out.strip() == ""
    assert err.splitlines() == [
        f"error: {tmp_path}: contains no file; put the files of your annotation tool into it",
        f"error: {tmp_path}/nowhere: no such folder or file; check the path",
    ]
