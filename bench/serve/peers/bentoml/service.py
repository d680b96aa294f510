"""A model as a BentoML service."""

import os

import bentoml
import numpy as np
import onnxruntime as ort


@bentoml.service(workers=1)
class Iris:
    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(
            os.environ["MODEL_FILEPATH"], options, providers=["CPUExecutionProvider"]
        )

    @bentoml.api
    async def predict(self, data: list[list[float]]) -> dict[str, list[float]]:
        array = np.array(data, dtype=np.float32)
        (probabilities,) = self.session.run(["output_probability"], {"float_input": array})
        return {"prediction": probabilities[0].tolist()}
