"""Are there known vulnerabilities in what we depend on? `make audit` asks pip-audit about every
lock file of Python and npm about every lock file of JavaScript.

A known vulnerability fails. A service that cannot be reached, or does not know a package, is a
warning: whoever builds without the internet is not kept from it. Bounded to a minute in all.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LIMIT_SECONDS = 60
# A vulnerability that does not touch us, with why; whoever adds one says until when it may stand.
ACCEPTED: dict[str, str] = {}


def main() -> int:
    end, bad = time.monotonic() + LIMIT_SECONDS, 0
    for lock in sorted(
        ROOT.glob("requirements*.lock"), reverse=True
    ):  # what runs, then what is for developers
        bad += told(lock, python_findings(lock, end))
    for lock in sorted(npm_locks()):
        bad += told(lock, npm_findings(lock, end))
    return 1 if bad else 0


def told(lock: Path, findings: Iterator[tuple[bool, str]]) -> int:
    """Print the findings of one lock file; how many of them are vulnerabilities."""
    name, bad, count = lock.relative_to(ROOT), 0, 0
    for vulnerable, text in findings:
        sys.stderr.write(f"{'VULNERABLE' if vulnerable else 'warning'}: {name}: {text}\n")
        bad, count = bad + vulnerable, count + 1
    if not count:
        sys.stdout.write(f"{name}: no known vulnerabilities\n")
    return bad


def python_findings(lock: Path, end: float) -> Iterator[tuple[bool, str]]:
    """(whether it is a vulnerability, what) for a Python lock file."""
    report = ask(
        [sys.executable, "-m", "pip_audit", "-r", str(lock), "--require-hashes", "--disable-pip",
         "--progress-spinner", "off", "--timeout", "10", "-f", "json"],
        lock.parent, end,
    )  # fmt: skip
    if not isinstance(report, dict) or "dependencies" not in report:
        yield False, "not audited: the service of pip-audit cannot be reached"
        return
    yield from read_pip_audit(report)


def read_pip_audit(report: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    packages = report["dependencies"]
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    if unknown:
        yield False, f"{len(unknown)} of {len(packages)} packages are not known to the service"
    for one in packages:
        for found in one.get("vulns", ()):
            names = {found["id"], *found.get("aliases", ())}
            if not names & set(ACCEPTED):
                fixed = ", ".join(found.get("fix_versions", ())) or "nothing yet"
                yield True, f"{one['name']} {one['version']}: {found['id']}, mended in {fixed}"


def npm_findings(lock: Path, end: float) -> Iterator[tuple[bool, str]]:
    """The same for a package-lock.json; what only builds counts too."""
    npm = shutil.which("npm")
    if npm is None:
        yield False, "not audited: there is no npm here"
        return
    report = ask([npm, "audit", "--json", "--package-lock-only"], lock.parent, end)
    if not isinstance(report, dict) or "vulnerabilities" not in report:
        yield False, "not audited: the service of npm cannot be reached"
        return
    yield from read_npm_audit(report)


def read_npm_audit(report: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    for name, found in sorted(report["vulnerabilities"].items()):
        causes = [one for one in found.get("via", ()) if isinstance(one, dict)]
        for one in causes:  # a package that only depends on a vulnerable one names no cause
            if not {one.get("url", ""), str(one.get("source", ""))} & set(ACCEPTED):
                yield True, f"{name}: {one.get('title')} ({one.get('severity')}) {one.get('url')}"


def ask(words: list[str], folder: Path, end: float) -> Any:
    """The JSON a program prints; None where it prints none, or takes until `end`."""
    try:
        run = subprocess.run(
            words, cwd=folder, capture_output=True, timeout=max(end - time.monotonic(), 1),
            check=False,
        )  # fmt: skip
        return json.loads(run.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError, OSError):
        return None


def npm_locks() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name != "node_modules" and name[0] != "."]
        if "package-lock.json" in names:
            yield Path(folder, "package-lock.json")


if __name__ == "__main__":
    sys.exit(main())
