from pipeline.labs.energy.measure import retrieval
from pipeline.labs.energy.measure.retrieval import RetrievalConfig

RETRIEVAL = RetrievalConfig(
    seeds=(0, 1), d=16, patterns=16, clusters=4, similarities=(0.0, 0.5), noises=(0.0, 0.3),
    betas=(0.7, 30.0), gammas=(0.5, 2.0, 2.5), states=32,
)  # fmt: skip


def test_steps_up_to_two_never_rise_and_larger_ones_do():
    steps = retrieval.descent(RETRIEVAL)
    assert steps.uphill.shape == (3, 2)
    assert (steps.uphill[:2] == 0).all()
    assert (steps.uphill[2] > 0.5).all()
    # Energies up to 8 / 0.7 round at 1e-14.
    assert (steps.excess[:2] < 1e-13).all()


def test_no_query_breaks_the_bound_and_attention_is_torchs():
    queries = retrieval.one_step(RETRIEVAL)
    assert (queries.retrieval_error <= queries.bound + 1e-14).all()
    assert (queries.beta_delta > 0).all()
    assert (retrieval.attention_difference(RETRIEVAL) < 1e-14).all()
