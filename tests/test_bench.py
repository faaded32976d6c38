"""The benchmark on a handful of people: its rows are well formed, and nothing stays behind."""

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from muster.exercise.bench import BenchGroupUnknown, measure, run_bench
from muster.exercise.bench.figures import Figure, Sizes, percentile
from muster.exercise.bench.importing import write_workbook
from muster.exercise.bench.tubes import all_stored, seal
from muster.exercise.bench.memory import descendants
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.intake.faults import Limits
from muster.intake.residents import Residents
from muster.intake.tables import open_table

KEYS = ["name", "value", "unit", "goal", "ok", "reference"]
