import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.models.gated_mlp import GatedMLP, GatedMLPConfig
from pipeline.labs.conjunction.models.mlp import BinaryMLP, BinaryMLPConfig

CONFIG = GatedMLPConfig(
    d_in=5, widths=(7,), d_out=1, activation="gelu", dropout=0.1, init_std=0.5, gain=10.0
)
BITS = torch.randint(0, 2, (2, 30, 5), generator=torch.Generator().manual_seed(0)).double()


def model():
    return GatedMLP(CONFIG, generators([0, 1])).double()


def test_untrained_it_is_the_mlp_of_its_seed():
    plain = BinaryMLP(
        BinaryMLPConfig(**CONFIG.model_dump(exclude={"gain"})), generators([0, 1])
    ).double()
    # Five even gains: 5 * softmax(0) is 1 to a unit of rounding.
    assert torch.allclose(model()(BITS), plain(BITS), rtol=0, atol=1e-13)
    streams = (generators([0, 1], 3) for _ in range(2))
    dropped = [each(BITS, stream) for each, stream in zip((model(), plain), streams, strict=True)]
    assert torch.allclose(*dropped, rtol=0, atol=1e-13)


def test_gains_compete_for_a_common_sum_and_can_shut_an_input_out():
    gated = model()
    with torch.no_grad():
        gated.a[0, 2] = -100.0
        gated.a[1, 4] = 100.0
    gains = gated.gains()
    assert torch.allclose(gains.sum(-1), torch.full((2,), 5.0).double(), rtol=0, atol=1e-13)
    assert gains[1].tolist() == [0, 0, 0, 0, 5]
    flipped = BITS.clone()
    flipped[..., 2] = 1 - flipped[..., 2]
    assert torch.equal(gated(BITS)[0], gated(flipped)[0])


def test_a_members_gradient_is_its_own():
    gated = model()
    gated(BITS)[0].sum().backward()
    assert bool((gated.a.grad[0] != 0).any())
    assert not bool((gated.a.grad[1] != 0).any())
