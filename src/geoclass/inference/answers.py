"""From features to predictions: logits, embeddings, calibrated probabilities."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.bundle.catalogue import LEARNED_FROM
from geoclass.inference.prediction import FieldPrediction

if TYPE_CHECKING:
    from geoclass.bundle.bundle import Bundle

Logits = Mapping[str, NDArray[np.float64]]  # task -> (n, n_labels)


@torch.inference_mode()
def logits_and_embeddings(bundle: "Bundle", features: Tensor) -> tuple[Logits, NDArray[np.float32]]:
    """(n, *feature_shape), not normalized -> logits, and (n, embedding_dim) from the layer before them."""
    embeddings = bundle.model.embed(bundle.normalize(features))
    logits = bundle.split_logits(bundle.model.classify(embeddings))
    return {task: values.double().cpu().numpy() for task, values in logits.items()}, embeddings.float().cpu().numpy()


def field_predictions(bundle: "Bundle", logits: Logits) -> list[dict[str, FieldPrediction]]:
    """One prediction per row of the logits, by task."""
    probabilities = {head.task: head.probabilities(logits[head.task]) for head in bundle.heads}
    return [
        {
            head.task: FieldPrediction(
                task=head.task,
                kind=head.kind,
                labels=head.labels,
                probabilities=probabilities[head.task][row],
                threshold=head.threshold,
                owners_labels=LEARNED_FROM in bundle.training,
            )
            for head in bundle.heads
        }
        for row in range(len(next(iter(probabilities.values()))))
    ]
