"""Export of a model to ONNX for the lean runtime: once, in a child process, and checked.

`python -m index.export SRC DST` exports the model in the folder SRC into the folder DST. It
writes `model.onnx` (token states out), `tokenizer.json` and last `lean.json`, which holds the
checksums of both, the prompts, and whether the model can run lean at all.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from index.errors import EncoderError
from index.weights import cache_folder, file_hash, fingerprint

__all__ = ["lean_folder", "main"]

logger = logging.getLogger(f"quoth.{__name__}")

# Part of the cache's key: raised when an export of the same model comes out differently.
EXPORT = 1
PATIENCE_S = 600.0
MIN_COSINE = 0.9999
USUAL_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

SAMPLE = (
    "",
    " ",
    "a",
    "The lift is inspected every twelve months.",
    "How often is the lift inspected?",
    "Total: 1,240.50 EUR (incl. 19 % VAT), due 2024-03-31",
    "Dr. Meier, who signed for the tenant, did not return the keys on 3 May 2021.",
    "def mean(values): return sum(values) / len(values)",
    "Die Mieterin zahlt die Nebenkosten in zwölf gleichen Raten.",
    "Le préavis est de trois mois.",
    "電梯每年檢查一次。",
    "Лифт проверяют раз в год.",
    "المصعد يُفحص كل سنة",
    "Great job 👩‍🔧🎉!",
    "e\u0301 and é, soft\u00adhyphen, NUL\x00 and\r\nCRLF",
    "| Part | Price |\t| Rope | 48 |",
    "UPPER lower MiXeD https://example.org/a?b=c#d x_1.y-2",
    "Rope, brake, cabin, doors. " * 4,
    "The caretaker reads the meter, writes the figure down and signs the sheet. " * 60,
)


class UnusualModelError(Exception):
    """The model cannot run lean; the message is the reason."""


def lean_folder(model: Path, expected: str) -> Path | None:
    """Return the folder with the export of `model`, made now if need be, or None.

    None means that the model has to run in sentence-transformers: its shape is unusual, the
    export gave other vectors, or there is no place to keep it. The reason is logged.

    Args:
        model: Folder of the model.
        expected: Its fingerprint.

    Raises:
        EncoderError: The model's files changed after the fingerprint was taken.
    """
    from filelock import FileLock, Timeout

    folder = cache_folder() / "models" / f"{expected[:32]}-{EXPORT}"
    manifest = _manifest(folder)
    if manifest is None:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock", timeout=PATIENCE_S):
                # Another process may have exported it while this one waited.
                manifest = _manifest(folder) or _export_in_child(model, folder)
        except (OSError, Timeout, subprocess.SubprocessError) as error:
            logger.warning("the lean runtime is not used: %s", error)
            return None
    if manifest is None:
        return None
    if manifest["fingerprint"] != expected:
        shutil.rmtree(folder, ignore_errors=True)
        raise EncoderError(f"The files of the model in {model} have just changed; try again.")
    if not manifest["lean"]:
        logger.info("the lean runtime is not used: %s", manifest["reason"])
        return None
    return folder


def _manifest(folder: Path) -> dict[str, Any] | None:
    """Return what `lean.json` says, or None when the export is missing or damaged."""
    try:
        manifest = json.loads((folder / "lean.json").read_bytes())
        for name, digest in manifest["files"].items():
            if file_hash(folder / name) != digest:
                logger.warning("%s is damaged and will be exported again", folder / name)
                return None
        return {"reason": "", **manifest, "lean": manifest["lean"] is True}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _export_in_child(model: Path, folder: Path) -> dict[str, Any] | None:
    """Export into a temporary folder and rename it, so that `folder` is whole or absent."""
    for stale in folder.parent.glob(f"{folder.name}.tmp-*"):
        shutil.rmtree(stale, ignore_errors=True)
    logger.info("preparing the model for the lean runtime; this is done once")
    began = time.monotonic()
    target = Path(tempfile.mkdtemp(prefix=f"{folder.name}.tmp-", dir=folder.parent))
    try:
        child = subprocess.run(
            [sys.executable, "-m", "index.export", str(model), str(target)],
            env=os.environ | OFFLINE | {"PYTHONPATH": _python_path()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_S,
            check=False,
        )
        if child.returncode:
            # The child's own sentence comes last, after the warnings of what it imports.
            lines = child.stderr.decode(errors="replace").strip().splitlines()
            logger.warning(
                "the lean runtime is not used: the export failed with status %d (%s)",
                child.returncode,
                lines[-1] if lines else "no message",
            )
            return None
        shutil.rmtree(folder, ignore_errors=True)
        target.rename(folder)
    finally:
        shutil.rmtree(target, ignore_errors=True)
    logger.info("prepared the model in %.1f s", time.monotonic() - began)
    return _manifest(folder)


def _python_path() -> str:
    """Return a PYTHONPATH with which the child finds this very package."""
    here = str(Path(__file__).resolve().parent.parent)
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([here, given]) if given else here


def main(arguments: list[str]) -> int:
    """Export the model in the first folder into the second and return the exit status."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m index.export SRC DST\n")
        return 2
    source, target = (Path(argument).absolute() for argument in arguments)
    os.environ.update(OFFLINE)
    target.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {"lean": True, "fingerprint": fingerprint(source, fresh=True)}
    manifest["files"] = {}
    try:
        manifest |= _export(source, target)
    except UnusualModelError as error:
        manifest |= {"lean": False, "reason": str(error)}
        for name in ("model.onnx", "tokenizer.json"):
            (target / name).unlink(missing_ok=True)
    except Exception as error:  # noqa: BLE001 - whatever fails here, the parent has another way
        reason = (str(error).strip() or "no message").splitlines()[0]
        sys.stderr.write(f"\n{type(error).__name__}: {reason[:300]}\n")
        return 1
    _write_manifest(target, manifest)
    return 0


def _write_manifest(target: Path, manifest: dict[str, Any]) -> None:
    (target / "lean.json").write_text(json.dumps(manifest, indent=1), "utf-8")


def _export(source: Path, target: Path) -> dict[str, Any]:
    """Write the export and return its part of the manifest, once it has proved itself."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(source), device="cpu", local_files_only=True).float().eval()
    _check_shape(model)
    # What sentence-transformers itself says, before the attention is swapped for the export.
    documents, query = _reference(model)
    _write_tokenizer(model, target / "tokenizer.json")
    _write_graph(model, target / "model.onnx")
    prompts = model.prompts
    document = next((name for name in ("document", "passage", "corpus") if name in prompts), None)
    default = prompts.get(model.default_prompt_name) or ""
    manifest = {
        "files": {
            name: file_hash(target / name, fresh=True) for name in ("model.onnx", "tokenizer.json")
        },
        "dim": int(documents.shape[1]),
        "document_prompt": (prompts[document] or "") if document else default,
        "query_prompt": (prompts["query"] or "") if "query" in prompts else default,
    }
    _write_manifest(target, manifest)
    _check_vectors(target, documents, query)
    return manifest


def _check_shape(model: Any) -> None:  # noqa: ANN401 - a SentenceTransformer
    """Raise UnusualModelError unless the lean runtime does all that the model does."""
    modules = list(model)
    # By name, since the classes have moved between releases; a model's own code does not count.
    kinds = [
        type(module).__name__
        for module in modules
        if type(module).__module__.startswith("sentence_transformers.")
    ]
    if len(kinds) < len(modules) or kinds not in USUAL_MODULES:
        raise UnusualModelError(f"modules {', '.join(type(module).__name__ for module in modules)}")
    transformer, pooling = modules[:2]
    tokenizer = transformer.tokenizer
    length = transformer.max_seq_length
    config = transformer.model.config
    faults = {
        "pooling other than the mean": _pooling_mode(pooling) != "mean",
        "prompts that do not count": not pooling.include_prompt,
        "no fast tokenizer": not getattr(tokenizer, "is_fast", False),
        "no greatest length": not isinstance(length, int) or not 0 < length <= 1_000_000,
        "padding before the text": getattr(tokenizer, "padding_side", "right") != "right",
        "vectors cut short": getattr(model, "truncate_dim", None) is not None,
        "an encoder and a decoder": bool(getattr(config, "is_encoder_decoder", False)),
        "other lengths for queries": any(
            getattr(transformer, name, None) for name in ("query_length", "document_length")
        ),
    }
    if found := [fault for fault, is_so in faults.items() if is_so]:
        raise UnusualModelError(", ".join(found))


def _pooling_mode(pooling: Any) -> object:  # noqa: ANN401 - a Pooling module
    """Return the pooling mode; releases before 6 tell it by a method only."""
    if hasattr(pooling, "pooling_mode"):
        return pooling.pooling_mode
    return pooling.get_pooling_mode_str()


def _reference(model: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a SentenceTransformer, arrays
    """Return the vectors of the sample as documents, and of its fifth text as a query."""
    documents = model.encode_document(list(SAMPLE), show_progress_bar=False)
    return documents, model.encode_query(SAMPLE[4], show_progress_bar=False)


def _write_tokenizer(model: Any, path: Path) -> None:  # noqa: ANN401 - a SentenceTransformer
    """Write the tokenizer as sentence-transformers set it up, with the cut of long texts."""
    from tokenizers import Tokenizer

    loaded = model[0].tokenizer
    tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.enable_truncation(model[0].max_seq_length, direction=loaded.truncation_side)
    tokenizer.save(str(path))


def _write_graph(model: Any, path: Path) -> None:  # noqa: ANN401 - a SentenceTransformer
    """Write the transformer as one ONNX file: tokens in, states out, any batch and length."""
    import inspect

    import torch

    transformer = model[0].model
    # Plain attention has the simplest graph; ONNX Runtime runs it a quarter faster.
    transformer.set_attn_implementation("eager")
    taken = inspect.signature(transformer.forward).parameters
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in taken]
    if names[:2] != ["input_ids", "attention_mask"]:
        raise UnusualModelError("other inputs than tokens")

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, *inputs: torch.Tensor) -> Any:  # noqa: ANN401 - a tensor
            named = dict(zip(names, inputs, strict=True))
            return self.transformer(**named, return_dict=True).last_hidden_state

    ids = torch.ones((2, 7), dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    example = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    with torch.inference_mode():
        torch.onnx.export(
            States().eval(),
            tuple(example[name] for name in names),
            str(path),
            input_names=names,
            output_names=["states"],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "states"]},
            opset_version=17,
            # The exporter by tracing takes a third of the time of the other, its graph runs
            # faster, and it needs no onnxscript.
            dynamo=False,
        )


def _check_vectors(target: Path, documents: Any, query: Any) -> None:  # noqa: ANN401 - arrays
    """Raise UnusualModelError unless the lean runtime agrees with sentence-transformers."""
    import numpy as np

    from index.lean import LeanEncoder, normalized

    lean = LeanEncoder(target, name="", fingerprint="")
    theirs = normalized(np.vstack([documents, query]))
    ours = np.vstack([lean.encode_documents(SAMPLE), lean.encode_query(SAMPLE[4])])
    worst = float((theirs * ours).sum(axis=1).min())
    # Written so that a NaN does not pass.
    if not worst >= MIN_COSINE:
        raise UnusualModelError(f"the export differs (cosine {worst:.4f})")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
