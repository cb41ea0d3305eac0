"""Draw the pictures of gallery.md anew by the commands that stand there: `make gallery`.

Two minutes on one core. The commands need the public data in ../shared/data.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

PAGE = Path(__file__).with_name("gallery.md")
SOURCE = PAGE.parents[1]
PICTURES = PAGE.parent / "pictures" / "gallery"
SCRATCH = SOURCE / "runs" / "gallery"


def scripts() -> list[str]:
    """The blocks of commands of the page, in their order."""
    return re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def main() -> None:
    """Run them in the source folder."""
    print("gallery: about two minutes on one core")
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    begin = time.perf_counter()
    for script in scripts():
        print(script, flush=True)
        subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=SOURCE,
            env=os.environ | {"PATH": programs},
            check=True,
        )
    print(f"gallery: {time.perf_counter() - begin:.0f} s; look at {PICTURES}")


if __name__ == "__main__":
    main()
