"""What training minimizes: cross entropies, weighted by how rare a label is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from geoclass.bundle.heads import Head
from geoclass.config.settings import TrainingConfig
from geoclass.dataset.loading import SegmentLoader
from geoclass.training.runtime import Runtime

_RAREST = 20.0  # the largest weight of a positive of a multi-label task


@dataclass(frozen=True)
class Loss:
    """The summed loss of a batch and what to divide it by; apart, so that several processes can divide by one total."""

    total: Callable[[Tensor, Tensor], Tensor]  # (logits, targets) -> scalar
    divisor: Callable[[Tensor], Tensor]  # targets -> scalar


def loss_functions(heads: Sequence[Head], train: SegmentLoader, config: TrainingConfig) -> dict[str, Loss]:
    """Cross entropy with smoothed labels for "single", binary cross entropy for "multi"; weighted by rarity.

    Targets of "single" are label numbers, or probabilities of the labels where samples are mixed.
    """
    return {head.task: _loss(head, train.targets[head.task][train.tracks_on_device], config) for head in heads}


def as_probabilities(targets: Mapping[str, Tensor], heads: Sequence[Head]) -> dict[str, Tensor]:
    """Targets that can be mixed: (batch, n_labels) for each task."""
    return {
        head.task: targets[head.task]
        if head.kind == "multi"
        else nn.functional.one_hot(targets[head.task], len(head.labels)).float()
        for head in heads
    }


def mean_loss(
    logits: Mapping[str, Tensor], targets: Mapping[str, Tensor], losses: Mapping[str, Loss], runtime: Runtime
) -> Tensor:
    """Mean over the batch of all processes, summed over the tasks; scaled for gradients that will be averaged."""
    terms = []
    for task, values in logits.items():
        divisor = runtime.total(losses[task].divisor(targets[task]).detach().clone())
        terms.append(losses[task].total(values, targets[task]) * runtime.world_size / divisor)
    return torch.stack(terms).sum()


def _loss(head: Head, targets: Tensor, config: TrainingConfig) -> Loss:
    """Of one task, whose training segments have these targets."""
    if head.kind == "multi":
        positives = targets.sum(dim=0).clamp(min=1)
        rarity = ((len(targets) - positives) / positives).clamp(max=_RAREST) if config.class_weights else None
        return Loss(
            nn.BCEWithLogitsLoss(pos_weight=rarity, reduction="sum"),
            lambda y: torch.tensor(float(y.numel()), device=y.device),
        )
    n_labels = len(head.labels)
    weight = torch.ones(n_labels, device=targets.device)
    if config.class_weights:
        counts = torch.bincount(targets, minlength=n_labels).clamp(min=1).float()
        weight = len(targets) / (n_labels * counts)
    return Loss(
        nn.CrossEntropyLoss(weight=weight, label_smoothing=config.label_smoothing, reduction="sum"),
        lambda y: (y.to(weight) @ weight if y.is_floating_point() else weight[y]).sum(),
    )
