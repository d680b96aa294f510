"""Trains the iris classifier and writes models/iris_svc.onnx, models/label.json, golden.json and metrics.json.

Run it in an environment made from requirements.txt:  python train.py
"""

import json
from pathlib import Path

from inlay_golden import write_golden, write_metrics
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

SEED = 20
HERE = Path(__file__).parent
MODELS = HERE / "models"


def main() -> None:
    iris = load_iris()
    train_x, test_x, train_y, test_y = train_test_split(
        iris.data.astype("float32"), iris.target, test_size=0.3, random_state=SEED, stratify=iris.target
    )
    pipeline = Pipeline([("scaler", StandardScaler()), ("svc", SVC(probability=True, random_state=SEED))])
    pipeline.fit(train_x, train_y)
    accuracy = pipeline.score(test_x, test_y)
    print(f"accuracy on {len(test_x)} held-out flowers: {accuracy:.3f}")

    # Default options: the graph ends in ZipMap, as most converted classifiers do.
    model = convert_sklearn(pipeline, name="iris_svc", initial_types=[("float_input", FloatTensorType([None, 4]))])
    # The converter lists operator sets in the order of a Python set, another each run: the same training, the same file.
    model.opset_import.sort(key=lambda opset: opset.domain)
    MODELS.mkdir(exist_ok=True)
    (MODELS / "iris_svc.onnx").write_bytes(model.SerializeToString())
    labels = {str(number): str(name) for number, name in enumerate(iris.target_names)}
    (MODELS / "label.json").write_text(json.dumps(labels) + "\n")

    # What the trained pipeline itself answers, not its export: the difference is what inlay check looks for.
    write_golden(HERE / "golden.json", {"float_input": test_x}, {"output_probability": pipeline.predict_proba(test_x)})
    write_metrics(HERE / "metrics.json", accuracy=accuracy)


if __name__ == "__main__":
    main()
