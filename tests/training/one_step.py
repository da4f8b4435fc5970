"""One epoch of one step in double precision: loss, gradients and what the batch norms remember, written to a file.

[torchrun …] one_step.py MODEL DATASET OUT
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.config.settings import TrainingConfig
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.loading import SegmentLoader
from geoclass.models.registry import create_model
from geoclass.training.loop import new_state, train_epochs
from geoclass.training.runtime import open_runtime


class Exact(Bundle):
    """Normalizes to double precision."""

    def normalize(self, features: Tensor) -> Tensor:
        return (features.double() - self._mean) / self._std


def main(name: str, folder: str, out: str) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    dataset = Dataset.open(folder)
    labels = dataset.labels["country"]
    model = create_model(name, n_classes=len(labels), front_end=dataset.front_end, **SMALL[name])
    config = TrainingConfig(epochs=1, batch_size=1024, mixup=0.3, gain_db=3.0, grad_clip=0.0, mask_fraction=0.3)
    with open_runtime("cpu", precision="fp32") as runtime:
        runtime.prepare(model)
        model.double()
        bundle = Exact(
            name="step",
            release="0",
            model=model,
            front_end_config=dataset.front_end,
            segment_seconds=3.0,
            mean=dataset.mean,
            std=dataset.std,
            heads=(Head(task="country", kind="single", labels=labels),),
        )
        where = {"device": runtime.device, "rank": runtime.rank, "world_size": runtime.world_size}
        train = SegmentLoader(dataset, dataset.split("train"), batch_size=1024, seed=0, partners=True, **where)
        valid = SegmentLoader(dataset, dataset.split("valid"), batch_size=1024, **where)
        state = new_state(model, config=config, steps_per_epoch=1, runtime=runtime)
        (epoch,) = train_epochs(bundle, state=state, train=train, valid=valid, config=config, runtime=runtime)
        found = {f"{name} gradient": weight.grad for name, weight in model.named_parameters()}
        found |= dict(model.named_buffers()) | {"loss": torch.tensor(epoch.numbers["train_loss"])}
        if runtime.is_main:
            torch.save(found, Path(out))
        runtime.barrier()  # nobody leaves while another one may still read from it


SMALL = {"attention-cnn": {"channels": [16, 8, 8], "dropout": 0.0}, "resnet": {"dropout": 0.0}}

if __name__ == "__main__":
    main(*sys.argv[1:])
