"""Files that nobody would write: read to a good value or to an error of ours, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.files import Case, read
from tests.fuzz.readers import READERS
from tests.fuzz.worker import MEMORY, Share

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("corpus", READERS)
def test_the_files_as_they_were_are_good(corpus: str) -> None:
    assert set(read(Case(corpus), counted=True).split("/")) <= {"good", "warn"}


def test_whatever_was_done_to_a_file_it_ends_in_words_in_time_and_in_memory() -> None:
    """In a process of its own, whose memory is bounded and measured."""
    share = Share("files", seed=0, first=0, last=1200, counted=True)
    command = [sys.executable, "-m", "tests.fuzz.worker", json.dumps(share._asdict())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["cases"] == []
    assert said["examples"] == 1200
    assert said["megabytes"] < MEMORY
    often = {"plan good": 20, "plan refused": 200, "state good": 200, "state recovered": 100, "sandbox refused": 20}
    assert all(said["outcomes"][outcome] > times for outcome, times in often.items()), said["outcomes"]
