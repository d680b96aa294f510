"""The server as clients that others wrote meet it: NVIDIA's over REST, binary REST and gRPC, gRPC's over reflection and health."""

import os
import queue
import subprocess

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tritonclient.utils import InferenceServerException

from .serving import ROOT, serve

IRIS = np.array([[5.1, 3.5, 1.4, 0.2], [7.7, 2.6, 6.9, 2.3]], np.float32)
EVERY_TYPE = {
    "BOOL": np.array([[True, False]]),
    "UINT8": np.array([[0, 255]], np.uint8),
    "UINT16": np.array([[0, 65535]], np.uint16),
    "UINT32": np.array([[0, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 2**53 - 1]], np.uint64),
    "INT8": np.array([[-128, 127]], np.int8),
    "INT16": np.array([[-(2**15), 2**15 - 1]], np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**53) + 1, 2**53 - 1]], np.int64),
    "FP16": np.array([[-0.5, 65504]], np.float16),
    "FP32": np.array([[0.1, -1e30]], np.float32),
    "FP64": np.array([[0.1, -1e300]], np.float64),
    "BYTES": np.array([["", "Zürich 漢字"]], np.object_),
}
WAYS = ["rest", "rest-binary", "grpc"]


@pytest.fixture(scope="module")
def iris():
    with serve(ROOT / "examples" / "iris") as served:
        yield served


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    folder = tmp_path_factory.mktemp("types")
    write = (
        f'import {{ everyType }} from "{ROOT}/test/server/oip/every-type.ts";'
        f'await Bun.write("{folder}/model.onnx", everyType());'
    )
    subprocess.run([os.environ["INLAY_BUN"], "-e", write], check=True)
    (folder / "inlay.yaml").write_text("name: types\nversion: 1.0.0\nmodel: model.onnx\n")
    with serve(folder) as served:
        yield served


def infer(served, way, model, arrays, outputs):
    """Numpy arrays in and out, by one of the ways."""
    kind = triton_grpc if way == "grpc" else triton_http
    client = kind.InferenceServerClient(served.grpc if way == "grpc" else served.http)
    binary = {} if way == "grpc" else {"binary_data": way == "rest-binary"}
    inputs = []
    for name, (datatype, array) in arrays.items():
        one = kind.InferInput(name, array.shape, datatype)
        alone = way == "rest" and datatype == "FP16"
        one.set_data_from_numpy(array, **({"binary_data": True} if alone else binary))
        inputs.append(one)
    asked = [
        kind.InferRequestedOutput(name, **({"binary_data": True} if way == "rest" and "FP16" in name else binary))
        for name in outputs
    ]
    with client:
        result = client.infer(model, inputs, outputs=asked, request_id="42")
        answer = result.get_response()
        assert (answer["id"] if way != "grpc" else answer.id) == "42"
        return {name: result.as_numpy(name) for name in outputs}


@pytest.mark.parametrize("way", WAYS)
def test_iris(iris, way):
    answers = infer(iris, way, "iris", {"float_input": ("FP32", IRIS)}, ["output_probability", "output_label"])
    assert answers["output_probability"].shape == (2, 3)
    np.testing.assert_allclose(
        answers["output_probability"][0], [0.9707942, 0.01636644, 0.01283945], atol=1e-6
    )
    assert list(answers["output_probability"].argmax(axis=1)) == [0, 2]
    assert answers["output_label"].dtype == np.int64


@pytest.mark.parametrize("way", WAYS)
def test_every_datatype(types, way):
    arrays = {f"in_{name}": (name, array) for name, array in EVERY_TYPE.items()}
    answers = infer(types, way, "types", arrays, [f"out_{name}" for name in EVERY_TYPE])
    for name, array in EVERY_TYPE.items():
        answer = answers[f"out_{name}"]
        if name == "BYTES":
            answer = np.vectorize(lambda text: text if isinstance(text, str) else text.decode())(answer)
        np.testing.assert_array_equal(answer, array, err_msg=f"{name} by {way}")


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
@pytest.mark.parametrize("kind", [triton_http, triton_grpc])
def test_compressed_requests(iris, kind, compression):
    with kind.InferenceServerClient(iris.grpc if kind is triton_grpc else iris.http) as client:
        one = kind.InferInput("float_input", IRIS.shape, "FP32")
        one.set_data_from_numpy(IRIS)
        named = {"compression_algorithm" if kind is triton_grpc else "request_compression_algorithm": compression}
        result = client.infer("iris", [one], **named)
        assert list(result.as_numpy("output_label")) == [0, 2]


def test_many_calls_at_once_on_one_channel(iris):
    with triton_grpc.InferenceServerClient(iris.grpc) as client:
        one = triton_grpc.InferInput("float_input", IRIS.shape, "FP32")
        one.set_data_from_numpy(IRIS)
        answers = queue.Queue()
        for _ in range(1000):
            client.async_infer("iris", [one], lambda result, error: answers.put((result, error)))
        for _ in range(1000):
            result, error = answers.get(timeout=60)
            assert error is None
            assert list(result.as_numpy("output_label")) == [0, 2]


@pytest.mark.parametrize("kind", [triton_http, triton_grpc])
def test_health_and_metadata(iris, kind):
    with kind.InferenceServerClient(iris.grpc if kind is triton_grpc else iris.http) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("iris")
        as_json = {"as_json": True} if kind is triton_grpc else {}
        version = client.get_model_metadata("iris", **as_json)["versions"][0]
        assert client.is_model_ready("iris", version)
        assert client.get_server_metadata(**as_json)["extensions"] == ["binary_tensor_data"]


@pytest.mark.parametrize(("kind", "status"), [(triton_http, "404"), (triton_grpc, "StatusCode.NOT_FOUND")])
def test_another_model(iris, kind, status):
    with kind.InferenceServerClient(iris.grpc if kind is triton_grpc else iris.http) as client:
        one = kind.InferInput("float_input", IRIS.shape, "FP32")
        one.set_data_from_numpy(IRIS)
        with pytest.raises(InferenceServerException, match="This server serves iris") as refused:
            client.infer("other", [one])
        assert refused.value.status() == status


def test_reflection_and_health(iris):
    with grpc.insecure_channel(iris.grpc) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "inference.GRPCInferenceService" in database.get_services()
        assert database.FindFileContainingSymbol("inference.ModelInferRequest").name == "inference.proto"
        health = health_pb2_grpc.HealthStub(channel)
        serving = health_pb2.HealthCheckResponse.SERVING
        assert health.Check(health_pb2.HealthCheckRequest()).status == serving
        watch = health.Watch(health_pb2.HealthCheckRequest(service="inference.GRPCInferenceService"))
        assert next(watch).status == serving
        watch.cancel()


def test_deadline(iris):
    """A deadline that ends while the answer is made is the client's status or an answer in time, one in the past its status; the server goes on."""
    with triton_grpc.InferenceServerClient(iris.grpc) as client:
        one = triton_grpc.InferInput("float_input", IRIS.shape, "FP32")
        one.set_data_from_numpy(IRIS)
        for _ in range(50):
            try:
                client.infer("iris", [one], client_timeout=1e-6)
            except InferenceServerException as late:
                assert late.status() == "StatusCode.DEADLINE_EXCEEDED"
        with pytest.raises(InferenceServerException, match="Deadline"):
            client.infer("iris", [one], client_timeout=-1)
        assert client.is_server_live()
        assert client.infer("iris", [one]).as_numpy("output_label") is not None
