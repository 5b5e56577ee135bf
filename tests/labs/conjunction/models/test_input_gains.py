import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.models.input_gains import InputGains, InputGainsConfig

CONFIG = InputGainsConfig(positions=7, init_std=0.5)
TASK = TaskConfig(
    function="sparse_and_query", positions=7, targets=2, p=None, tolerance=None,
    identifiable=False, max_draws=1,
)  # fmt: skip


def test_the_logit_is_a_softmax_of_the_bits_times_the_bits():
    model = InputGains(CONFIG, generators([0, 1])).double()
    bits = torch.randint(0, 2, (2, 9, 7), generator=torch.Generator().manual_seed(0)).double()
    for k in range(2):
        for b in range(9):
            x = bits[k, b]
            w = torch.softmax(x @ model.Q[k], 0)
            expected = model.scale[k] * (w @ x) + model.b[k]
            # Sums of seven products of order 1.
            assert torch.allclose(model(bits)[k, b], expected, rtol=0, atol=1e-14)
    assert model.parameters_per_member == 7 * 7 + 2


def test_it_can_express_the_rule_task():
    # The rule bit outweighs what many bits say for rule 0's targets, so it moves the gains.
    data = draw_data(TASK, 5, 500, [0, 1, 2])
    model = InputGains(CONFIG, generators([0, 1, 2])).double()
    with torch.no_grad():
        model.Q.zero_()
        for k, (first, second) in enumerate(data.targets.tolist()):
            model.Q[k][:6, first] = 20.0
            model.Q[k][6, second] = 300.0
        model.scale.fill_(100.0)
        # One of two targets at 0 leaves y at 1/2 or less; both at 1 leave it at 1.
        model.b.fill_(-75.0)
        logits = model(data.valid)
    truth = label(data.valid, data.targets)
    somewhere = data.valid[..., :6].sum(-1) > 0  # without any 1 no bit speaks for rule 0
    assert torch.equal((logits > 0)[somewhere], (truth == 1)[somewhere])
