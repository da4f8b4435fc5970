"""Runs a test for each registered network."""

import pytest
from model_cases import CASES, Case


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    if request.param.model == "wav2vec2-bert":
        pytest.importorskip("transformers")
    return request.param
