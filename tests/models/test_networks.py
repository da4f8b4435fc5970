"""What every registered network must do. A new one is a line in `model_cases.CASES` and one in the golden list."""

import copy
import json

import pytest
import torch
from model_cases import CASES, N_CLASSES
from torch import nn

from geoclass.models.registry import MODELS, create_model

TIMED = {name: case for name, case in CASES.items() if case.front_end.kind != "table"}  # a table has no length


def test_the_golden_list_of_what_is_registered():
    assert sorted(MODELS) == [
        *("attention-cnn", "attention-lstm", "cnn", "fcnn", "gated-linear", "lstm", "resnet", "wav2vec2-bert")
    ]
    assert {case.model for case in CASES.values()} == set(MODELS), "each network has a case"


def test_logits_have_their_shape_and_are_finite_and_come_from_the_embedding(case):
    network = case.create().eval()
    x = case.batch(3)
    with torch.inference_mode():
        logits, embedding = network(x), network.embed(x)
        assert torch.equal(network.classify(embedding), logits)
    assert logits.shape == (3, N_CLASSES)
    assert embedding.shape == (3, network.embedding_dim)
    assert torch.isfinite(logits).all()


def test_extreme_features_give_finite_logits(case):
    network = case.create().eval()
    with torch.inference_mode():
        for x in (torch.zeros(2, *case.shape), 30 * case.batch(2)):
            assert torch.isfinite(network(x)).all()


def test_a_segment_is_judged_alone(case):
    network = case.create().eval()
    x = case.batch(4)
    with torch.inference_mode():
        assert torch.allclose(network(x)[1:2], network(x[1:2]), atol=1e-5)


@pytest.mark.parametrize("case", TIMED.values(), indirect=True, ids=TIMED)
def test_other_lengths_than_those_of_training_are_read(case):
    network = case.create().eval()
    with torch.inference_mode():
        for n_frames in (17, 2 * case.shape[1] + 1):
            assert network(torch.randn(2, case.shape[0], n_frames)).shape == (2, N_CLASSES)


def test_a_gradient_reaches_every_parameter(case):
    network = case.create(dropout=0.0).train()
    nn.functional.cross_entropy(network(case.batch()), torch.arange(8) % N_CLASSES).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_eight_samples_are_learned_by_heart(case):
    network = case.create(dropout=0.0).train()
    x, y = case.batch(), torch.arange(8) % N_CLASSES
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    for _ in range(150):
        loss = nn.functional.cross_entropy(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.05:
            break
    assert (network(x).argmax(dim=1) == y).all()
    assert loss < 0.1


def test_saved_weights_and_arguments_make_the_same_network(case, tmp_path):
    from safetensors.torch import load_file, save_file

    network = case.create(seed=1).train()
    network(case.batch())  # moves the batch-norm statistics away from their start
    network.eval()
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, tmp_path / "w.safetensors")
    arguments = json.loads(json.dumps(network.arguments))
    torch.manual_seed(2)
    again = create_model(network.name, n_classes=N_CLASSES, front_end=case.front_end, **arguments).eval()
    again.load_state_dict(load_file(tmp_path / "w.safetensors"))
    with torch.inference_mode():
        assert torch.equal(again(case.batch()), network(case.batch()))


def test_bf16_gives_nearly_the_same(case):
    network = case.create().eval()
    x = case.batch()
    with torch.inference_mode():
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(x).float()
    assert torch.isfinite(rough).all()
    assert (rough - exact).abs().max() < 0.1 * max(1.0, exact.abs().max().item())


def test_attention_maps_weigh_the_frames_of_the_input(case):
    network = case.create().eval()
    with torch.inference_mode():
        weights = network.attention_map(case.batch(3))
    if case.model in ("attention-cnn", "attention-lstm", "resnet"):
        assert weights.shape == (3, case.shape[1])
        assert torch.allclose(weights.sum(dim=1), torch.ones(3), atol=1e-5)
        assert (weights >= 0).all()
        assert weights.std(dim=1).min() > 0, "not every frame weighs the same"
    else:
        assert weights is None


def test_a_network_survives_deepcopy(case):
    network = case.create().eval()
    with torch.inference_mode():
        assert torch.equal(copy.deepcopy(network)(case.batch()), network(case.batch()))


@pytest.mark.slow
def test_torch_compile_gives_the_same(case):
    network = case.create().eval()
    x = case.batch()
    with torch.inference_mode():
        assert torch.allclose(torch.compile(network)(x), network(x), atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_mixed_precision_trains_on_the_gpu():
    for name, case in CASES.items():
        for precision in (torch.bfloat16, torch.float16):
            network = case.create().cuda().train()
            with torch.autocast("cuda", precision):
                logits = network(case.batch().cuda())
                loss = nn.functional.cross_entropy(logits, (torch.arange(8) % N_CLASSES).cuda())
            loss.backward()
            assert torch.isfinite(loss), (name, precision)
            assert all(torch.isfinite(weight.grad).all() for weight in network.parameters()), (name, precision)
