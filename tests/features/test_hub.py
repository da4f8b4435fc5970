"""Encoders from the hub: a server on this machine that answers as the hub does, then none at all."""

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

transformers = pytest.importorskip("transformers")
huggingface_hub = pytest.importorskip("huggingface_hub")

from encoders import save  # noqa: E402

from geoclass.config.frontends import EmbeddingConfig  # noqa: E402
from geoclass.errors import ModelError  # noqa: E402
from geoclass.features.hub import find_model  # noqa: E402
from geoclass.features.registry import resolve_front_end  # noqa: E402

FIRST, SECOND = "a" * 40, "b" * 40  # commits


class Hub:
    """One repository, me/encoder, with one commit or two."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.main, self.asked = folder, FIRST, []
        hub = self

        class Answers(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer(head=True)

            def do_GET(self) -> None:
                self.answer()

            def answer(self, *, head: bool = False) -> None:
                path = self.path.split("?")[0]
                hub.asked.append(path)
                files = sorted(file.name for file in hub.folder.iterdir())
                if path.startswith("/api/models/me/encoder/revision/"):
                    revision = path.rsplit("/", 1)[1]
                    if revision not in ("main", FIRST, SECOND):
                        return self.send(404, b"{}", **{"X-Error-Code": "RevisionNotFound"})
                    sha = hub.main if revision == "main" else revision
                    body = {"id": "me/encoder", "sha": sha, "siblings": [{"rfilename": name} for name in files]}
                    return self.send(200, json.dumps(body).encode())
                if path.startswith("/api/models/me/encoder/tree/"):
                    tree = [{"type": "file", "path": name, "oid": "0" * 40,
                             "size": (hub.folder / name).stat().st_size} for name in files]  # fmt: skip
                    return self.send(200, json.dumps(tree).encode())
                if path.startswith("/me/encoder/resolve/"):
                    commit, name = path.split("/")[-2:]
                    body = (hub.folder / name).read_bytes()
                    more = {"X-Repo-Commit": commit, "ETag": f'"{hash((commit, name)):x}"'}
                    return self.send(200, b"" if head else body, length=len(body), **more)
                return self.send(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

            def send(self, status: int, body: bytes, *, length: int | None = None, **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = save("hubert", tmp_path / "repository")
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    (folder / "model.fp32-00001-of-00002.safetensors").write_bytes(b"a double")
    (folder / "evil.py").write_text("raise SystemExit")
    hub = Hub(folder)
    constants, address = huggingface_hub.constants, f"http://127.0.0.1:{hub.server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield hub
    hub.stop()


def resolved(**options: object) -> EmbeddingConfig:
    config = resolve_front_end(EmbeddingConfig(backbone="me/encoder", **options))  # type: ignore[arg-type]
    assert isinstance(config, EmbeddingConfig)
    return config


def test_the_commit_is_recorded_and_nothing_else_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    config = resolved()
    assert (config.backbone, config.revision) == ("me/encoder", FIRST)
    assert {path.name for path in (tmp_path / "cache").rglob("snapshots/*/*")} == {
        "config.json", "model.safetensors", "preprocessor_config.json"
    }  # fmt: skip
    assert resolve_front_end(config) == config


def test_after_the_first_download_no_network_is_needed(hub: Hub) -> None:
    first = resolved()
    hub.stop()
    assert resolved() == first, "of a branch"
    assert resolved(revision=FIRST) == first, "of a commit"
    assert resolved(local_files_only=True).revision == FIRST


def test_a_commit_that_is_here_is_not_asked_for_again(hub: Hub) -> None:
    first = resolved()
    hub.asked.clear()
    assert resolve_front_end(first) == first
    resolved(local_files_only=True)
    assert hub.asked == []


def test_a_commit_that_is_not_here_is_downloaded(hub: Hub) -> None:
    assert resolved(revision=SECOND).revision == SECOND
    assert hub.asked


def test_a_branch_that_moved_is_another_commit(hub: Hub) -> None:
    resolved()
    hub.main = SECOND
    assert resolved(local_files_only=True).revision == FIRST
    assert resolved().revision == SECOND
    assert resolved(revision=FIRST).revision == FIRST


def test_what_is_not_on_the_hub_is_said(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded: the hub has no revision 'v9' of it$"):
        resolved(revision="v9")
    with pytest.raises(ModelError, match=r"it is not in the local cache, .* rules out the hub$"):
        resolved(local_files_only=True)
    with pytest.raises(ModelError, match=r", and the hub does not have it or does not respond$"):
        find_model("me/nothing", hint="")
    hub.stop()
    with pytest.raises(ModelError, match="it is not in the local cache") as caught:
        find_model("me/encoder", hint="type this")
    assert caught.value.hint == "type this"
    assert not caplog.records, "no word of what was tried again"


def test_a_repository_without_safetensors_is_refused(hub: Hub) -> None:
    (hub.folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"it has no model\.safetensors in ") as caught:
        resolved()
    assert "pytorch_model.bin, can contain code and are not opened; docs/encoders.md" in (caught.value.hint or "")
    (hub.folder / "model.safetensors").write_bytes(b"")
    hub.main = SECOND
    (hub.folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"it has no preprocessor_config\.json in ") as caught:
        resolved()
    assert (caught.value.hint or "").startswith("it says how sound is prepared")


def test_code_is_downloaded_where_it_may_be_run(hub: Hub, tmp_path: Path) -> None:
    find_model("me/encoder", hint="", with_code=True)
    assert [path.name for path in (tmp_path / "cache").rglob("*.py")] == ["evil.py"]


def test_a_folder_goes_before_the_hub(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(hub.folder, tmp_path / "me" / "encoder")
    monkeypatch.chdir(tmp_path)
    found = find_model("me/encoder", hint="")
    assert (found.folder, found.revision) == (tmp_path / "me" / "encoder", "")
    assert resolved().backbone == str(tmp_path / "me" / "encoder"), "wherever the next command is typed"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_model("~/me/encoder", hint="").folder == tmp_path / "me" / "encoder"
    assert hub.asked == []
