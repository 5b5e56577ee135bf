import torch

from labs.energy.measure.trained.recall_models import TASK, model_of, same, sequences
from pipeline.labs.energy.measure.trained import readout


def test_classes_that_a_plane_separates_are_read_without_error():
    draw = torch.Generator().manual_seed(0)
    answers = torch.randint(3, (2, 60), generator=draw)
    x = torch.nn.functional.one_hot(answers, 3).double() + 0.01 * torch.randn(
        2, 60, 3, dtype=torch.float64, generator=draw
    )
    weight = readout.fit(x, answers, 3)
    assert torch.equal((x @ weight).argmax(-1), answers)


def test_a_fit_is_the_optimum_of_its_convex_loss():
    draw = torch.Generator().manual_seed(0)
    answers = torch.randint(3, (1, 40), generator=draw)
    x = torch.randn(1, 40, 4, dtype=torch.float64, generator=draw)
    weight = readout.fit(x, answers, 3).requires_grad_()
    loss = -(x @ weight).log_softmax(-1).gather(-1, answers[..., None]).mean()
    (gradient,) = torch.autograd.grad(loss + readout.RIDGE * weight.square().sum(), weight)
    assert gradient.abs().max() < 1e-5  # L-BFGS stops at 1e-7 of a gradient, or of a change 1e-9


def test_a_member_is_read_as_alone_and_no_better_than_the_stream_tells():
    fitted, judged = sequences((3, 4), 40), sequences((3, 4), 60, purpose=1)
    together = readout.readout_accuracy(TASK, model_of((3, 4)), fitted, judged)
    alone = readout.readout_accuracy(
        TASK, model_of((4,)), sequences((4,), 40), sequences((4,), 60, purpose=1)
    )
    assert abs(float(together[1] - alone[0])) < 0.1  # the line search is shared
    assert (together < 0.9).all()  # untrained layers have not retrieved anything
    x = readout.features(TASK, model_of((3, 4)), fitted)
    same(x[..., -1], torch.ones_like(x[..., -1]))
