"""Writes golden cases: what a model answered in training, so that inlay can hold its image to it.

    from inlay_golden import write_golden
    write_golden("golden.json", inputs={"float_input": x}, outputs={"output_probability": pipeline.predict_proba(x)})

Inputs and outputs are named as in the ONNX graph; the first dimension of each is the rows. The outputs are to come from
the model that was trained, not from the exported one: the difference between the two is what inlay looks for.
"""

import base64
import importlib.metadata
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy

__all__ = ["Upload", "environment", "write_golden", "write_metrics"]

#: numpy's kinds of dtype that ONNX has tensors for, and that JSON can hold: bool, integers, floats, text.
_KINDS = "biufUSO"


class Upload(NamedTuple):
    """The body of a request that is no JSON, such as ``Upload("image/png", data)``."""

    content_type: str
    data: bytes


def write_golden(
    path: Union[str, "os.PathLike[str]"],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    tolerance: Union[float, Mapping[str, float]] = 1e-5,
    raw: Sequence[Tuple[Any, Any]] = (),
    raw_tolerance: Optional[float] = None,
) -> None:
    """Writes one golden case of many rows.

    :param path: the file to write, named in inlay.yaml as ``golden:``; it appears whole or not at all. ``.npz`` makes it an archive
        of arrays, which suits images and other large inputs; any other name JSON
    :param inputs: arrays by input name, rows first; at most a few hundred rows are enough, and all travel in the image
    :param outputs: what the trained model answers to them, by output name
    :param tolerance: how far a float may be from it: absolute, relative beyond 1; for all outputs or by name
    :param raw: for a model with a transform: requests, each with the whole answer that it should get. A request is an ``Upload`` or a JSON
        value; request and answer may hold arrays
    :param raw_tolerance: how far a number of these answers may be off; as ``tolerance`` where that is one number
    :raises ValueError: where rows differ, an output or an infinite input is not finite, or an array has a dtype that cannot
        be written. NaN in an input is a missing value: inlay.yaml then says ``missing: nan``.
    """
    arrays_in = {name: _array(name, value, nan=True) for name, value in inputs.items()}
    arrays_out = {name: _array(name, value) for name, value in outputs.items()}
    if not arrays_in or not arrays_out:
        raise ValueError("golden cases need at least one input and one output")
    rows = {name: array.shape[0] for name, array in {**arrays_in, **arrays_out}.items()}
    if len(set(rows.values())) > 1:
        raise ValueError(f"inputs and outputs have different numbers of rows: {rows}")
    # Outputs are what the trained model gave, often in float64; only inputs say what the graph is fed.
    top = {
        "schemaVersion": 2 if raw else 1,
        "tolerance": dict(tolerance) if isinstance(tolerance, Mapping) else tolerance,
        "environment": environment(),
    }
    if raw:
        top["raw"] = [{"request": _request(request), "answer": _plain(answer)} for request, answer in raw]
    if raw_tolerance is not None:
        top["rawTolerance"] = raw_tolerance
    if Path(path).suffix == ".npz":
        _write_npz(path, top, arrays_in, arrays_out)
        return
    _write_json(
        path,
        {
            **top,
            "dtypes": {name: _dtype(array) for name, array in arrays_in.items()},
            "cases": [
                {
                    "inputs": {name: _missing_as_null(array).tolist() for name, array in arrays_in.items()},
                    "outputs": {name: array.tolist() for name, array in arrays_out.items()},
                }
            ],
        },
    )


def write_metrics(path: Union[str, "os.PathLike[str]"], **metrics: float) -> None:
    """Writes metrics.json, named in inlay.yaml as ``metrics:``.

    :raises ValueError: where a metric is not a finite number
    """
    numbers = {name: float(value) for name, value in metrics.items()}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"metric {name} is {value}")
    _write_json(path, numbers)


def environment() -> Dict[str, str]:
    """Versions of the packages that this process really imported, by the names that pip knows, and of Python."""
    packages = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    owners = importlib.metadata.packages_distributions() if sys.version_info >= (3, 10) else {}
    for module in {name.partition(".")[0] for name in list(sys.modules)}:
        for distribution in owners.get(module, [module]):
            version = _version(distribution)
            if version is not None and distribution != "inlay-golden":
                packages[distribution.lower()] = version
    return dict(sorted(packages.items()))


def _version(distribution: str) -> Optional[str]:
    try:
        return importlib.metadata.version(distribution)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def _array(name: str, value: Any, nan: bool = False) -> numpy.ndarray:
    array = numpy.asarray(value)
    if array.ndim == 0 or array.shape[0] == 0:
        raise ValueError(f"{name} has no rows: its shape is {array.shape}")
    if array.dtype.kind not in _KINDS:
        raise ValueError(f"{name} has dtype {array.dtype}, which ONNX has no tensors of")
    if array.dtype.kind == "O" and not all(isinstance(item, str) for item in array.ravel()):
        raise ValueError(f"{name} has Python objects that are not text")
    if array.dtype.kind == "f" and not (numpy.isfinite(array) | (nan & numpy.isnan(array))).all():
        raise ValueError(f"{name} has values that are not finite")
    return array.astype(str) if array.dtype.kind in "SO" else array


def _request(request: Any) -> Dict[str, Any]:
    if not isinstance(request, Upload):
        return {"json": _plain(request)}
    content_type, data = request
    if len(data) == 0:
        raise ValueError(f"a request of {content_type} is empty")
    return {"contentType": content_type.lower(), "base64": base64.b64encode(data).decode()}


def _plain(value: Any) -> Any:
    """A value as JSON has it: arrays and numpy's numbers are lists and numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a raw case has {value}, which JSON has not")
    return value


def _missing_as_null(array: numpy.ndarray) -> numpy.ndarray:
    """JSON has no NaN: a missing value is null, as in a request."""
    if array.dtype.kind != "f" or not numpy.isnan(array).any():
        return array
    return numpy.where(numpy.isnan(array), None, array.astype(object))


def _dtype(array: numpy.ndarray) -> str:
    return "str" if array.dtype.kind in "US" else str(array.dtype)


def _write_json(path: Union[str, "os.PathLike[str]"], document: Mapping[str, Any]) -> None:
    text = json.dumps(document, allow_nan=False) + "\n"
    _write(path, lambda file: file.write(text.encode()))


def _write_npz(
    path: Union[str, "os.PathLike[str]"],
    top: Mapping[str, Any],
    inputs: Mapping[str, numpy.ndarray],
    outputs: Mapping[str, numpy.ndarray],
) -> None:
    arrays = {"golden": numpy.array(json.dumps(top, allow_nan=False))}
    for role, tensors in (("inputs", inputs), ("outputs", outputs)):
        arrays.update({f"cases/0/{role}/{name}": _little_endian(array) for name, array in tensors.items()})
    _write(path, lambda file: numpy.savez_compressed(file, **arrays))


def _little_endian(array: numpy.ndarray) -> numpy.ndarray:
    return array.astype(array.dtype.newbyteorder("<"))


def _write(path: Union[str, "os.PathLike[str]"], write: Callable[[IO[bytes]], Any]) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
