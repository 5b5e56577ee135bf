import re

import pytest
from pydantic import TypeAdapter

from labs.memory.small_models import config
from labs.memory.train.engines import ADAM, engine
from pipeline.config import ConfigError
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.train.engines import EngineConfig, FullBatchConfig, MinibatchConfig

LARGE = config(N=2000, n_heads=10)


def test_too_large_a_distribution_names_its_need_and_the_other_engine():
    with pytest.raises(ConfigError, match=r"about .* GiB at N = 2000.*engine: minibatch"):
        engine("full_batch").refuse_too_large(LARGE, 5)
    engine("minibatch").refuse_too_large(LARGE, 5)
    assert engine("minibatch").excess(LARGE, 5) == 0


def test_twice_as_wide_numbers_need_twice_the_memory():
    needs = []
    for dtype in ("float32", "float64"):
        with pytest.raises(ConfigError, match="the full-batch engine needs") as refusal:
            engine("full_batch", dtype=dtype).refuse_too_large(LARGE, 5)
        needs.append(float(re.search(r"about ([\d.]+) GiB", str(refusal.value)).group(1)))
    # Both are told to a tenth.
    assert needs[1] == pytest.approx(2 * needs[0], abs=0.2)


def test_the_need_is_of_all_patterns_and_members():
    model = config(patterns_per_head=2)
    expected = full_batch.bytes_needed(6, 6, 4, 0, 8) / 2**30
    assert engine("full_batch").needed_gib(model, 4) == expected
    assert engine("full_batch", memory_gib=expected).excess(model, 4) == 1


def test_an_average_of_more_batches_than_there_are_is_refused():
    message = r"eval_batches must not exceed batches_per_epoch \* epochs = 12, got 13"
    with pytest.raises(ValueError, match=message):
        engine("minibatch", eval_batches=13)


@pytest.mark.parametrize(("kind", "steps"), [("full_batch", 60), ("minibatch", 12)])
def test_a_rate_that_would_still_rise_at_the_end_is_refused(kind, steps):
    slow = ADAM.model_copy(update={"warmup_steps": steps + 1})
    with pytest.raises(ValueError, match=f"must not exceed the {steps} steps, got {steps + 1}"):
        engine(kind, optimizer=slow)
    assert engine(kind, optimizer=ADAM.model_copy(update={"warmup_steps": steps})).steps == steps


def test_minibatches_are_passed_over_and_sampled_once():
    chosen = engine("minibatch")
    assert chosen.training().steps == chosen.steps == 12
    assert chosen.eval_contexts == 48
    assert chosen.training().batch_size == 8


@pytest.mark.parametrize("kind", [FullBatchConfig, MinibatchConfig])
def test_the_engines_word_chooses_the_keys_that_stand_beside_it(kind):
    name = {FullBatchConfig: "full_batch", MinibatchConfig: "minibatch"}[kind]
    chosen = engine(name)
    again = TypeAdapter(EngineConfig).validate_json(chosen.model_dump_json())
    assert again == chosen
    assert type(again) is kind
