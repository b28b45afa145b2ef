"""Writes scalars to a TensorBoard event file.

PyTorch's SummaryWriter writes in a background thread, whose errors (such as a full disk) arrive late and as a
traceback. Here each update's scalars are in the file when `write` returns, or the error is raised. The file is created
exclusively, in a folder that is not a symbolic link.
"""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE_VERSION = "brain.Event:2"


class EventFile:
    """One event file in a folder."""

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        """Create a file; TensorBoard then ignores the data of the folder's other files from `purge_step` on."""
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        events: Any = event_pb2
        summaries: Any = summary_pb2
        self._event: Any = events.Event
        self._summary: Any = summaries.Summary
        # TensorBoard reads files with such names, in the order of their names.
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        name = f"events.out.tfevents.{seconds:010}.{socket.gethostname()}.{os.getpid()}.{nanoseconds:09}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
        self._file = open(os.open(folder / name, flags, 0o666), "wb")  # noqa: SIM115
        self._records: Any = RecordWriter(self._file)
        self._add(file_version=FILE_VERSION)
        if purge_step is not None:
            self._add(step=purge_step, session_log=events.SessionLog(status=events.SessionLog.START))

    def write(self, scalars: Mapping[str, float], step: int) -> None:
        """Append scalars by tag; raises OSError."""
        values = [self._summary.Value(tag=name, simple_value=float(value)) for name, value in scalars.items()]
        self._add(step=step, summary=self._summary(value=values))

    def _add(self, **fields: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), **fields).SerializeToString())
        self._file.flush()

    def close(self) -> None:
        """Close the file; raises OSError if there is no room for buffered data."""
        self._file.close()
