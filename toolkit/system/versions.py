"""Versions that are known not to work together, and requirements of optional libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata

Versions = Callable[[str], str | None]
"""A distribution's installed version, or ``None``."""


@dataclass(frozen=True)
class Clash:
    """Versions that were tried and fail together.

    Args:
        together: distribution → its versions that clash, as a specifier; all must match.
        what: what goes wrong, and what to do.
        only_cpu: it goes wrong only on machines without a GPU.
        warning: most of the toolkit works all the same.
    """

    together: Mapping[str, str]
    what: str
    only_cpu: bool = False
    warning: bool = False


CLASHES = (
    Clash(
        {"trl": ">=1.15,<1.16"},
        "TRL 1.15 cannot train on a CPU: install trl 1.16, or 1.14.2 for Unsloth",
        only_cpu=True,
    ),
    Clash(
        {"trl": "<1.16", "transformers": ">=5.18"},
        "this TRL calls what transformers 5.18 has deprecated: install transformers<5.18",
    ),
    Clash(
        {"unsloth": ">=2026.10", "trl": ">1.15.0"},
        "Unsloth rewrites TRL's trainers up to 1.15: install trl==1.14.2, or take "
        "--backend transformers",
        warning=True,
    ),
    Clash(
        {"unsloth": ">=2026.10", "transformers": ">5.17.0"},
        "Unsloth takes transformers up to 5.17.0",
        warning=True,
    ),
    Clash(
        {"unsloth": ">=2026.10", "datasets": "==4.0.*"},
        "Unsloth refuses datasets 4.0: install a newer 4",
        warning=True,
    ),
    Clash(
        {"unsloth": ">=2026.10", "datasets": "==4.4.*"},
        "Unsloth refuses datasets 4.4: install a newer 4",
        warning=True,
    ),
    Clash(
        {"bitsandbytes": "<0.49", "torch": ">=2.8"},
        "bitsandbytes before 0.49 has no working CPU part: install 0.50",
        only_cpu=True,
    ),
    Clash(
        {"bitsandbytes": ">=0.49", "kernels": ">=0"},
        "the package kernels makes bitsandbytes fetch code from the Hub: it is not needed",
        only_cpu=True,
        warning=True,
    ),
    Clash(
        {"peft": "<0.18", "transformers": ">=5"},
        "PEFT before 0.18 does not know transformers 5: install peft 0.21",
    ),
)


TESTED = {
    "torch": ("2.11.0", "2.13.0"),
    "transformers": ("5.17.0", "5.24.0"),
    "trl": ("1.14.2", "1.16.0"),
    "peft": ("0.21.2", "0.21.2"),
    "accelerate": ("1.15.0", "1.15.0"),
    "datasets": ("4.8.5", "4.8.5"),
}
"""Distribution → the oldest and the newest version that the tests have passed with."""


def untested(version: Versions | None = None) -> list[str]:
    """What is installed outside the tested range: ``trl 1.17.0 (tested: 1.14.2 to 1.16.0)``.

    Args:
        version: returns the installed version of a distribution, or ``None``.
    """
    from packaging.version import Version

    version = version or installed
    found = []
    for name, (oldest, newest) in TESTED.items():
        given = version(name)
        if given is None:
            continue
        number = Version(Version(given).public)  # a build's name, such as +cpu, is no newer version
        if not Version(oldest) <= number <= Version(newest):
            span = oldest if oldest == newest else f"{oldest} to {newest}"
            found.append(f"{name} {given} (tested: {span})")
    return found


def installed(name: str) -> str | None:
    """The version of a distribution that is installed here."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def clashes(version: Versions = installed, *, gpu: bool) -> list[tuple[Clash, str]]:
    """The known clashes of what is installed, each with the versions that clash.

    Args:
        version: returns the installed version of a distribution, or ``None``.
        gpu: whether there is a GPU, on which some clashes do no harm.
    """
    from packaging.specifiers import SpecifierSet

    found = []
    for clash in CLASHES:
        if clash.only_cpu and gpu:
            continue
        present = {name: version(name) for name in clash.together}
        if all(
            present[name] is not None
            and SpecifierSet(spec).contains(str(present[name]), prereleases=True)
            for name, spec in clash.together.items()
        ):
            found.append((clash, ", ".join(f"{name} {present[name]}" for name in present)))
    return found


def unmet(distribution: str, without: frozenset[str] = frozenset()) -> list[str]:
    """Requirements of a distribution that are not met, such as ``trl 1.16.0 (wants <=1.15)``.

    Args:
        distribution: the name of an installed distribution, such as ``unsloth``.
        without: names of requirements that are ignored, because the toolkit does not need them.
    """
    from packaging.requirements import Requirement

    missing = []
    for line in metadata.requires(distribution) or []:
        wanted = Requirement(line)
        if wanted.name in without or (
            wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})
        ):
            continue
        version = installed(wanted.name)
        if version is None:
            missing.append(f"{wanted.name} is not installed")
        elif not wanted.specifier.contains(version, prereleases=True):
            missing.append(f"{wanted.name} {version} (wants {wanted.specifier})")
    return missing


def own() -> str:
    """The toolkit's own version.

    It is read by the package's name, because the package itself names functions of every layer.
    """
    return str(import_module("toolkit").__version__)
