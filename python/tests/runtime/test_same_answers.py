"""Models of any datatype and of several inputs are answered as Python's onnxruntime answers them."""

import json

import numpy
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from ..exporters.project import Project

ROWS = 5
NUMPY = {
    TensorProto.FLOAT16: numpy.float16,
    TensorProto.FLOAT: numpy.float32,
    TensorProto.DOUBLE: numpy.float64,
    TensorProto.INT8: numpy.int8,
    TensorProto.UINT8: numpy.uint8,
    TensorProto.INT16: numpy.int16,
    TensorProto.UINT16: numpy.uint16,
    TensorProto.INT32: numpy.int32,
    TensorProto.UINT32: numpy.uint32,
    TensorProto.INT64: numpy.int64,
    TensorProto.UINT64: numpy.uint64,
    TensorProto.BOOL: numpy.bool_,
    TensorProto.STRING: numpy.str_,
}
# JSON's numbers are exact up to here.
MOST = 2**53 - 1


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def rng() -> numpy.random.Generator:
    return numpy.random.default_rng(7)


def values(rng: numpy.random.Generator, datatype: int, shape: tuple) -> numpy.ndarray:
    dtype = NUMPY[datatype]
    if datatype == TensorProto.STRING:
        return numpy.array([f"wört {n} \"\\\n" for n in rng.integers(0, 1000, shape).ravel()]).reshape(shape)
    if datatype == TensorProto.BOOL:
        return rng.integers(0, 2, shape).astype(bool)
    if numpy.issubdtype(dtype, numpy.integer):
        limits = numpy.iinfo(dtype)
        made = rng.integers(max(limits.min, -MOST), min(limits.max, MOST), shape, endpoint=True).astype(dtype)
        made.flat[0], made.flat[1] = max(limits.min, -MOST), min(limits.max, MOST)
        return made
    made = rng.normal(0, 1000, shape).astype(dtype)
    made.flat[0] = numpy.finfo(dtype).max
    made.flat[1] = numpy.finfo(dtype).smallest_subnormal
    return made


def write(project: Project, model: onnx.ModelProto, sample: dict) -> None:
    model.ir_version = 10
    onnx.checker.check_model(model)
    onnx.save(model, project.model)
    (project.dir / "inlay.yaml").write_text(
        f'name: m\nversion: "1"\nmodel: model.onnx\nsample: {json.dumps(sample)}\n'
    )


def answers(project: Project, feeds: dict) -> list:
    session = onnxruntime.InferenceSession(project.model, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


@pytest.mark.parametrize("datatype", NUMPY, ids=lambda datatype: TensorProto.DataType.Name(datatype))
@pytest.mark.parametrize("shape", [(ROWS, 3), (ROWS, 2, 2)], ids=["matrix", "rank 3"])
def test_every_datatype(project, rng, datatype, shape) -> None:
    free = ["rows", *shape[1:]]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", datatype, free)],
        [helper.make_tensor_value_info("y", datatype, free)],
    )
    x = values(rng, datatype, shape)
    write(project, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), {"x": x[:1].tolist()})
    (expected,) = answers(project, {"x": x.astype(object) if datatype == TensorProto.STRING else x})
    with project.serve() as predict:
        got = predict(body={"data": x.tolist()})
        assert got == expected.tolist()
        assert predict(body={"inputs": {"x": x[:1].tolist()}}) == expected[0].tolist()


def test_five_inputs(project, rng) -> None:
    types = {
        "ids": TensorProto.INT64,
        "amount": TensorProto.FLOAT,
        "ratio": TensorProto.DOUBLE,
        "member": TensorProto.BOOL,
        "grade": TensorProto.UINT8,
    }
    cast = [helper.make_node("Cast", [name], [f"{name}_f"], to=TensorProto.FLOAT) for name in types]
    table = helper.make_tensor("table", TensorProto.FLOAT, [8, 4], rng.normal(size=32).astype(numpy.float32))
    weights = helper.make_tensor("w", TensorProto.FLOAT, [11, 3], rng.normal(size=33).astype(numpy.float32))
    graph = helper.make_graph(
        [
            *cast,
            helper.make_node("Gather", ["table", "ids"], ["embedded"]),
            helper.make_node("Squeeze", ["embedded", "one"], ["row"]),
            helper.make_node("Concat", ["row", "amount_f", "ratio_f", "member_f", "grade_f"], ["all"], axis=1),
            helper.make_node("MatMul", ["all", "w"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"]),
        ],
        "g",
        [
            helper.make_tensor_value_info("ids", types["ids"], ["rows", 1]),
            helper.make_tensor_value_info("amount", types["amount"], ["rows", 2]),
            helper.make_tensor_value_info("ratio", types["ratio"], ["rows", 1]),
            helper.make_tensor_value_info("member", types["member"], ["rows", 1]),
            helper.make_tensor_value_info("grade", types["grade"], ["rows", 3]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 3])],
        [table, weights, helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    feeds = {
        "ids": rng.integers(0, 8, (ROWS, 1)),
        "amount": rng.normal(size=(ROWS, 2)).astype(numpy.float32),
        "ratio": rng.normal(size=(ROWS, 1)),
        "member": rng.integers(0, 2, (ROWS, 1)).astype(bool),
        "grade": rng.integers(0, 3, (ROWS, 3)).astype(numpy.uint8),
    }
    sample = {name: tensor[:1].tolist() for name, tensor in feeds.items()}
    write(project, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), sample)
    assert project.check() == [("warning", "GOLDEN_MISSING")]
    with project.serve() as predict:
        together = predict(body={"inputs": {name: tensor.tolist() for name, tensor in feeds.items()}})
        assert together == answers(project, feeds)[0].tolist()
        for row in range(ROWS):
            one = {name: tensor[row : row + 1] for name, tensor in feeds.items()}
            got = predict(body={"inputs": {name: tensor.tolist() for name, tensor in one.items()}})
            assert got == answers(project, one)[0][0].tolist()
