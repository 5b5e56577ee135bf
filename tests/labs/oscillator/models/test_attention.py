import pytest
from pydantic import ValidationError

from pipeline.labs.oscillator.models.attention import ShapeConfig

# Shapes of the study (Fig. 3 to 7): d_model, d_head, layers, heads, and their parameters: embedding
# and unembedding with biases, 2 d + d + 2 d + 2, and 4 d^2 a layer.
STUDY = [(2, 2, 1, 1, 28), (8, 4, 1, 2, 298), (16, 8, 8, 2, 8274), (32, 16, 4, 2, 16546)]


@pytest.mark.parametrize(("d_model", "d_head", "n_layers", "n_heads", "parameters"), STUDY)
def test_a_shape_is_the_study_s_softmax_model(d_model, d_head, n_layers, n_heads, parameters):
    shape = ShapeConfig(d_model=d_model, d_head=d_head, n_layers=n_layers, causal=False)
    made = shape.transformer
    assert (made.d_in, made.d_out, made.n_heads, made.causal) == (2, 2, n_heads, False)
    assert (made.attention, made.bias) == ("softmax", True)
    assert (made.positions, made.mlp_width) == (0, 0)
    assert (made.previous_token, made.norm) == (False, False)
    assert 5 * d_model + 2 + 4 * d_model**2 * n_layers == parameters


def test_a_head_must_divide_the_width_before_anything_trains():
    with pytest.raises(ValidationError, match="d_head must divide d_model"):
        ShapeConfig(d_model=6, d_head=4, n_layers=1, causal=True).transformer  # noqa: B018
