"""What every measured program shares; the standard library only, so that it runs in any environment.

A program is called with a task as JSON and the path of its result. It repeats the work, notes for each repeat the wall
time, its own CPU time and the share of the machine that others used meanwhile, and goes on until enough repeats after
the first were quiet. Imports and `prepare` are not timed. The peak RSS is that of this process (VmHWM: unlike
`ru_maxrss` it does not inherit the size of the process that started this one).
"""

import importlib.metadata
import json
import os
import pathlib
import sys
import time

QUIET = 0.08
"""Share of the machine's CPU that others may use in a quiet repeat."""


def cpu_busy_s():
    """CPU seconds all processes of the machine have used so far, time stolen by the host too."""
    ticks = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, irq, soft, steal = ticks
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def cpu_own_s():
    """CPU seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def rss_mb(what):
    """Resident memory of this process: `VmRSS` now, `VmHWM` at its highest."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def timed(work):
    """(what one repeat took, what it answered)."""
    busy, own, begun = cpu_busy_s(), cpu_own_s(), time.perf_counter()
    answer = work()
    wall, own = time.perf_counter() - begun, cpu_own_s() - own
    others = max(0.0, cpu_busy_s() - busy - own) / (wall * (os.cpu_count() or 1))
    return {"wall_s": wall, "cpu_s": own, "others": others}, answer


def repeated(work, least, most, limit_s):
    """Repeats: at least `least`, then until `least - 1` after the first were quiet, at most `most` or `limit_s`."""
    repeats, answer, begun = [], None, time.perf_counter()
    while len(repeats) < least or (
        sum(r["others"] <= QUIET for r in repeats[1:]) < least - 1
        and len(repeats) < most
        and time.perf_counter() - begun < limit_s
    ):
        one, answer = timed(work)
        repeats.append(one)
    return repeats, answer


def versions(libraries):
    found = {name: importlib.metadata.version(name) for name in libraries}
    if "rasterio" in sys.modules:
        found["GDAL"] = sys.modules["rasterio"].__gdal_version__
    return found


def main(tasks, *libraries):
    """Run the task named on the command line: `tasks[name](task)` prepares and gives what is timed.

    The work answers {"count": how many pieces, ...}; what else it says is kept with the result.
    """
    task = json.loads(sys.argv[1])
    work = tasks[task["name"]](task)
    imports_mb = rss_mb("VmRSS")
    repeats, answer = repeated(work, task["least"], task["most"], task["limit_s"])
    memory = {"imports_mb": imports_mb, "peak_rss_mb": rss_mb("VmHWM")}
    result = {"repeats": repeats, "answer": answer, "versions": versions(libraries), **memory}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(result))
