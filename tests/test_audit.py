"""`make audit`: a known vulnerability fails it, a service that does not answer does not."""

import importlib.util
import json
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tools" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_pip_audit_says(audit: ModuleType, monkeypatch: pytest.MonkeyPatch):
    hole = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}
    report = {
        "dependencies": [
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "holed", "version": "1.0", "vulns": [hole]},
            {"name": "strange", "skip_reason": "not found"},
        ]
    }
    assert list(audit.read_pip_audit(report)) == [
        (False, "1 of 3 packages are not known to the service"),
        (True, "holed 1.0: PYSEC-1, mended in 2.0"),
    ]
    monkeypatch.setitem(audit.ACCEPTED, "CVE-1", "we do not call it; until 2.0 is out")
    assert not any(bad for bad, _ in audit.read_pip_audit(report))


def test_what_npm_says(audit: ModuleType):
    cause = {"title": "it leaks", "severity": "high", "url": "https://example.org/1", "source": 1}
    report = {"vulnerabilities": {"leaky": {"via": [cause]}, "above": {"via": ["leaky"]}}}
    found = [(True, "leaky: it leaks (high) https://example.org/1")]
    assert list(audit.read_npm_audit(report)) == found


def test_a_service_that_does_not_answer(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Asked for real, of a host that cannot exist: a warning within the time, and no failure."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setattr(audit, "LIMIT_SECONDS", 20)
    began = time.monotonic()
    assert audit.main() == 0
    assert time.monotonic() - began < 25
    assert "warning: requirements.lock: " in capsys.readouterr().err


def test_programs_that_fail_or_hang(audit: ModuleType, tmp_path: Path):
    def ask(program: str, seconds: float = 20) -> object:
        return audit.ask([sys.executable, "-c", program], tmp_path, time.monotonic() + seconds)

    assert ask(f"print({json.dumps(json.dumps({'a': 1}))}); raise SystemExit(1)") == {"a": 1}
    assert ask("print('no JSON')") is None
    assert ask("import time; time.sleep(60)", 0.5) is None
    assert audit.ask(["no-such-program"], tmp_path, time.monotonic()) is None
