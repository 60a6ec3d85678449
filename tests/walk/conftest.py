"""The small window of the shipped sample that these tests walk over."""

import pytest

from small import small


@pytest.fixture(scope="session")
def window(tmp_path_factory):
    return small(tmp_path_factory.mktemp("window"))
