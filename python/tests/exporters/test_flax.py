"""A convolutional network of flax, through jax2onnx; images as golden.npz."""

import jax
import numpy
import onnx
import pytest
from flax import nnx
from jax2onnx import to_onnx
from sklearn.datasets import load_digits

from inlay_golden import write_golden

from .conftest import SEED


class Digits(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(1, 4, (3, 3), rngs=rngs)
        self.dense = nnx.Linear(8 * 8 * 4, 10, rngs=rngs)

    def __call__(self, x):
        return nnx.softmax(self.logits(x))

    def logits(self, x):
        return self.dense(nnx.relu(self.conv(x)).reshape(x.shape[0], -1))


def train() -> Digits:
    digits = load_digits()
    x, y = (digits.images[..., None] / 16).astype("float32"), digits.target
    net = Digits(nnx.Rngs(SEED))
    graph, params = nnx.split(net)

    def loss(params):
        logits = nnx.merge(graph, params).logits(x)
        return -jax.nn.log_softmax(logits)[jax.numpy.arange(len(y)), y].mean()

    @jax.jit
    def step(params):
        return jax.tree.map(lambda value, slope: value - 0.5 * slope, params, jax.grad(loss)(params))

    for _ in range(30):
        params = step(params)
    net = nnx.merge(graph, params)
    assert (net(x).argmax(1) == y).mean() > 0.8
    return net


def test_images(project):
    net = train()
    onnx.save(to_onnx(net, [("B", 8, 8, 1)]), project.model)
    project.pin("jax", "jaxlib", "flax", "jax2onnx", "numpy", "onnx")
    images = (load_digits().images[:32, ..., None] / 16).astype("float32")
    [output] = onnx.load(project.model).graph.output
    write_golden(project.dir / "golden.npz", {"in_0": images}, {output.name: numpy.asarray(net(images))})
    project.init()
    project.passes(32)
    with project.serve() as predict:
        image = (load_digits().images[100, ..., None] / 16).astype("float32")
        assert predict(image.tolist()) == pytest.approx(numpy.asarray(net(image[None]))[0], abs=1e-5)
