"""Writes scalars to a file of TensorBoard events.

PyTorch's SummaryWriter writes in a thread of its own, whose errors (a full disk) come late and with a traceback. Here
each update's scalars are in the file when `write` returns, or the error is raised. The file is made exclusively, in a
folder that is no link.
"""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE_VERSION = "brain.Event:2"


class EventFile:
    """One file of events in a folder."""

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        """Begin a file; TensorBoard then drops what other files of the folder hold from `purge_step` on."""
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        events: Any = event_pb2
        summaries: Any = summary_pb2
        self._event: Any = events.Event
        self._summary: Any = summaries.Summary
        # TensorBoard takes files that are named so, in the order of their names.
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
        """Close the file; raises OSError where what was written has no room."""
        self._file.close()
