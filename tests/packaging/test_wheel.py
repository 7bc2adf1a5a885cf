"""What is built holds what is needed, and works where it is installed: wheel, sdist, editable."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "toolkit": ROOT,
    "toolkit_export": ROOT / "plugins",
    "toolkit_gate": ROOT / "plugins",
    "toolkit_playground": ROOT / "playground",
    "toolkit_price_regression": ROOT / "plugins",
    "toolkit_qa": ROOT / "plugins",
    "toolkit_review_augmentation": ROOT / "plugins",
    "toolkit_search": ROOT / "plugins",
    "toolkit_serving": ROOT / "plugins",
    "toolkit_summarization": ROOT / "plugins",
    "toolkit_token_classification": ROOT / "plugins",
}

pytestmark = pytest.mark.slow

IMPORTS = """
import importlib.metadata, sys, pathlib
import toolkit, toolkit.cli, toolkit_price_regression, toolkit_review_augmentation
from importlib import resources
here = pathlib.Path(sys.argv[1])
for module in (toolkit, toolkit_price_regression, toolkit_review_augmentation):
    assert here in pathlib.Path(module.__file__).parents, module.__file__
assert toolkit.Task and toolkit.__version__ == "{version}"
assert (resources.files("toolkit.evaluation") / "metrics.schema.json").is_file()
points = importlib.metadata.distribution("adapter-toolkit").entry_points
assert {{(p.group, p.name, p.value) for p in points}} >= {{
    ("toolkit", "price-regression", "toolkit_price_regression"),
    ("toolkit", "review-augmentation", "toolkit_review_augmentation"),
    ("console_scripts", "toolkit", "toolkit.cli:main"),
}}
"""

# addsitedir reads the .pth file, as the interpreter does with site-packages; what it brings goes
# first, in case the toolkit is installed already.
EDITABLE = """
import site, sys
before = list(sys.path)
site.addsitedir(sys.argv[2])
sys.path[:] = [path for path in sys.path if path not in before] + before
"""


def run(*command: str | Path, cwd: Path, path: str = "") -> None:
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def files_of_packages() -> set[str]:
    """All files that belong to the packages, as the wheel names them."""
    caches = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    return {
        path.relative_to(base).as_posix()
        for package, base in PACKAGES.items()
        for path in (base / package).rglob("*")
        if path.is_file() and not caches & set(path.parts)
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel built *from the sdist*, without network."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_top_level_names(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert len(tops) == len(PACKAGES) + 1


def test_every_file_of_the_packages_is_in_the_wheel(names: set[str]) -> None:
    assert files_of_packages() <= names


@pytest.mark.parametrize(
    "ending",
    [
        "toolkit/evaluation/metrics.schema.json",
        "toolkit/reporting/templates/report.html.j2",
        "toolkit/reporting/templates/report.css",
        "toolkit/py.typed",
        "/licenses/LICENSE",
    ],
)
def test_what_is_not_python_is_in_the_wheel(names: set[str], ending: str) -> None:
    assert any(name.endswith(ending) for name in names)


def test_no_tests_are_in_the_wheel(names: set[str]) -> None:
    # toolkit/testing is what plugin authors test with; the templates of new packages hold tests.
    ours = [name for name in names if not name.startswith("toolkit/plugins/templates/")]
    assert [name for name in ours if "/tests/" in f"/{name}" or "/test_" in f"/{name}"] == []
    assert [name for name in ours if name.endswith(("conftest.py", ".pyc"))] == []


def test_the_templates_of_new_packages_are_in_the_wheel(names: set[str]) -> None:
    templates = {name for name in names if name.startswith("toolkit/plugins/templates/new/")}
    assert any(name.endswith("pyproject.toml.j2") for name in templates)


def test_the_metadata_are_as_an_index_wants_them(built: Path) -> None:
    pytest.importorskip("twine", reason="needs the extra dev")
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(built.glob("*.*")), cwd=built)


def test_the_embedded_model_is_in_the_wheel(names: set[str]) -> None:
    models = {name for name in names if name.startswith("toolkit/models/")}
    for file in ("model.safetensors", "config.json", "tokenizer.json", "README.md"):
        assert any(name.endswith(f"/{file}") for name in models), file


def test_sdist_can_be_tested(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".ci/run"):
        assert name in inside
    assert "tests/packaging/test_wheel.py" in inside
    assert not [name for name in inside if name.startswith((".git/", "runs/", "dist/"))]


def test_the_wheel_works_installed(wheel: Path, tmp_path: Path) -> None:
    from toolkit import __version__

    # Unpacked as pip would (there is nothing to compile), so that no index is asked.
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = IMPORTS.format(version=__version__)
    site = tmp_path / "site"
    run(sys.executable, "-c", code, site, cwd=tmp_path, path=str(site))


def test_an_editable_install_works(tmp_path: Path) -> None:
    from toolkit import __version__

    hook = "import sys, hatchling.build; hatchling.build.build_editable(sys.argv[1])"
    run(sys.executable, "-c", hook, tmp_path, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = EDITABLE + IMPORTS.format(version=__version__)
    run(sys.executable, "-P", "-c", code, ROOT, site, cwd=tmp_path)
