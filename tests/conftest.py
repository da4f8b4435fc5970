"""What every test may use: a home of its own, synthesized music, and the real recordings where they are."""

import os
import random
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_cases import make_echo, write_dataset
from hypothesis import HealthCheck, settings
from prediction_cases import five_tracks, make_predictions
from standing_clock import clock

__all__ = ["clock", "five_tracks", "make_echo", "make_predictions", "write_dataset"]  # fixtures of several folders

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))

# The same examples each time, and none that fails because the machine is busy. `--hypothesis-profile default` looks for
# others.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def geoclass_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No test reads or writes the user's own folders, or those of the next test."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("GEOCLASS_HOME", str(home))
    yield home
    for thread in threading.enumerate():
        if thread.name == "languages":  # `tag` loads the language model ahead, and may end before that
            thread.join()


@pytest.fixture(autouse=True, scope="session")
def _no_proxy() -> Iterator[None]:
    """The servers of tests are on this machine, where a proxy does not find them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """What is drawn without a seed does not depend on the tests before."""
    _seed_all()


@pytest.fixture(autouse=True, scope="module")
def _seeded_module() -> None:
    """Nor does what the fixtures of a module draw."""
    _seed_all()


def _seed_all() -> None:
    random.seed(0)
    np.random.seed(0)
    if torch := sys.modules.get("torch"):  # to import it takes seconds
        torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real recordings beside the checkout; tests that want them are skipped without."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the checkout")
    return folder


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 synthesized songs: 3 countries, 5 artists each, 3 songs an artist, 6 s a song."""
    from synthesize_music import write_corpus

    folder = tmp_path_factory.mktemp("music")
    write_corpus(folder, countries=("TR", "CN", "IN"), artists=5, tracks=3, seconds=6)
    return folder


@pytest.fixture(scope="session")
def small_dataset(music: Path, tmp_path_factory: pytest.TempPathFactory):
    """A data set of `music` with a small front end: 90 segments of 3 s, 32 bands."""
    from geoclass.config.frontends import LogMelConfig
    from geoclass.config.settings import BuildConfig
    from geoclass.corpora.folder import Folder
    from geoclass.dataset.build import build_dataset

    config = BuildConfig(segment_seconds=3.0, front_end=LogMelConfig(n_mels=32, n_fft=1024))
    return build_dataset(Folder(music), out=tmp_path_factory.mktemp("dataset") / "small", config=config)


@pytest.fixture(scope="session")
def small_run(small_dataset, tmp_path_factory: pytest.TempPathFactory):
    """A small attention CNN trained on `small_dataset`."""
    from geoclass.config.settings import ModelConfig, RunConfig, TrainingConfig
    from geoclass.training.run import train

    config = RunConfig(
        model=ModelConfig(name="attention-cnn", arguments={"channels": [32, 16, 16]}),
        training=TrainingConfig(epochs=6, batch_size=16, lr=3e-3),
    )
    return train(small_dataset, config=config, run_dir=tmp_path_factory.mktemp("run") / "small", device="cpu")


@pytest.fixture
def browser(chromium: Any) -> Any:
    """Headless Chromium with its logs, as it was started; tests that want it are skipped without."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    return chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium with chromedriver on this machine")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()
