"""Train Punkt's parameters on raw text, write them for the package, and measure them.

    python -m bench.train_punkt --data DIR            # measure what ships
    python -m bench.train_punkt --data DIR --write    # train, write index/data/punkt.json, measure

Only sets whose licences allow a derived file to ship are trained on, and of those no document
that a `test` question is about. What is kept are statistics of words, no text. The same data
give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data import DataError, Set, Text, load_set
from index import punkt, sentences

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktParameters

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = ROOT / "index" / "data" / "punkt.json"

TRAIN = ("squadshifts", "squad2-train", "squad2", "fairytaleqa")
HELD_OUT = ("scifact", "trecqa-train", "qed")

# Words seen less often say little about how they are written and make up most of the file.
MIN_COUNT = 3
MIN_ABBREVIATIONS = 5
_LOWER_INSIDE = 1 << 5  # Punkt's flag: seen in lower case inside a sentence

Splitter = Callable[[str], Iterable[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Score:
    """How predicted boundaries agree with gold ones; the end of a document is none."""

    right: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted boundaries that are gold."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold boundaries that are predicted."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / (self.predicted + self.gold) if self.gold else 0.0


def training_texts(data: Set) -> Iterator[str]:
    """Yield the texts of `data` that no `test` question is about, in the order of the file."""
    tested = {
        place.document
        for question in data.questions
        if question.split == "test"
        for place in (*question.relevant, *question.gold)
    }
    return (text.text for text in data.documents.values() if text.id not in tested)


def train(texts: Iterable[str]) -> PunktParameters:
    """Return the parameters that Punkt learns from `texts`, without those of rare words."""
    from nltk.tokenize.punkt import PunktTrainer

    trainer = PunktTrainer()
    trainer.train("\n\n".join(texts), finalize=False)
    trainer.finalize_training()
    return _without_noise(trainer.get_params(), trainer._type_fdist)


def _without_noise(parameters: PunktParameters, counts: Mapping[str, int]) -> PunktParameters:
    """Return `parameters` without rare words, and without names among the sentence starters.

    Punkt's rule for rare abbreviations takes a slip such as "fad. in" for one; a name starts
    many sentences of one article and says nothing about others.
    """
    contexts = parameters.ortho_context
    cleaned = type(parameters)()
    cleaned.abbrev_types = {
        word
        for word in parameters.abbrev_types
        if word[0].isalpha() and word[-1].isalpha() and counts[f"{word}."] >= MIN_ABBREVIATIONS
    }
    cleaned.sent_starters = {
        word for word in parameters.sent_starters if contexts[word] & _LOWER_INSIDE
    }
    cleaned.collocations = set(parameters.collocations)
    for word, flags in contexts.items():
        if counts[word] + counts[f"{word}."] >= MIN_COUNT:
            cleaned.ortho_context[word] = flags
    return cleaned


def boundaries(text: Text, split: Splitter) -> Score:
    """Return the score of the ends of sentences that `split` finds in one document."""
    found = {end for _, end in split(text.text)}
    gold = {start + len(text.text[start:end].rstrip()) for start, end in text.sentences}
    last = len(text.text.rstrip())
    found.discard(last)
    gold.discard(last)
    return Score(len(found & gold), len(found), len(gold))


def score(texts: Iterable[Text], split: Splitter) -> Score:
    """Return the score over all boundaries of `texts`."""
    scores = [boundaries(text, split) for text in texts]
    return Score(
        sum(each.right for each in scores),
        sum(each.predicted for each in scores),
        sum(each.gold for each in scores),
    )


def splitters() -> dict[str, Splitter]:
    """Return what is compared; ours without the division of long sentences."""
    from nltk.tokenize.punkt import PunktSentenceTokenizer

    untrained = PunktSentenceTokenizer()
    trained = PunktSentenceTokenizer(punkt.load_parameters(PARAMETERS.read_text(encoding="utf-8")))
    return {
        "Punkt, untrained": untrained.span_tokenize,
        "Punkt, trained": trained.span_tokenize,
        "Punkt, trained, and our list": sentences.whole_sentences,
    }


def write(folder: Path, names: Iterable[str]) -> None:
    """Train on the sets `names` and write the parameters."""
    texts = [text for name in names for text in training_texts(load_set(folder / name))]
    began = time.perf_counter()
    parameters = train(texts)
    comment = {
        "what": "Parameters of NLTK's Punkt, written by bench/train_punkt.py; statistics of words.",
        "sources": ", ".join(names),
        "licence": "Trained on texts under CC BY 4.0, CC BY-SA 4.0 and the public domain.",
    }
    PARAMETERS.write_text(punkt.dump_parameters(parameters, comment), encoding="utf-8")
    print(
        f"{len(texts)} texts, {sum(map(len, texts))} characters, "
        f"{time.perf_counter() - began:.0f} s: {len(parameters.abbrev_types)} abbreviations, "
        f"{len(parameters.sent_starters)} starters, {len(parameters.collocations)} collocations, "
        f"{len(parameters.ortho_context)} words, {PARAMETERS.stat().st_size} bytes"
    )


def measure(folder: Path, names: Iterable[str]) -> None:
    """Print precision, recall and F1 of the boundaries for each set and splitter."""
    for name in names:
        texts = [text for text in load_set(folder / name).documents.values() if text.sentences]
        characters = sum(len(text.text) for text in texts)
        print(f"{name}: {sum(len(text.sentences) for text in texts)} sentences")
        for label, split in splitters().items():
            began = time.perf_counter()
            result = score(texts, split)
            rate = characters / (time.perf_counter() - began) / 1e6
            print(
                f"  {label:<30} precision {result.precision:.4f} recall {result.recall:.4f} "
                f"F1 {result.f1:.4f}  {rate:.1f} MB/s"
            )


def main() -> int:
    """Run the command; 1 if the data are not there."""
    parser = argparse.ArgumentParser(description="Train and measure the sentence splitter.")
    default = os.environ.get("QUOTH_EVAL_DATA", ROOT.parent / "shared" / "eval")
    parser.add_argument("--data", type=Path, default=default, help="folder of sets")
    parser.add_argument("--sets", nargs="+", default=TRAIN, metavar="SET", help="to train on")
    parser.add_argument("--held-out", nargs="+", default=HELD_OUT, metavar="SET", help="to measure")
    parser.add_argument("--write", action="store_true", help="train and write the parameters")
    options = parser.parse_args()
    try:
        if options.write:
            write(options.data, options.sets)
        measure(options.data, options.held_out)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
