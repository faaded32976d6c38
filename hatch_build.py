"""Builds the console's pages before Muster is packed or installed."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))


class ConsoleHook(BuildHookInterface):
    """Runs tools/build_console.py, and packs what it made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        from tools import build_console

        build_console.main()
        folders = ("built", "field", "fonts")
        build_data["artifacts"] += [f"muster/console/{name}/**" for name in folders]
