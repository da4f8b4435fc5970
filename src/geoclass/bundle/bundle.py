"""A trained model as one folder: weights, front end, normalization, labels, calibration, provenance, model card."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geoclass.bundle.card import model_card
from geoclass.bundle.catalogue import FORMAT, WEIGHTS, find_bundle, read_description
from geoclass.bundle.heads import Head, describe_heads, read_heads
from geoclass.bundle.training_set import FILE as TRAINING_SET
from geoclass.bundle.training_set import TrainingSet
from geoclass.config.frontends import FrontEndConfig, RowConfig
from geoclass.config.toml import from_dict, to_dict
from geoclass.errors import BundleError, ConfigError, ModelError
from geoclass.models.registry import create_model
from geoclass.parallel.device import resolve_device
from geoclass.storage import atomic_path, sha256_file, write_json, write_text

if TYPE_CHECKING:
    from geoclass.features.base import FrontEnd
    from geoclass.models.network import Network


@dataclass(kw_only=True)
class Bundle:
    """A model for prediction, with everything that its preprocessing needs."""

    name: str
    release: str = ""  # number of a published model
    dataset_hash: str = ""  # first hex digits of the fingerprint of what a model was trained on
    model: "Network"
    front_end_config: FrontEndConfig
    segment_seconds: float
    mean: NDArray[np.float32]  # (n_bands,) of the training split
    std: NDArray[np.float32]  # (n_bands,)
    heads: tuple[Head, ...]
    training: Mapping[str, Any] = field(default_factory=dict)  # data set fingerprint, seed, epochs, versions
    metrics: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)  # licence, attribution, intended use
    training_set: TrainingSet | None = None  # fingerprints of tracks and artists; None: not known
    weights_sha256: str = ""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __post_init__(self) -> None:
        self.model.to(self.device).eval()
        shape = (1, -1) + (1,) * (0 if isinstance(self.front_end_config, RowConfig) else 1)
        self._mean = torch.as_tensor(self.mean, device=self.device).view(shape)
        self._std = torch.as_tensor(self.std, device=self.device).view(shape)

    @property
    def tasks(self) -> tuple[str, ...]:
        """What the model predicts: "country", "genre" or both."""
        return tuple(head.task for head in self.heads)

    @property
    def identity(self) -> str:
        """Name, release or data set hash, and the first eight hex digits of the weights: the provenance in tags."""
        return f"{self.name} {self.release or self.dataset_hash} {self.weights_sha256[:8]}"

    @cached_property
    def front_end(self) -> "FrontEnd":
        """The module that turns sound into features, on the model's device.

        Raises:
            ModelError: The model reads a table, not sound.
        """
        from geoclass.features.registry import create_front_end

        return create_front_end(self.front_end_config).to(self.device)

    def head(self, task: str) -> Head:
        """The head of a task.

        Raises:
            BundleError: The model does not predict it.
        """
        for head in self.heads:
            if head.task == task:
                return head
        raise BundleError(f"model {self.name} predicts {', '.join(self.tasks)}, not {task}")

    def normalize(self, features: Tensor) -> Tensor:
        """(batch, n_bands, …) features of any float type -> float32, mean 0 and standard deviation 1 per band."""
        return (features.to(self.device, torch.float32) - self._mean) / self._std

    @torch.inference_mode()
    def outputs(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, n_bands, …) features, not normalized -> (batch, all labels) logits, (batch, embedding_dim)."""
        embedding = self.model.embed(self.normalize(features))
        return self.model.classify(embedding).float(), embedding.float()

    def logits(self, features: Tensor) -> dict[str, Tensor]:
        """(batch, n_bands, …) features, not normalized -> (batch, n_labels) logits for each task."""
        return self.split_logits(self.outputs(features)[0])

    def split_logits(self, logits: Tensor) -> dict[str, Tensor]:
        """(batch, all labels) -> (batch, n_labels) for each task."""
        parts = torch.split(logits.float(), [len(head.labels) for head in self.heads], dim=1)
        return dict(zip(self.tasks, parts, strict=True))

    def save(self, folder: str | Path, *, card: str | None = None) -> Path:
        """Write the bundle; `bundle.json` goes last. `card` replaces the generated model card."""
        from safetensors.torch import save_file

        folder = Path(folder)
        weights = {key: value.detach().cpu().contiguous() for key, value in self.model.state_dict().items()}
        with atomic_path(folder / WEIGHTS) as temporary:
            save_file(weights, temporary)
        self.weights_sha256 = sha256_file(folder / WEIGHTS)
        document = {
            "name": self.name,
            "release": self.release,
            "dataset_hash": self.dataset_hash,
            **describe_heads(self.heads),
            "architecture": {"name": self.model.name, "arguments": self.model.arguments},
            "front_end": to_dict(self.front_end_config),
            "segment": {"seconds": self.segment_seconds},
            "normalization": {"mean": self.mean.tolist(), "std": self.std.tolist()},
            "training": dict(self.training),
            "metrics": dict(self.metrics),
            "data": dict(self.data),
            "weights_sha256": self.weights_sha256,
        }
        write_text(folder / "README.md", card or model_card(document))
        if self.training_set is not None:
            self.training_set.write(folder)
        else:
            (folder / TRAINING_SET).unlink(missing_ok=True)  # of a bundle that was here before
        write_json(folder / "bundle.json", document, format=FORMAT)
        return folder

    @classmethod
    def load(cls, name_or_folder: str | Path, *, device: str = "cpu") -> "Bundle":
        """Load a built-in model, one of the user's models, a bundle folder or a run folder.

        Raises:
            BundleError: Missing, damaged, changed, or from a newer version.
            DeviceError: No such device.
        """
        where = resolve_device(device)
        while True:  # at any moment `learn` may point the link of a name at another folder, and remove the former one
            link = find_bundle(name_or_folder)
            folder = link.resolve()
            try:
                return cls._read(folder, where)
            except BundleError:
                if link.resolve() == folder:
                    raise

    @classmethod
    def _read(cls, folder: Path, device: torch.device) -> "Bundle":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        document = read_description(folder)
        try:
            if (found := sha256_file(folder / WEIGHTS)) != document["weights_sha256"]:
                raise BundleError(
                    f"{folder / WEIGHTS} does not match its checksum ({found[:8]} instead of "
                    f"{document['weights_sha256'][:8]}): it was damaged or replaced",
                    hint="get the model again, or train it again",
                )
            heads = read_heads(document)
            front_end = from_dict(_FrontEnd, {"front_end": document["front_end"]}).front_end
            architecture = document["architecture"]
            model = create_model(
                architecture["name"],
                n_classes=sum(len(head.labels) for head in heads),
                front_end=front_end,
                **architecture["arguments"],
            )
            model.load_state_dict(load_file(folder / WEIGHTS))
            return cls(
                name=document["name"],
                release=str(document["release"]),
                dataset_hash=str(document["dataset_hash"]),
                model=model,
                front_end_config=front_end,
                segment_seconds=float(document["segment"]["seconds"]),
                mean=np.array(document["normalization"]["mean"], np.float32),
                std=np.array(document["normalization"]["std"], np.float32),
                heads=heads,
                training=document["training"],
                metrics=document["metrics"],
                data=document["data"],
                training_set=TrainingSet.read(folder),
                weights_sha256=document["weights_sha256"],
                device=device,
            )
        except KeyError as error:
            raise BundleError(
                f"{folder} is not a complete bundle: bundle.json has no {error}", hint="get or train the model again"
            ) from error
        except (TypeError, ValueError, RuntimeError, OSError, SafetensorError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BundleError(
                f"{folder} is not a complete bundle: {reason}", hint="get or train the model again"
            ) from error
        except (ModelError, ConfigError) as error:
            raise BundleError(
                f"{folder}/bundle.json: {error.message}", hint=error.hint or "get or train the model again"
            ) from error


@dataclass(frozen=True, kw_only=True)
class _FrontEnd:
    """Lets `from_dict` pick the kind of front end."""

    front_end: FrontEndConfig
