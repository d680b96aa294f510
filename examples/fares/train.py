"""Trains a model of taxi fares and writes models/fares.onnx, golden.json and metrics.json.

Run it in an environment made from requirements.txt:  python train.py

LightGBM takes a missing value as one, and so does its export: a thermometer that says nothing costs no trip its fare. Each column is an
input of its own, with its own datatype: the graph puts them together as the pipeline did. The trips are made up here.
"""

from pathlib import Path

import lightgbm
import numpy as np
from inlay_golden import write_golden, write_metrics
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_regressor_output_shapes
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

SEED = 11
HERE = Path(__file__).parent
MODELS = HERE / "models"
ZONES = np.array(["airport", "centre", "harbour", "suburb"])


class Columns:
    """A table as scikit-learn's ColumnTransformer and the ONNX graph both know it: columns by name."""

    def __init__(self, rng: np.random.Generator, rows: int):
        self.distance = np.round(rng.gamma(2.0, 4.0, rows), 1).astype("float32")
        self.temperature = np.round(rng.normal(12, 8, rows), 1).astype("float32")
        self.temperature[rng.random(rows) < 0.2] = np.nan
        self.hour = rng.integers(0, 24, rows)
        self.zone = rng.choice(ZONES, rows)
        rain = np.nan_to_num(self.temperature, nan=8.0) < 4
        night = (self.hour < 6) | (self.hour > 21)
        base = 3.2 + 1.9 * self.distance + 6.0 * (self.zone == "airport") + 2.5 * night + 1.5 * rain
        self.fare = base + rng.normal(0, 0.8, rows)

    def matrix(self) -> np.ndarray:
        """distance, temperature, hour, zone; as objects, for they are of different kinds."""
        return np.column_stack(
            [self.distance.astype(object), self.temperature.astype(object), self.hour.astype(object), self.zone]
        )


def register() -> None:
    update_registered_converter(
        lightgbm.LGBMRegressor,
        "LightGbmLGBMRegressor",
        calculate_linear_regressor_output_shapes,
        convert_lightgbm,
        options={"split": None},
    )


def main() -> None:
    rng = np.random.default_rng(SEED)
    train, test = Columns(rng, 4000), Columns(rng, 1000)
    pipeline = Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [
                        ("distance", "passthrough", [0]),
                        ("temperature", "passthrough", [1]),
                        ("hour", "passthrough", [2]),
                        ("zone", OneHotEncoder(categories=[list(ZONES)], sparse_output=False, dtype=np.float32), [3]),
                    ]
                ),
            ),
            # One thread and a fixed order of summing: the same training, the same trees.
            (
                "trees",
                lightgbm.LGBMRegressor(
                    n_estimators=60, num_leaves=15, random_state=SEED, n_jobs=1, deterministic=True, verbose=-1
                ),
            ),
        ]
    )
    pipeline.fit(train.matrix(), train.fare)
    predicted = pipeline.predict(test.matrix())
    mae = float(np.abs(predicted - test.fare).mean())
    print(f"mean absolute error on {len(test.fare)} held-out trips: {mae:.2f}")

    register()
    model = convert_sklearn(
        pipeline,
        name="fares",
        initial_types=[
            ("distance", FloatTensorType([None, 1])),
            ("temperature", FloatTensorType([None, 1])),
            ("hour", Int64TensorType([None, 1])),
            ("zone", StringTensorType([None, 1])),
        ],
        target_opset={"": 15, "ai.onnx.ml": 3},
    )
    model.opset_import.sort(key=lambda opset: opset.domain)
    MODELS.mkdir(exist_ok=True)
    (MODELS / "fares.onnx").write_bytes(model.SerializeToString())

    rows = slice(0, 80)
    write_golden(
        HERE / "golden.json",
        {
            "distance": test.distance[rows, None],
            "temperature": test.temperature[rows, None],
            "hour": test.hour[rows, None],
            "zone": test.zone[rows, None],
        },
        {"variable": predicted[rows, None]},
        tolerance=1e-4,
    )
    write_metrics(HERE / "metrics.json", mae=mae)


if __name__ == "__main__":
    main()
