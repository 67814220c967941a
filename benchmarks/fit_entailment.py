"""python -m benchmarks.fit_entailment: fits the weights of the built-in score of facts, and measures it.

Logistic regression with bounds on its weights and L2 penalties, on five sets of claims from REBEL, KnowledgeNet and
Text2KGBench (see `entailment_sets`). All figures are of cross-validation: each text is scored with weights fitted on
the texts of the other folds, cut at 0.5. The fit is the same on every run.

The weights of the page features are bounded because these sets do not determine them: nearly all statements about the
page's item that the graph of the sample has come from the annotation itself.
"""

import argparse
import json
import sys
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import entailment_sets, knowledge_gold
from benchmarks.entailment_sets import Case
from schemas import command
from transforms import files, yaml_values
from validation.lexical_entailment import FEATURES, WEIGHTS, features
from validation.relation_words import entry

FOLDS = 5
RECALL = 0.975
"""The recall on REBEL, in cross-validation, at which the cut is 0.5."""

SHARES = {"rebel": 1.0, "knowledgenet": 0.3, "pairs": 0.5, "words": 0.3, "text2kgbench": 0.05}
"""The weight of a case of each set."""

INFINITE = float("inf")
BOUNDS = {
    "always": (-INFINITE, INFINITE),
    "other_sentence": (-INFINITE, 0),
    "mentions_between": (-INFINITE, 0),
    "head_is_page": (0, 2),
    "tail_is_page": (0, 2),
    "continued": (0, 2),
    "head_is_word": (-INFINITE, 0),
    "head_first": (0, INFINITE),
    "listed": (-INFINITE, 0),
    "cue": (0, INFINITE),
    "cue_missing": (-INFINITE, 0),
    "rival": (-INFINITE, 0),
}
FEATURE_PENALTY, RELATION_PENALTY = 1.0, 5.0
MIN_CASES = 10
"""Relations with fewer cases in REBEL and KnowledgeNet have no weight of their own."""

ROUNDS = 3


@dataclass(frozen=True)
class Examples:
    """The cases of a set. `values`: the features of each claim of each case."""

    name: str
    cases: list[Case]
    values: list[np.ndarray]

    @property
    def stated(self) -> np.ndarray:
        return np.array([case.stated for case in self.cases], bool)

    def relations(self) -> list[str]:
        entries = [entry(case.claims[0].property, case.claims[0].relation) for case in self.cases]
        return [cues.name if cues else "" for cues in entries]

    def part(self, fold: int, inside: bool) -> "Examples":
        """The cases of the texts in a fold, or of those outside it."""
        numbers = [number for number, case in enumerate(self.cases) if (fold_of(case.text) == fold) == inside]
        return Examples(self.name, [self.cases[n] for n in numbers], [self.values[n] for n in numbers])


@dataclass(frozen=True)
class Fit:
    features: np.ndarray
    relations: dict[str, float]

    def scores(self, examples: Examples) -> np.ndarray:
        """The log odds of each case: those of its best pair of mentions."""
        priors = [self.relations.get(name, 0.0) for name in examples.relations()]
        return np.array([(values @ self.features).max() for values in examples.values]) + np.array(priors)


def fold_of(text: int) -> int:
    return zlib.crc32(str(text).encode()) % FOLDS


def fit(sets: Sequence[Examples]) -> Fit:
    counts = Counter(name for part in sets if part.name in ("rebel", "knowledgenet") for name in part.relations())
    names = sorted(name for name, count in counts.items() if name and count >= MIN_CASES)
    stated = np.concatenate([part.stated for part in sets]).astype(float)
    shares = np.concatenate([np.full(len(part.cases), SHARES[part.name]) for part in sets])
    # The share of stated pairs is that of a construction, so pairs have an intercept that is dropped
    is_pair = np.concatenate([np.full(len(part.cases), float(part.name == "pairs")) for part in sets])
    relations = np.concatenate([[[name == other for other in names] for name in part.relations()] for part in sets])
    relations = relations.astype(float) * (1 - is_pair[:, None])
    bounds = np.array([*(BOUNDS[name] for name in FEATURES), *[(-INFINITE, INFINITE)] * (len(names) + 1)])
    penalties = np.array([1e-3, *[FEATURE_PENALTY] * (len(FEATURES) - 1), *[RELATION_PENALTY] * len(names), 1e-3])
    weights = np.zeros(len(FEATURES))
    for _ in range(ROUNDS):  # the best pair of mentions of a case depends on the weights
        best = [values[int((values @ weights).argmax())] for part in sets for values in part.values]
        solution = solve(np.column_stack([np.array(best), relations, is_pair]), stated, shares, penalties, bounds)
        weights = solution[: len(FEATURES)]
    return Fit(weights, dict(zip(names, solution[len(FEATURES) : -1].tolist(), strict=True)))


def solve(
    values: np.ndarray, stated: np.ndarray, shares: np.ndarray, penalties: np.ndarray, bounds: np.ndarray
) -> np.ndarray:
    """The weights within `bounds` with the least penalised loss, by Newton's method on those not at a bound."""
    low, high = bounds.T

    def loss(weights: np.ndarray) -> float:
        odds = values @ weights
        return float(shares @ (np.logaddexp(0, odds) - stated * odds) + penalties @ weights**2 / 2)

    weights = np.clip(np.zeros(len(penalties)), low, high)
    for _ in range(200):
        chances = 1 / (1 + np.exp(-values @ weights))
        gradient = values.T @ (shares * (chances - stated)) + penalties * weights
        free = ~(((weights <= low) & (gradient > 0)) | ((weights >= high) & (gradient < 0)))
        if not free.any() or abs(gradient[free]).max() < 1e-6:
            break
        part = values[:, free]
        curvature = (part * (shares * chances * (1 - chances))[:, None]).T @ part + np.diag(penalties[free])
        step = np.zeros(len(weights))
        step[free] = np.linalg.solve(curvature, gradient[free])
        size = 1.0
        while size > 1e-9 and loss(np.clip(weights - size * step, low, high)) > loss(weights):
            size /= 2
        if size <= 1e-9:
            break
        weights = np.clip(weights - size * step, low, high)
    return weights


def cross_validate(sets: Sequence[Examples]) -> dict[str, np.ndarray]:
    """The log odds of all cases of each set, by weights that were fitted without their text."""
    scores = {part.name: np.zeros(len(part.cases)) for part in sets}
    for number in range(FOLDS):
        fitted = fit([part.part(number, inside=False) for part in sets])
        for part in sets:
            where = [fold_of(case.text) == number for case in part.cases]
            scores[part.name][where] = fitted.scores(part.part(number, inside=True))
    return scores


def cut_at(scores: np.ndarray, stated: np.ndarray, annotated: int) -> float:
    """The log odds at which RECALL is reached."""
    return float(np.sort(scores[stated])[::-1][int(np.ceil(RECALL * annotated)) - 1]) - 1e-6


def figures(part: Examples, scores: np.ndarray, annotated: int, empty: set[int]) -> dict:
    """Precision and recall at log odds of 0. `annotated`: number of annotated facts; `empty`: texts without one."""
    kept, stated = scores >= 0, part.stated
    with_fact = {case.text for case, keep in zip(part.cases, kept, strict=True) if keep}
    return {
        "cases": len(part.cases),
        "stated": int(stated.sum()),
        "precision_of_all": round(float(stated.mean()), 4),
        "recall_of_all": round(int(stated.sum()) / annotated, 4),
        "precision": round(int((kept & stated).sum()) / max(int(kept.sum()), 1), 4),
        "recall": round(int((kept & stated).sum()) / annotated, 4),
        "ranking": ranking(scores, stated),
        "texts_without_fact": len(empty),
        "texts_without_fact_that_get_one": len(empty & with_fact),
    }


def ranking(scores: np.ndarray, stated: np.ndarray) -> float | None:
    """The chance that a stated case has a higher score than one that is not (area under the ROC curve)."""
    if stated.all():
        return None
    yes, no = scores[stated], np.sort(scores[~stated])
    below = np.searchsorted(no, yes, "left") + np.searchsorted(no, yes, "right")
    return round(float(below.mean() / 2 / len(no)), 4)


@dataclass
class Row:
    """Numbers of the cases of a relation."""

    cases: int = 0
    stated: int = 0
    kept: int = 0
    kept_and_stated: int = 0


def by_relation(part: Examples, scores: np.ndarray) -> list[tuple[str, Row]]:
    """(entry, numbers), the most frequent first."""
    rows: dict[str, Row] = {}
    for name, keep, stated in zip(part.relations(), scores >= 0, part.stated, strict=True):
        row = rows.setdefault(name or "(others)", Row())
        row.cases += 1
        row.stated += int(stated)
        row.kept += int(keep)
        row.kept_and_stated += int(keep and stated)
    return sorted(rows.items(), key=lambda item: (-item[1].cases, item[0]))


def prepare(name: str, cases: Sequence[Case]) -> Examples:
    return Examples(name, list(cases), [np.array([features(claim) for claim in case.claims]) for case in cases])


def run(options: argparse.Namespace) -> int:
    rebel = knowledge_gold.read("rebel", options.rebel)
    passages = knowledge_gold.read("knowledgenet", options.knowledgenet)
    sentences = knowledge_gold.read("text2kgbench", options.text2kgbench)
    graph = entailment_sets.read_graph(options.wikidata, (rebel, passages))
    sets = [
        prepare("rebel", list(entailment_sets.rebel(rebel, graph))),
        prepare("knowledgenet", list(entailment_sets.knowledgenet(passages, graph))),
        prepare("pairs", list(entailment_sets.pairs(passages, graph))),
        prepare("words", list(entailment_sets.words(rebel, graph))),
        prepare("text2kgbench", list(entailment_sets.text2kgbench(sentences))),
    ]
    annotated = {part.name: int(part.stated.sum()) for part in sets}
    annotated["rebel"] = sum(not fact.is_value for text in rebel.texts for fact in text.facts)
    empty: dict[str, set[int]] = {part.name: set() for part in sets}
    empty["knowledgenet"] = {number for number, text in enumerate(passages.texts) if not text.facts}
    scores = cross_validate(sets)
    cut = cut_at(scores["rebel"], sets[0].stated, annotated["rebel"])
    scores = {name: values - cut for name, values in scores.items()}
    fitted = fit(sets)
    fitted.features[0] -= cut
    results = {part.name: figures(part, scores[part.name], annotated[part.name], empty[part.name]) for part in sets}
    relations = by_relation(sets[0], scores["rebel"])
    files.write_text(files.absolute(options.output), data_file(fitted))
    print(json.dumps(results) if options.json else tables(sets, results, relations, fitted))
    return 0


def data_file(fitted: Fit) -> str:
    weights = {
        "features": {name: round(float(w), 2) for name, w in zip(FEATURES, fitted.features, strict=True)},
        "relations": {name: round(weight, 2) for name, weight in fitted.relations.items()},
    }
    return (
        "# The weights of the built-in score, in log odds. Written by python -m benchmarks.fit_entailment.\n"
        + yaml_values.render(weights)
    )


def tables(sets: Sequence[Examples], results: dict, relations: Sequence[tuple[str, Row]], fitted: Fit) -> str:
    keys = list(next(iter(results.values())))
    lines = [f"| set | {' | '.join(key.replace('_', ' ') for key in keys)} |", f"|:--|{'--:|' * len(keys)}"]
    lines += [f"| {name} | {' | '.join(str(row[key]) for key in keys)} |" for name, row in results.items()]
    lines += ["", "| relations of REBEL | cases | stated | kept | kept and stated |", "|:--|--:|--:|--:|--:|"]
    lines += [
        f"| {name} | {row.cases} | {row.stated} | {row.kept} | {row.kept_and_stated} |" for name, row in relations
    ]
    names = " | ".join(f"{part.name}: {kind}" for part in sets[:3] for kind in ("stated", "not"))
    lines += ["", f"| feature (mean of) | weight | {names} |", f"|:--|--:|{'--:|' * 6}"]
    for number, (name, meaning) in enumerate(FEATURES.items()):
        means = []
        for part in sets[:3]:
            column = np.array([values[0][number] for values in part.values])
            means += [f"{column[part.stated].mean():.2f}", f"{column[~part.stated].mean():.2f}"]
        lines.append(f"| {name}: {meaning} | {fitted.features[number]:.2f} | {' | '.join(means)} |")
    return "\n".join(lines)


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("benchmarks.fit_entailment", __doc__)
    parser.add_argument("--rebel", required=True, metavar="FILE", help="texts of REBEL")
    parser.add_argument("--knowledgenet", required=True, metavar="FILE", help="passages of KnowledgeNet")
    parser.add_argument("--text2kgbench", required=True, metavar="FILE", help="sentences of Text2KGBench")
    parser.add_argument("--wikidata", required=True, nargs="+", metavar="FILE", help="dumps of the knowledge graph")
    parser.add_argument("--output", default=str(WEIGHTS), metavar="FILE", help="the weights (default: those in use)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, run, flags)


if __name__ == "__main__":
    sys.exit(main())
