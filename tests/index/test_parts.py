"""Vectors of sentences as they read in their passage, from one pass over it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import HashEncoder
from tokenizers import Tokenizer, models, pre_tokenizers

from index import Library
from index.encoder import load_encoder
from index.ingest import Label, as_encoded, document_of, key_of, prepare
from index.lean import LeanEncoder, _tokens
from index.searchview import plain
from index.types import Block, BlockKind, Document, Encoder, Part, PartEncoder
from index.weights import default_model

if TYPE_CHECKING:
    from index.types import Vectors

TEXT = "Lift rules. The lift is inspected every year. Who pays? The landlord pays for it."


def parts_of(text: str, *words: str) -> list[Part]:
    return [Part(text, text.index(some), text.index(some) + len(some)) for some in words]


@pytest.fixture(scope="module")
def lean(encoder: Encoder) -> LeanEncoder:
    assert isinstance(encoder, LeanEncoder)
    return encoder


def test_the_lean_runtime_sees_parts_and_the_whole_is_one(lean: LeanEncoder) -> None:
    assert isinstance(lean, PartEncoder)
    whole, again = lean.encode_parts([Part.whole(TEXT)]), lean.encode_documents([TEXT])
    np.testing.assert_array_equal(whole, again)


@pytest.mark.slow
def test_a_part_is_the_mean_of_its_tokens_in_sentence_transformers(
    lean: LeanEncoder, sentence_transformers: ModuleType
) -> None:
    model = sentence_transformers.SentenceTransformer(str(default_model()), device="cpu")
    states = model.encode([TEXT], output_value="token_embeddings", show_progress_bar=False)[0]
    offsets = model.tokenizer(TEXT, return_offsets_mapping=True)["offset_mapping"]
    parts = parts_of(TEXT, "The lift is inspected every year.", "Who pays?")
    for part, ours in zip(parts, lean.encode_parts(parts), strict=True):
        own = [
            state.numpy()
            for state, (start, end) in zip(states, offsets, strict=True)
            if part.start <= start < end <= part.end
        ]
        mean = np.mean(own, axis=0)
        assert ours @ mean / np.linalg.norm(mean) >= 0.9999


def test_what_stands_around_a_part_counts(lean: LeanEncoder) -> None:
    (asked,) = parts_of(TEXT, "Who pays?")
    inside, alone = lean.encode_parts([asked, asked.alone])
    lift = lean.encode_query("Who pays for the inspection of the lift?")
    assert inside @ lift > alone @ lift + 0.1


def test_order_repeats_and_company_change_nothing(lean: LeanEncoder) -> None:
    parts = parts_of(TEXT, "Who pays?", "The landlord pays for it.")
    others = [Part.whole("A cat is allowed."), *parts, Part.whole(TEXT), parts[0]]
    together = lean.encode_parts(others)
    np.testing.assert_allclose(together[1:3], lean.encode_parts(parts), atol=1e-6)
    np.testing.assert_array_equal(together[1], together[4])


@pytest.mark.parametrize("beyond", ["The end is here.", "word The end is here."])
def test_what_lies_beyond_the_greatest_length_is_encoded_by_itself(
    lean: LeanEncoder, beyond: str
) -> None:
    text = "word " * 400 + beyond
    (part,) = parts_of(text, "The end is here.")
    np.testing.assert_allclose(
        lean.encode_parts([part]), lean.encode_parts([part.alone]), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["byte level", "metaspace"])
def test_a_space_that_belongs_to_a_word_is_no_loss(kind: str) -> None:
    """Of models with other tokenizers; the first word of a sentence begins before it there."""
    text = "Lift rules. Who pays it?"
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
        if kind == "byte level"
        else pre_tokenizers.Metaspace(split=True)
    )
    (asked,) = parts_of(text, "Who pays it?")
    encoding = tokenizer.encode(text)
    (found,) = _tokens(encoding, [asked], 0)
    own = [text[a:b] for (a, b), is_own in zip(encoding.offsets, found, strict=True) if is_own]
    assert "".join(own).strip() == "Who pays it?"


def test_a_part_cut_at_its_beginning_is_encoded_by_itself() -> None:
    text = "Lift rules. Who pays it?"
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(6, direction="left")
    rules, asked = parts_of(text, "Lift rules.", "Who pays it?")
    found = _tokens(tokenizer.encode(text), [rules, asked], 0)
    assert found.sum(1).tolist() == [0, 4]


def test_the_search_for_sentences_does_not_begin_in_the_title() -> None:
    label = Label(source=1, path="a.txt", type="text", title="Lease")
    prepared = prepare(document_of("a.txt", "Lease. The rent is due."), label)
    (whole,) = prepared.passage_parts
    assert whole.text == "Lease. Lease. The rent is due."
    assert [part.start for part in prepared.sentence_parts] == [7, 14]


@settings(deadline=None, max_examples=30)
@given(st.text(st.characters(exclude_categories=()), max_size=60), st.data())
def test_any_part_of_any_text_has_a_vector(
    encoder: Encoder, text: str, data: st.DataObject
) -> None:
    assert isinstance(encoder, LeanEncoder)
    start = data.draw(st.integers(0, len(text)))
    part = Part(text, start, data.draw(st.integers(start, len(text))))
    (vector,) = encoder.encode_parts([part])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_part_and_its_words_elsewhere_have_keys_of_their_own() -> None:
    one, two = parts_of(TEXT, "Who pays?", "Lift rules.")
    keys = {key_of(one), key_of(two), key_of(one.alone), key_of(Part.whole(TEXT))}
    assert len(keys) == 4
    assert key_of(one.alone) == key_of(Part.whole("Who pays?"))


@given(st.text(max_size=300), st.text(max_size=10))
def test_the_part_of_a_sentence_is_its_plain_text(text: str, title: str) -> None:
    if not text.strip():
        return
    label = Label(source=1, path="a.txt", type="text", title=title)
    prepared = prepare(document_of("a.txt", text), label)
    for sentence, part in zip(prepared.sentences, prepared.sentence_parts, strict=True):
        own = plain(prepared.document.text[sentence.start : sentence.end])
        assert part.alone.text == own
    for passage, whole in zip(prepared.passages, prepared.passage_parts, strict=True):
        assert whole.is_whole
        for part in prepared.sentence_parts[passage.first : passage.last]:
            assert part.is_whole or part.text == whole.text


def test_a_row_is_encoded_with_its_header_and_not_with_its_neighbours() -> None:
    text = "Rope 48\nBrake 95"
    blocks = tuple(
        Block(start, end, BlockKind.ROW, context="Part, price") for start, end in ((0, 7), (8, 16))
    )
    document = Document(text=text, blocks=blocks)
    prepared = prepare(document, Label(source=1, path="prices.csv", type="csv"))
    rows = [part.text for part in prepared.sentence_parts]
    assert rows == ["Part, price Rope 48", "Part, price Brake 95"]


def test_a_model_that_sees_no_parts_encodes_sentences_alone() -> None:
    (asked,) = parts_of(TEXT, "Who pays?")
    assert as_encoded(HashEncoder(), [asked]) == [Part.whole("Who pays?")]


def test_a_changed_sentence_costs_one_pass_over_its_passage(
    tmp_path: Path, lean: LeanEncoder
) -> None:
    class Counting(LeanEncoder):
        def __init__(self) -> None:
            self.__dict__.update(lean.__dict__)
            self.texts: list[str] = []

        def encode_parts(self, parts: list[Part]) -> Vectors:  # type: ignore[override]
            self.texts += dict.fromkeys(part.text for part in parts)
            return super().encode_parts(parts)

    file = tmp_path / "rules.txt"
    file.write_text(f"{TEXT}\n\nA cat is allowed. A dog is not, and nobody asks why.\n")
    encoder = Counting()
    with Library.open(tmp_path / "l.quoth", create=True, encoder=encoder) as library:
        assert library.sync(file).embedded == len(encoder.texts) == 1
        encoder.texts.clear()
        file.write_text(f"{TEXT}\n\nA cat is allowed. A dog is not, and nobody asks.\n")
        report = library.sync(file)
        assert report.embedded == len(encoder.texts) == 1
        status = library.status()
        assert status.sentences == 6
        assert status.vectors > 7  # those of the passage before wait for `compact`


def test_the_default_is_the_lean_runtime() -> None:
    assert isinstance(load_encoder(), PartEncoder)
