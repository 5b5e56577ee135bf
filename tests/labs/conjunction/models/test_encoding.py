import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.models.attention import AttentionConfig, BinaryAttention
from pipeline.labs.conjunction.models.encoding import encode
from pipeline.labs.conjunction.models.linear import Linear, LinearConfig

BITS = torch.tensor([[[1.0, 0.0, 1.0]]]).double()


def test_attention_takes_the_indicators_of_its_tokens_and_others_the_bits():
    shape = {"d_head": 2, "queries": "tokens", "readout": "each", "bias": False, "init_std": 0.1}
    attention = BinaryAttention(AttentionConfig(positions=3, **shape), generators([0]))
    assert encode(attention, BITS).tolist() == [[[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]]]
    assert (
        encode(Linear(LinearConfig(positions=3), generators([0])), BITS).tolist() == BITS.tolist()
    )


def test_the_encoding_has_the_models_dtype():
    model = Linear(LinearConfig(positions=3), generators([0]))
    assert encode(model, BITS).dtype == torch.float32
    assert encode(model.double(), BITS).dtype == torch.float64
