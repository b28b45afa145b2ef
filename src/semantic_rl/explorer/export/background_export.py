"""Makes an export in the background while the page shows how far it is; it can be stopped, and then nothing is left."""

import secrets
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.errors import Refusal
from semantic_rl.explorer.export.choice import Choice
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.fewer_points import with_fewer_points
from semantic_rl.explorer.export.html_file import compute, write_export
from semantic_rl.explorer.recording_view import RecordingView

WRITING = "Writing the file"
FAILED = "the server failed at this; where it runs, it says how."


class _Stopped(Exception):
    """Somebody no longer wants the file."""


class BackgroundExport:
    """One file that is being made, or is there."""

    def __init__(self, view: RecordingView, choice: Choice, num_points: int) -> None:
        self.key = secrets.token_hex(8)
        self._folder = TemporaryDirectory(prefix="semantic-rl-", ignore_cleanup_errors=True)
        self._stopped = threading.Event()
        self._state: contract.ExportState = {"key": self.key, "progress": 0.0, "what": "Preparing"}
        self._thread = threading.Thread(
            target=self._run, args=(view, choice, num_points), name=f"explorer export {self.key}", daemon=True
        )
        self._thread.start()

    @property
    def path(self) -> Path:
        """Return where the file is once it is complete."""
        return Path(self._folder.name) / "page.html"

    @property
    def state(self) -> contract.ExportState:
        """Say how far it is."""
        is_over = not self._thread.is_alive()
        if is_over and not {"bytes", "error"} & self._state.keys():
            return {**self._state, "error": FAILED}
        return self._state

    def stop(self) -> None:
        """Give up the file, and remove what there is of it."""
        self._stopped.set()
        if not self._thread.is_alive():
            self._folder.cleanup()

    def _report(self, what: str, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise _Stopped
        self._state = {"key": self.key, "progress": done / total if total else 0.0, "what": what}

    def _run(self, view: RecordingView, choice: Choice, num_points: int) -> None:
        try:
            compute(view, choice.planes, lambda what, done, total: self._report(f"Computing {what}", done, total))
            exported = Exported(with_fewer_points(view, num_points), *choice)
            write_export(exported, self.path, lambda done, total: self._report(WRITING, done, total))
            size = self.path.stat().st_size
            self._state = {"key": self.key, "progress": 1.0, "what": exported.frames_text, "bytes": size}
        except _Stopped:
            pass
        except (UserError, Refusal) as error:
            self._state = {"key": self.key, "progress": 0.0, "what": "", "error": str(error)}
        finally:
            if self._stopped.is_set() or "bytes" not in self._state:
                self._folder.cleanup()


class BackgroundExports:
    """The exports of one server: one at a time of each recording; the next one takes the place of the last."""

    def __init__(self) -> None:
        self._exports: dict[str, BackgroundExport] = {}
        self._lock = threading.Lock()

    def begin(self, view: RecordingView, choice: Choice, num_points: int) -> contract.ExportState:
        """Begin to make a file, in the place of any other of this recording."""
        with self._lock:
            before = self._exports.pop(view.explored.id, None)
            if before is not None:
                before.stop()
            made = self._exports[view.explored.id] = BackgroundExport(view, choice, num_points)
        return made.state

    def find(self, view: RecordingView, key: str) -> BackgroundExport:
        """Return an export; raises Refusal if another has taken its place, or if it was stopped."""
        found = self._exports.get(view.explored.id)
        if found is None or found.key != key:
            raise Refusal(404, "this file is no longer being made; ask for it again.")
        return found

    def stop(self, view: RecordingView, key: str) -> None:
        """Give up an export."""
        with self._lock:
            self.find(view, key).stop()
            del self._exports[view.explored.id]
