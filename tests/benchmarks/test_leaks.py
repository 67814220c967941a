"""Leaks that are planted in generated texts are reported, and nothing else is."""

import pytest

from benchmarks import leaks

PLANTED = 60


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaks")
    return leaks.measure_build(folder, 6_000, PLANTED, ["--runner=DirectRunner"], templated=500)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_planted_leaks_are_reported(figures, lang):
    planted = figures["planted"]
    assert planted[f"within {lang}"] == planted[f"around {lang}"] == [PLANTED, PLANTED]
    assert planted[f"near {lang}"][0] >= 0.98 * PLANTED
    assert planted[f"alike {lang}"] == [0, PLANTED]


def test_other_texts_are_not_reported(figures):
    reported, texts = figures["unplanted"]
    assert texts > 4_000 and reported == 0


def test_texts_of_one_template_hide_no_leak(figures):
    reported, texts = figures["planted"]["templated en"]
    assert texts == 450 and 0 < reported < texts


def test_too_few_texts_are_refused(capsys):
    with pytest.raises(SystemExit):
        leaks.main(["--texts", "1000", "--planted", "100"])
    assert "--planted 100 needs --texts 8000 or more" in capsys.readouterr().err
