"""The divergence from a linear softmax head behind an MLP, a block of contexts at a time.

The hidden layer of a wide MLP over all N^2 contexts is tens of megabytes: written to memory and
read back several times a step, it costs more than the products do. Here a block of contexts goes
through the MLP to the loss and back, to all gradients, while its hidden values are in the cache.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from pipeline.labs.memory.kernels.unembed_kl import Stream, Target, Unembedding, loss_and_gradients

# Of a block's widest hidden layer: half as much was slower, twice as much no faster.
BLOCK_BYTES = 1_200_000
LEAST = 64  # contexts in a block, however wide the layers

# Widths differ from layer to layer.
Weights = Sequence[Float[Tensor, "member _ _"]]
Biases = Sequence[Float[Tensor, "member _"]]


def mlp_kl(
    stream: Stream, weights: Weights, biases: Biases, U: Unembedding, target: Target, *, skip: bool
) -> Float[Tensor, " member"]:
    """Return each member's weighted divergence in nats of U's softmax after the MLP.

    The MLP is affine maps with GELU between them; with ``skip`` the stream is added to it. A
    member's blocks depend on its own shapes alone, so its numbers are those of the member alone.
    """
    loss: Tensor = _MLPKL.apply(stream, U, target, skip, *weights, *biases)
    return loss - target.entropy


class _MLPKL(torch.autograd.Function):
    """Weighted cross entropy; the forward pass makes the gradients too."""

    @staticmethod
    def forward(
        ctx: Any, stream: Tensor, U: Tensor, target: Target, skip: bool, *parameters: Tensor
    ) -> Tensor:
        _, members, contexts = stream.shape
        mlp = _BlockMLP(parameters, contexts)
        d_stream, d_U = torch.empty_like(stream), torch.zeros_like(U)
        loss = stream.new_zeros(members)
        for member, block in mlp.blocks(members):
            x = stream[:, member, block]
            out = mlp.forward(x, member)
            if skip:
                out += x
            part, d_out, d_U_part = loss_and_gradients(
                out[None], U[member, None], *_part(target, member, block)
            )
            loss[member] += part[0]
            d_U[member] += d_U_part[0]
            d_x = mlp.backward(d_out[0], member)
            d_stream[:, member, block] = d_x + d_out[0] if skip else d_x
        ctx.save_for_backward(d_stream, d_U, *mlp.gradients())
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        d_stream, d_U, *d_parameters = ctx.saved_tensors
        scaled = [d * grad.view(-1, *[1] * (d.ndim - 1)) for d in (d_U, *d_parameters)]
        return d_stream * grad[:, None], scaled[0], None, None, *scaled[1:]


def _part(target: Target, member: int, block: slice) -> tuple[Tensor, Tensor | None, Tensor | None]:
    token, distribution = target.token, target.distribution
    return (
        target.weight[member, None, block],
        None if token is None else token[member, None, block],
        None if distribution is None else distribution[member, None, :, block],
    )


class _BlockMLP:
    """An MLP on one block of one member's contexts at a time, which adds up its gradients.

    All blocks share the hidden layers' memory: the system would map fresh memory page by page.
    """

    def __init__(self, parameters: Sequence[Tensor], contexts: int):
        self.depth = len(parameters) // 2
        self.weights, self.biases = parameters[: self.depth], parameters[self.depth :]
        widths = [b.shape[1] for b in self.biases[:-1]]
        new = self.biases[0].new_empty
        size = max(LEAST, BLOCK_BYTES // (max(widths) * self.biases[0].element_size()))
        self.contexts, self.size = contexts, min(size, contexts)
        self.hidden, self.active, self.passed_back = (
            [new(width, self.size) for width in widths] for _ in range(3)
        )
        self.inputs: list[Tensor] = []
        # A product with few rows is several times faster than one with few columns.
        self.turned = [W.shape[1] > W.shape[2] for W in self.weights]
        self.d_weights = [
            W.new_zeros(W.mT.shape if turn else W.shape)
            for W, turn in zip(self.weights, self.turned, strict=True)
        ]
        self.d_biases = [torch.zeros_like(b) for b in self.biases]

    def blocks(self, members: int) -> Iterator[tuple[int, slice]]:
        """Yield each member with each of its blocks of contexts."""
        for member in range(members):
            for start in range(0, self.contexts, self.size):
                yield member, slice(start, min(start + self.size, self.contexts))

    def forward(self, x: Float[Tensor, "d block"], member: int) -> Float[Tensor, "d_out block"]:
        """Return the MLP's output, and keep what the backward pass needs."""
        self.inputs = [x]
        count = x.shape[1]
        for k in range(self.depth - 1):
            hidden, active = self.hidden[k][:, :count], self.active[k][:, :count]
            torch.addmm(*self._affine(k, member), self.inputs[-1], out=hidden)
            self.inputs.append(torch.ops.aten.gelu.out(hidden, out=active))
        return torch.addmm(*self._affine(self.depth - 1, member), self.inputs[-1])

    def _affine(self, k: int, member: int) -> tuple[Tensor, Tensor]:
        return self.biases[k][member, :, None], self.weights[k][member].t()

    def backward(self, grad: Float[Tensor, "d_out block"], member: int) -> Float[Tensor, "d block"]:
        """Add the parameters' gradients for the block just seen; return its input's."""
        count = grad.shape[1]
        for k in reversed(range(self.depth)):
            rows, columns = (grad, self.inputs[k]) if self.turned[k] else (self.inputs[k], grad)
            self.d_weights[k][member].addmm_(rows, columns.t())
            self.d_biases[k][member] += grad.sum(1)
            if k == 0:
                break
            hidden = self.hidden[k - 1][:, :count]
            back = torch.mm(self.weights[k][member], grad, out=self.passed_back[k - 1][:, :count])
            grad = torch.ops.aten.gelu_backward.grad_input(back, hidden, grad_input=back)
        return self.weights[0][member] @ grad

    def gradients(self) -> list[Tensor]:
        """Return the gradients of the weights and of the biases, summed over the blocks."""
        weights = [W.mT if t else W for W, t in zip(self.d_weights, self.turned, strict=True)]
        return [*weights, *self.d_biases]
