"""progress.csv: columns, order, and what a resumed run keeps of it."""

from pathlib import Path

from semantic_rl.training.logger import ProgressCSV, RunLogger

COLUMNS = ("eprewmean", "misc/nupdates", "misc/total_timesteps")


def write(path: Path, updates: range, after: int = 0) -> None:
    log = ProgressCSV(path, COLUMNS, after)
    for update in updates:
        log.write({"misc/nupdates": update, "eprewmean": update / 2, "misc/total_timesteps": 64 * update})
    log.close()


def test_rows_have_the_columns_in_order_and_missing_values_stay_empty(tmp_path: Path):
    log = ProgressCSV(tmp_path / "progress.csv", COLUMNS)
    log.write({"misc/total_timesteps": 64, "misc/nupdates": 1})
    log.close()

    assert (tmp_path / "progress.csv").read_text().splitlines() == [",".join(COLUMNS), ",1,64"]


def test_a_row_is_on_disk_when_write_returns(tmp_path: Path):
    log = ProgressCSV(tmp_path / "progress.csv", COLUMNS)
    log.write({"misc/nupdates": 1})

    assert len((tmp_path / "progress.csv").read_text().splitlines()) == 2


def test_resuming_drops_rows_after_the_checkpoint_and_a_cut_off_line(tmp_path: Path):
    path = tmp_path / "progress.csv"
    write(path, range(1, 6))
    with path.open("a") as file:
        file.write("3.0,6")
    write(path, range(4, 6), after=3)

    whole = tmp_path / "whole.csv"
    write(whole, range(1, 6))
    assert path.read_bytes() == whole.read_bytes()


def test_tensorboard_events_lie_beside_the_csv(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with RunLogger(tmp_path / "progress.csv", COLUMNS, tag="train") as log:
        log.write({"eprewmean": 7.5, "misc/nupdates": 2, "misc/total_timesteps": 128})

    events = EventAccumulator(str(tmp_path / "tensorboard" / "train"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("eprewmean")] == [(128, 7.5)]


def test_a_resumed_run_replaces_the_events_behind_its_checkpoint(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def log(updates: range, value: float, after: int = 0) -> None:
        with RunLogger(tmp_path / "progress.csv", COLUMNS, after, 64 * after, "train") as logger:
            for update in updates:
                logger.write({"eprewmean": value, "misc/nupdates": update, "misc/total_timesteps": 64 * update})

    log(range(1, 5), 1.0)
    log(range(3, 6), 2.0, after=2)
    events = EventAccumulator(str(tmp_path / "tensorboard" / "train"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("eprewmean")] == [
        (64, 1.0),
        (128, 1.0),
        (192, 2.0),
        (256, 2.0),
        (320, 2.0),
    ]


def test_a_damaged_line_costs_no_other(tmp_path: Path):
    path = tmp_path / "progress.csv"
    write(path, range(1, 4))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1] + b'"' + lines[2] + b"\0\0\n\xff\n" + lines[3])
    write(path, range(4, 5), after=3)
    assert [line.split(",")[1] for line in path.read_text().splitlines()[1:]] == ["1", "2", "3", "4"]
