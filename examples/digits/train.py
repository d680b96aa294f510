"""Trains a classifier of handwritten digits and writes models/, samples/, golden.json and metrics.json.

Run it in an environment made from requirements.txt:  python train.py
"""

import io
import json
from pathlib import Path

import numpy
from features import features
from inlay_golden import Upload, write_golden, write_metrics
from PIL import Image
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

SEED = 20
HERE = Path(__file__).parent
ANGLES = (-14, -7, 0, 7, 14)


def picture(pixels: numpy.ndarray, angle: float = 0, side: int = 96) -> Image.Image:
    """A digit of 8 x 8 values from 0 to 16 as somebody would draw it: dark on white, with paper around it."""
    small = Image.fromarray((pixels.reshape(8, 8) * 255 / 16).round().astype("uint8"))
    ink = small.resize((side, side), Image.Resampling.BICUBIC).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    paper = Image.new("L", (side * 2, side * 2), 255)
    paper.paste(0, ((paper.width - ink.width) // 2, (paper.height - ink.height) // 2), ink)
    return paper


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def dataset(images: numpy.ndarray, angles: tuple[float, ...]) -> numpy.ndarray:
    """What features.py makes of pictures of digits, as float32: what the model takes when it serves."""
    return numpy.array([features(encoded(picture(pixels, angle), "PNG")) for pixels in images for angle in angles])


def uploads(images: numpy.ndarray) -> list[Upload]:
    """Images of digits in the forms that people send, one each."""
    drawn = [picture(pixels) for pixels in images]
    light_on_dark = drawn[2].point(lambda value: 255 - value)
    transparent = Image.new("RGBA", drawn[3].size, (20, 40, 160, 255))
    transparent.putalpha(drawn[3].point(lambda value: 255 - value))
    red = Image.merge("RGB", (Image.new("L", drawn[4].size, 220), drawn[4], drawn[4]))
    wide = Image.new("L", (400, 200), 255)
    wide.paste(drawn[5], (150, 4))
    deep = Image.fromarray(numpy.asarray(drawn[6]).astype("uint16") * 257)
    return [
        Upload("image/png", encoded(drawn[0], "PNG")),
        Upload("image/jpeg", encoded(drawn[1], "JPEG", quality=90)),
        Upload("image/png", encoded(light_on_dark.quantize(16), "PNG", bits=4)),
        Upload("image/png", encoded(transparent, "PNG")),
        Upload("image/jpeg", encoded(red, "JPEG", quality=75)),
        Upload("image/png", encoded(wide.convert("RGB"), "PNG")),
        Upload("image/png", encoded(deep, "PNG")),
        Upload("image/png", encoded(drawn[7].point(lambda value: 255 if value > 127 else 0).convert("1"), "PNG")),
        Upload("image/png", encoded(drawn[8].convert("LA"), "PNG")),
        Upload("image/jpeg", encoded(drawn[9].resize((61, 83)), "JPEG", progressive=True)),
    ]


def main() -> None:
    digits = load_digits()
    train_images, test_images, train_y, test_y = train_test_split(
        digits.data, digits.target, test_size=0.3, random_state=SEED, stratify=digits.target
    )
    train_x = dataset(train_images, ANGLES)
    test_x = dataset(test_images, (0,))
    pipeline = Pipeline(
        [
            ("scaler", StandardScaler()),
            ("mlp", MLPClassifier((64,), alpha=0.1, max_iter=200, early_stopping=True, random_state=SEED)),
        ]
    )
    pipeline.fit(train_x, train_y.repeat(len(ANGLES)))
    accuracy = pipeline.score(test_x, test_y)
    print(f"accuracy on {len(test_x)} held-out digits: {accuracy:.3f}")

    # All that can be in the graph is in the graph: transform.ts decodes an image and lays a grid on it, no more.
    model = convert_sklearn(pipeline, name="digits", initial_types=[("cells", FloatTensorType([None, 64]))])
    # The converter lists operator sets in the order of a Python set, another each run: the same training, the same file.
    model.opset_import.sort(key=lambda opset: opset.domain)
    models = HERE / "models"
    models.mkdir(exist_ok=True)
    (models / "digits.onnx").write_bytes(model.SerializeToString())
    (models / "label.json").write_text(json.dumps({str(digit): str(digit) for digit in digits.target_names}) + "\n")

    requests = uploads(numpy.array([test_images[numpy.flatnonzero(test_y == digit)[0]] for digit in range(10)]))
    samples = HERE / "samples"
    samples.mkdir(exist_ok=True)
    # The clearest ones, to try the server with.
    confidence = pipeline.predict_proba(test_x)
    for digit, kind, name in ((7, "PNG", "7.png"), (3, "JPEG", "3.jpg")):
        (samples / name).write_bytes(encoded(picture(test_images[confidence[:, digit].argmax()]), kind))

    # Both levels: what the trained pipeline answers to features, and what Python answers to an image from end to end.
    def answer(request: Upload) -> dict:
        (probabilities,) = pipeline.predict_proba([features(request.data)])
        return {"prediction": probabilities, "label": str(digits.target_names[probabilities.argmax()])}

    write_golden(
        HERE / "golden.json",
        {"cells": test_x[:100]},
        {"output_probability": pipeline.predict_proba(test_x[:100])},
        raw=[(request, answer(request)) for request in requests],
        # PNG is the same in every decoder; those of JPEG round differently.
        raw_tolerance=1e-3,
    )
    write_metrics(HERE / "metrics.json", accuracy=accuracy)


if __name__ == "__main__":
    main()
