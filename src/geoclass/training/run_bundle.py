"""The bundle of a run: begun with the labels and statistics of the data set, finished with scores and provenance."""

import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from geoclass import __version__
from geoclass.bundle.bundle import Bundle
from geoclass.bundle.calibration import choose_threshold, fit_temperature
from geoclass.bundle.heads import Head
from geoclass.bundle.training_set import TrainingSet
from geoclass.config.settings import RunConfig
from geoclass.config.toml import to_dict
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.identity import fitted_keys
from geoclass.dataset.loading import SegmentLoader
from geoclass.errors import TrainingError
from geoclass.models.network import Network
from geoclass.training.loop import predict_logits
from geoclass.training.runtime import Runtime
from geoclass.training.scores import score_tracks


def heads_for(dataset: Dataset, config: RunConfig) -> tuple[Head, ...]:
    """One head per task that the run trains.

    Raises:
        TrainingError: The data set has no labels of a task.
    """
    tasks = tuple(part.strip() for part in config.task.split(",")) if config.task else dataset.tasks
    if missing := [task for task in tasks if task not in dataset.tasks]:
        raise TrainingError(
            f"{dataset.folder} has no {', '.join(missing)} labels",
            hint=f"it has: {', '.join(dataset.tasks)}; build one with `--task {','.join(tasks)}`",
        )
    return tuple(Head(task=task, kind=dataset.kind(task), labels=dataset.labels[task]) for task in tasks)


def begin_bundle(
    dataset: Dataset, config: RunConfig, *, model: Network, heads: tuple[Head, ...], device: torch.device
) -> Bundle:
    """The bundle before training: uncalibrated, without scores."""
    corpus = dataset.document["corpus"]
    return Bundle(
        name=f"{config.model.name}-{corpus['name']}-{'-'.join(head.task for head in heads)}",
        dataset_hash=dataset.fingerprint[:6],
        model=model,
        front_end_config=dataset.front_end,
        segment_seconds=dataset.config.segment_seconds,
        mean=dataset.mean,
        std=dataset.std,
        heads=heads,
        data={
            "corpus": corpus["description"],
            "split": f"{dataset.protocol}, {dataset.document['split']['source']}",
            "licence": "; ".join(sorted(set(dataset.tracks["licence"]) - {""})[:10]) or "not stated",
        },
        device=device,
    )


def calibrate(
    bundle: Bundle, valid: SegmentLoader, config: RunConfig, runtime: Runtime
) -> tuple[Bundle, dict[str, dict[str, float]]]:
    """Temperature and threshold of each head on the validation split, and the scores there."""
    logits = predict_logits(bundle, valid, runtime)
    heads, scores = [], {}
    for head in bundle.heads:
        targets = valid.split.targets(head.task)
        head = replace(head, temperature=fit_temperature(logits[head.task], targets))
        probabilities = head.probabilities(logits[head.task])
        threshold = choose_threshold(probabilities, targets, target_precision=config.training.target_precision)
        heads.append(replace(head, threshold=threshold))
        scores[head.task] = score_tracks([head], logits, valid.split)
    return replace(bundle, heads=tuple(heads)), scores


def finish_bundle(
    bundle: Bundle, dataset: Dataset, config: RunConfig, *, epochs: int, scores: Mapping[str, Mapping[str, float]]
) -> Bundle:
    """The calibrated bundle with its scores, what it was trained on, and how."""
    return replace(
        bundle,
        training=_provenance(dataset, config, epochs=epochs),
        training_set=TrainingSet.from_keys(*fitted_keys(dataset)),
        metrics=scores,
    )


def _provenance(dataset: Dataset, config: RunConfig, *, epochs: int) -> dict[str, Any]:
    return {
        "dataset_fingerprint": dataset.fingerprint,
        "group": dataset.group,
        "seed": config.training.seed,
        "epochs": epochs,
        "settings": to_dict(config.training),
        "versions": {"geoclass": __version__, "torch": str(torch.__version__), "python": platform.python_version()},
    }
