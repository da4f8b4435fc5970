"""Checkpoints: everything that a run goes on from, and nothing that is not of this run."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_training import Setting

from geoclass.config.settings import TrainingConfig
from geoclass.errors import StorageError, TrainingError
from geoclass.training import checkpoint
from geoclass.training.checkpoint import load_checkpoint, save_checkpoint, save_tensors
from geoclass.training.loop import State

CONFIG = TrainingConfig(epochs=3, batch_size=4, lr=0.01, schedule="plateau")
CPU = torch.device("cpu")


def trained() -> State:
    """A state after one epoch that was the best."""
    setting = Setting(CONFIG)
    next(iter(setting.epochs()))
    return setting.state


def fresh() -> State:
    return Setting(replace(CONFIG, lr=0.5)).state


def test_everything_comes_back(tmp_path: Path) -> None:
    state, other = trained(), fresh()
    state.best, state.best_epoch, state.epoch = (0.75, -1.5), 1, 2
    state.scaler.load_state_dict(state.scaler.state_dict())
    save_checkpoint(tmp_path / "last.pt", state, identity="mine")
    load_checkpoint(tmp_path / "last.pt", other, identity="mine", device=CPU)
    assert (other.epoch, other.best_epoch, other.best) == (2, 1, (0.75, -1.5))
    for name, value in state.model.state_dict().items():
        assert torch.equal(other.model.state_dict()[name], value)
    assert other.optimizer.param_groups[0]["lr"] == state.optimizer.param_groups[0]["lr"]
    moments, found = (of.optimizer.state_dict()["state"] for of in (state, other))
    assert moments.keys() == found.keys() != set()
    for key, value in moments.items():
        for name, tensor in value.items():
            assert torch.equal(torch.as_tensor(found[key][name]), torch.as_tensor(tensor)), name
    assert other.schedule.state_dict() == state.schedule.state_dict() != fresh().schedule.state_dict()
    assert other.scaler.state_dict() == state.scaler.state_dict()


def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last.pt", trained(), identity="mine")
    other = fresh()
    before = {name: value.clone() for name, value in other.model.state_dict().items()}
    with pytest.raises(TrainingError) as error:
        load_checkpoint(tmp_path / "last.pt", other, identity="another's", device=CPU)
    assert error.value.message == f"{tmp_path / 'last.pt'} belongs to another data set or other settings"
    assert error.value.hint == "resume with the run's own config.toml (--config), or choose another --run-dir"
    assert all(torch.equal(value, before[name]) for name, value in other.model.state_dict().items())
    assert other.epoch == 0


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\3\4 cut short", None])
def test_what_is_no_checkpoint_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "last.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError) as error:
        load_checkpoint(path, fresh(), identity="mine", device=CPU)
    assert error.value.message.startswith(f"{path} is not a checkpoint: ")
    assert error.value.hint == "start over without --resume"


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_in_its_place_is_not_run(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last.pt", trained(), identity="mine")
    content = torch.load(tmp_path / "last.pt", weights_only=True)
    torch.save(content | {"trap": Trap(tmp_path / "sprung")}, tmp_path / "last.pt")
    with pytest.raises(TrainingError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "last.pt", fresh(), identity="mine", device=CPU)
    assert not (tmp_path / "sprung").exists()


def test_a_full_disk_leaves_the_former_checkpoint_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "best.pt"
    save_tensors(path, {"weights": torch.ones(3)})

    def full(_content: object, target: Path) -> None:
        Path(target).write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0\nframe #0: …")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(StorageError) as error:
        save_tensors(path, {"weights": torch.zeros(3)})
    assert error.value.message == f"cannot write {path}: PytorchStreamWriter failed writing file data/0"
    assert error.value.hint == (
        "free some space and run the command again with --resume: it continues from the last whole epoch"
    )
    assert torch.equal(torch.load(path, weights_only=True)["weights"], torch.ones(3))
    assert [found.name for found in tmp_path.iterdir()] == ["best.pt"]
