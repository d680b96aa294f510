import numpy
import pytest

from .project import Project

SEED = 20


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def rng() -> numpy.random.Generator:
    return numpy.random.default_rng(SEED)
