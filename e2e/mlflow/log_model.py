"""Logs an ONNX file as a run's model, registers it, and names it champion: prints the run's id.

MLFLOW_TRACKING_URI=… python log_model.py FILE
"""

import sys

import mlflow
import onnx

with mlflow.start_run() as run:
    mlflow.onnx.log_model(
        onnx.load(sys.argv[1]),
        name="model",
        registered_model_name="iris",
        pip_requirements=["onnx==1.23.2"],
        save_as_external_data=False,
    )
client = mlflow.MlflowClient()
latest = max(int(version.version) for version in client.search_model_versions("name='iris'"))
client.set_registered_model_alias("iris", "champion", str(latest))
print(run.info.run_id)
