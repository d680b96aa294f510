"""Trains a small network and writes it in half precision: models/half.onnx, models/label.json, golden.json and metrics.json.

Run it in an environment made from requirements.txt:  python train.py

Inputs, weights and outputs are float16, half of the bytes of float32. What that costs is measured here, on held-out rows, and allowed for in
the golden cases: the trained network itself answered them, in float32.
"""

import json
from pathlib import Path

import numpy as np
from inlay_golden import write_golden, write_metrics
from onnx import TensorProto, checker, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEED = 3
HERE = Path(__file__).parent
MODELS = HERE / "models"


def network(classifier: MLPClassifier):
    """The trained network as a graph in float16: a Gemm and a Relu a layer, a Softmax at the end."""
    nodes, weights, value = [], [], "pixels"
    layers = list(zip(classifier.coefs_, classifier.intercepts_))
    for i, (matrix, bias) in enumerate(layers):
        last = i == len(layers) - 1
        weights += [
            numpy_helper.from_array(matrix.astype(np.float16), f"w{i}"),
            numpy_helper.from_array(bias.astype(np.float16), f"b{i}"),
        ]
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"sum{i}"]))
        value = "probabilities" if last else f"layer{i}"
        nodes.append(helper.make_node("Softmax" if last else "Relu", [f"sum{i}"], [value], **({"axis": 1} if last else {})))
    graph = helper.make_graph(
        nodes,
        "half",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT16, ["rows", classifier.n_features_in_])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT16, ["rows", len(classifier.classes_)])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="train.py")
    model.ir_version = 10
    checker.check_model(model, full_check=True)
    return model


def main() -> None:
    digits = load_digits()
    # Sixteenths are float16 numbers, so that the rows are the same in both precisions.
    train_x, test_x, train_y, test_y = train_test_split(
        (digits.data / 16).astype(np.float16), digits.target, test_size=0.3, random_state=SEED, stratify=digits.target
    )
    classifier = MLPClassifier((48,), random_state=SEED, max_iter=800)
    classifier.fit(train_x.astype(np.float32), train_y)
    accuracy = classifier.score(test_x.astype(np.float32), test_y)
    print(f"accuracy on {len(test_x)} held-out digits: {accuracy:.3f}")

    MODELS.mkdir(exist_ok=True)
    (MODELS / "half.onnx").write_bytes(network(classifier).SerializeToString())
    (MODELS / "label.json").write_text(json.dumps({str(digit): str(digit) for digit in digits.target_names}) + "\n")

    rows = test_x[:80]
    write_golden(
        HERE / "golden.json",
        {"pixels": rows},
        {"probabilities": classifier.predict_proba(rows.astype(np.float32))},
        # Half precision has 11 bits: 0.0005 near 1, and sums of 64 products on the way there.
        tolerance=5e-3,
    )
    write_metrics(HERE / "metrics.json", accuracy=accuracy)


if __name__ == "__main__":
    main()
