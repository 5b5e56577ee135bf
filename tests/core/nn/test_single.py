import pytest
import torch

from pipeline.core.nn.single import SingleMember
from pipeline.core.nn.transformer import Transformer, TransformerConfig

CONFIG = TransformerConfig(
    d_in=3, d_out=2, d_model=8, d_head=4, n_layers=2, attention="softmax", causal=True,
    positions=0, previous_token=False, bias=True, mlp_width=0, norm=False,
)  # fmt: skip


def ensemble(members):
    return Transformer(CONFIG, [torch.Generator().manual_seed(k) for k in range(members)]).double()


@pytest.mark.parametrize("member", [0, 2])
def test_a_single_member_computes_as_in_its_ensemble(member):
    model = ensemble(3)
    x = torch.randn(4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    single = SingleMember(model.member(member))
    together = model(x.expand(3, -1, -1, -1))[member]
    # Batched and single products may add in another order: rounding of sums of 8 terms near 1.
    torch.testing.assert_close(single(x), together, rtol=0, atol=1e-13)


def test_more_than_one_member_is_refused():
    with pytest.raises(ValueError, match="one member, got 2"):
        SingleMember(ensemble(2))
