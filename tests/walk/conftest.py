"""The small window of the shipped sample that these tests walk over, and the command line in this process."""

import sys

import pytest

from geolabel import cli
from small import small


@pytest.fixture(scope="session")
def window(tmp_path_factory):
    return small(tmp_path_factory.mktemp("window"))


@pytest.fixture
def geolabel(monkeypatch, capfd):
    """Run a command in this process; (exit status, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["geolabel", *map(str, arguments)])
        for console in (cli.out, cli.err):
            monkeypatch.setattr(console, "_width", 200)
        capfd.readouterr()
        with pytest.raises(SystemExit) as done:
            cli.main()
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return done.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def refused(geolabel):
    """Run a command that must fail: error and hint on standard error, exit 2."""

    def run(*arguments):
        code, _, said = geolabel(*arguments)
        assert code == 2
        assert "error: " in said
        assert "\nhint: " in said
        return said

    return run
