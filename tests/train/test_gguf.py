"""A GGUF file is a model like any other: read with nothing lost, trained on, saved, written, or refused in one line."""

import json
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from tests.train.conftest import ner_row
from train import chat, export, load, predict, sft
from train.gguf_files import header, writing

gguf = pytest.importorskip("gguf")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

PROMPT = ner_row(1)["instruction"]


def half_model(config: "transformers.PretrainedConfig") -> "transformers.PreTrainedModel":
    """A random model whose weights float16 can hold."""
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    for weights in model.parameters():
        weights.data = weights.data.half().float()
    return model


def config_for(kind: str, rows: int, **options) -> "transformers.PretrainedConfig":
    """A small config with fewer key than query heads."""
    shape = {
        "vocab_size": rows,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    return transformers.AutoConfig.for_model(kind, **{**shape, **options})


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    load.quiet()
    return chat.load_tokenizer(tiny_base)


@pytest.fixture
def model_file(tokenizer, tmp_path) -> str:
    """A Llama of two layers as a GGUF file, with its chat template."""
    model = half_model(config_for("llama", len(tokenizer)))
    writing.write(model, tokenizer, str(tmp_path / "small.gguf"))
    return str(tmp_path / "small.gguf")


def changed(file: str, target: Path, values: dict | None = None, tensors: dict | None = None) -> str:
    """Copies a GGUF file with other values of its metadata (None: without this key) and additional tensors."""
    reader = gguf.GGUFReader(file)
    values = {**(values or {})}
    writer = gguf.GGUFWriter(target, values.pop("general.architecture", None) or "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        content = values.pop(field.name, field.contents())
        if content is not None:
            writer.add_key_value(field.name, content, field.types[0], field.types[-1] if len(field.types) > 1 else None)
    for name, content in values.items():
        kind = gguf.GGUFValueType.STRING if isinstance(content, str) else gguf.GGUFValueType.UINT32
        writer.add_key_value(name, content, kind)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    for name, content in (tensors or {}).items():
        writer.add_tensor(name, content)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(target)


def logits(model: "transformers.PreTrainedModel", ids: list[int]) -> "torch.Tensor":
    with torch.no_grad():
        return model.eval()(torch.tensor([ids])).logits


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("llama", {}),
        ("llama", {"tie_word_embeddings": True}),
        ("llama", {"rope_parameters": {"rope_theta": 5e5, "factor": 32.0, **load.loading.LLAMA3_ROPE}}),
        ("qwen2", {}),
        ("qwen3", {"head_dim": 128}),
    ],
)
def test_a_model_written_and_read_again_gives_the_same_logits(tokenizer, tmp_path, kind, options):
    model = half_model(config_for(kind, len(tokenizer) + 3, **options))
    file = str(tmp_path / "m.gguf")
    writing.write(model, tokenizer, file)
    again = load.load_model(file, dtype="float32")
    read = chat.load_tokenizer(file)
    assert read.chat_template == tokenizer.chat_template and read.get_vocab().items() >= tokenizer.get_vocab().items()
    assert max(read.get_vocab().values()) == model.config.vocab_size - 1
    ids = chat.prompt(tokenizer, PROMPT)
    assert chat.prompt(read, PROMPT) == ids
    assert torch.allclose(logits(model, ids), logits(again, ids), atol=1e-5)
    again.save_pretrained(tmp_path / "folder")
    read.save_pretrained(tmp_path / "folder")
    assert torch.equal(logits(again, ids), logits(load.load_model(str(tmp_path / "folder"), dtype="float32"), ids))


@pytest.mark.parametrize("split", ["llama-bpe", "smollm", "qwen2", "gpt-2"])
def test_texts_are_split_into_words_as_before(tokenizer, tmp_path, split):
    from tokenizers import Tokenizer

    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    steps = [dict(step) for step in writing.WORDS[split]]
    for step in steps:
        step.update({"trim_offsets": True} if step["type"] == "ByteLevel" else {})
    parts["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps} if len(steps) > 1 else steps[0]
    other = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(parts)),
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        chat_template=chat.PLAIN,
    )
    writing.write(half_model(config_for("llama", len(tokenizer))), other, str(tmp_path / "m.gguf"))
    assert header.read(str(tmp_path / "m.gguf")).metadata["tokenizer.ggml.pre"] == split
    read = chat.load_tokenizer(str(tmp_path / "m.gguf"))
    for text in ("Ada's 1234 crates", "in  1999,\n\n  it RAINED", "港口 2024年", "x=3.14;"):
        words, expected = (t.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text) for t in (read, other))
        assert words == expected


def test_what_the_conversion_does_not_know_is_named(model_file, tmp_path, capsys):
    chat.load_tokenizer(model_file)
    assert capsys.readouterr().err == ""
    file = changed(
        model_file,
        tmp_path / "m.gguf",
        {
            "tokenizer.ggml.pre": "superbpe",
            "tokenizer.chat_template": None,
            "llama.rope.scaling.type": "yarn",
            "tokenizer.ggml.eot_token_id": 5,
        },
    )
    read = chat.load_tokenizer(file)
    model = load.load_model(file)
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 3 and all(line.startswith(f"note: {file}: ") for line in notes)
    assert "(superbpe)" in notes[0] and "without a chat template" in notes[1] and "(yarn)" in notes[2]
    assert read.chat_template == chat.PLAIN
    assert load.end_tokens(model, read) == [2, 5]


def test_weights_that_transformers_skips_are_refused(model_file, tmp_path):
    bias = {f"blk.{layer}.attn_q.bias": torch.ones(32).numpy() for layer in range(2)}
    file = changed(model_file, tmp_path / "m.gguf", tensors=bias)
    with pytest.raises(ConfigError, match=r"m.gguf: transformers does not read 64 of the .* weights in it"):
        load.load_model(file)
    later = {"blk.2.nextn.eh_proj.weight": torch.ones(32, 32).numpy()}
    load.load_model(changed(model_file, tmp_path / "n.gguf", tensors=later))


def cut(file: str, target: Path, end: int) -> str:
    target.write_bytes(Path(file).read_bytes()[:end])
    return str(target)


def test_a_damaged_file_is_refused_in_one_line(model_file, tmp_path, rows_file, capsys):
    size = Path(model_file).stat().st_size
    tokens = gguf.GGUFReader(model_file).fields["tokenizer.ggml.tokens"].contents()
    text = tmp_path / "text.gguf"
    text.write_text("GG")
    versions = tmp_path / "v.gguf"
    versions.write_bytes(b"GGUF\x00\x00\x00\x03" + b"\0" * 16)
    many = {"tokenizer.ggml.tokens": [*tokens, "<more>"]}
    architecture = {"general.architecture": "harbour"}
    for number, (file, line) in enumerate(
        [
            (cut(model_file, tmp_path / "a.gguf", size - 100), "truncated: "),
            (cut(model_file, tmp_path / "b.gguf", size // 3), "truncated"),
            (cut(model_file, tmp_path / "c.gguf", 30), "truncated after 30 bytes"),
            (str(text), "not a GGUF file"),
            (str(versions), "version 50331648 of GGUF"),
            (changed(model_file, tmp_path / "d.gguf", architecture), "(architecture harbour)"),
            (
                changed(model_file, tmp_path / "e.gguf", many),
                f"has {len(tokens) + 1} tokens, its model {len(tokens)} rows",
            ),
            (changed(model_file, tmp_path / "f.gguf", {"split.count": 3}), "one of 3 parts"),
            (changed(model_file, tmp_path / "g.gguf", {"tokenizer.ggml.tokens": None}), "without a tokenizer"),
            (str(tmp_path / "none.gguf"), "no such file"),
            (str(tmp_path), "contains 10 GGUF files (a.gguf, b.gguf"),
        ]
    ):
        commands = [(predict, ["--output", str(tmp_path / "p.jsonl")])]
        if number % 3 == 0:
            commands.append((sft, ["--output", str(tmp_path / "o")]))
        for command, more in commands:
            assert command.main(["--model", file, "--data", rows_file, *more, *predict_split(command)]) == 2
            (error,) = [row for row in capsys.readouterr().err.splitlines() if not row.startswith("note: ")]
            assert error.startswith(f"error: {file}: ") and line in error, (line, error)


def predict_split(command) -> list[str]:
    return ["--split", "train"] if command is predict else []


def test_an_adapter_knows_the_content_of_its_base(model_file, tmp_path, rows_file, capsys):
    """train.sft, train.predict and train.export from a folder that contains a GGUF file, which then moves away."""
    folder = tmp_path / "weights"
    folder.mkdir()
    base = Path(model_file).rename(folder / "small.gguf")
    adapter, rows = str(tmp_path / "adapter"), ["--data", rows_file]
    settings = ["--set", "training.max_steps=2", "--set", "training.max_length=512", "--set", "lora.r=2"]
    assert sft.main(["--model", str(folder), *rows, "--output", adapter, *settings]) == 0
    config = json.loads(Path(adapter, "adapter_config.json").read_text())
    content = f"sha256:{header.sha256(str(base))}"
    assert (config["base_model_name_or_path"], config["revision"]) == (str(base), content)

    answers = tmp_path / "p.jsonl"
    split = ["--split", "train", "--limit", "1", "--max_new_tokens", "4"]
    assert predict.main(["--adapter", adapter, *rows, *split, "--output", str(answers)]) == 0
    merged, file = str(tmp_path / "merged"), str(tmp_path / "merged.gguf")
    assert export.main(["--adapter", adapter, "--output", merged, "--gguf", file]) == 0
    ids = chat.prompt(chat.load_tokenizer(file), PROMPT)
    tuned = logits(load.load_model(str(base), adapter=adapter, dtype="float32"), ids)
    for written, tolerance in ((merged, 1e-4), (file, 1e-2)):
        assert torch.allclose(logits(load.load_model(written, dtype="float32"), ids), tuned, atol=tolerance)
    assert (
        sft.main(["--model", merged, *rows, "--output", str(tmp_path / "full"), "--method", "full", *settings[:4]]) == 0
    )

    moved = base.rename(tmp_path / "moved.gguf")
    capsys.readouterr()
    assert predict.main(["--adapter", adapter, *rows, *split, "--output", str(tmp_path / "q.jsonl")]) == 2
    assert f"{base} is not there; pass --model with the path of this GGUF file ({content})" in capsys.readouterr().err
    load.check(str(moved), adapter)
    other = changed(str(moved), tmp_path / "other.gguf", {"general.name": "another"})
    with pytest.raises(ConfigError, match=f"with {content}, but {other} has sha256:"):
        load.check(other, adapter)


def test_all_weights_of_a_file_can_be_trained(model_file, tmp_path, rows_file):
    settings = ["--method", "full", "--set", "training.max_steps=1"]
    assert sft.main(["--model", model_file, "--data", rows_file, "--output", str(tmp_path / "full"), *settings]) == 0
    load.load_model(str(tmp_path / "full"))


def test_a_model_that_cannot_be_written_is_refused(tokenizer, tiny_base, tmp_path, capsys):
    from tokenizers import pre_tokenizers

    options = {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}
    flags = ["--output", str(tmp_path / "merged"), "--gguf", str(tmp_path / "m.gguf")]
    for config, line in (
        (config_for("llama", len(tokenizer), **options), "the attention of this model (rope linear)"),
        (config_for("mistral", len(tokenizer)), "models of type mistral are not written"),
    ):
        folder = str(tmp_path / config.model_type)
        half_model(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        assert export.main(["--model", folder, *flags]) == 2
        assert line in capsys.readouterr().err and not (tmp_path / "merged").exists()
    other = chat.load_tokenizer(tiny_base)
    other.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ConfigError, match="no known name for the tokenizer"):
        writing.write(half_model(config_for("llama", len(tokenizer))), other, str(tmp_path / "m.gguf"))
    assert not list(tmp_path.glob("*.gguf*"))
