"""The rows of running episodes, however long each gets, and what one long episode costs the others."""

import numpy as np

from semantic_rl.envs.spec import ActionSpec, EnvSpec, ObservationPart
from semantic_rl.recording.record.trajectories import PAGE_ROWS, Trajectories
from semantic_rl.recording.store.schema import StateLayout

DTYPE = StateLayout(2, 0, 3, 0, 0, "float32").dtype()
SPEC = EnvSpec("x", "gymnasium", (ObservationPart("", (4,), "float32"),), ActionSpec("discrete", (2,), ()))


def step(trajectories: Trajectories, slots: list[int], number: int, is_stored: bool = True) -> None:
    """Take a step whose features and reward are `number`."""
    places = np.array(slots)
    columns = {"features": np.full((len(slots), 3), number, np.float32), "action": np.full(len(slots), number % 2)}
    if is_stored:
        trajectories.add_rows(places, columns, [bytes([number % 256])] * len(slots), [])
    trajectories.begin_step(places, columns["action"], is_stored)
    nothing = [False] * len(slots)
    trajectories.end_step(slots, [float(number)] * len(slots), nothing, nothing, [])


def check(trajectories: Trajectories, slot: int, numbers: list[int]) -> None:
    """See that a finished trajectory has these steps."""
    block, actions, _ = trajectories.take(slot, finished=True)
    np.testing.assert_array_equal(block.rows["step"], range(len(numbers)))
    np.testing.assert_array_equal(block.rows["features"], np.repeat(numbers, 3).reshape(-1, 3))
    np.testing.assert_array_equal(block.rows["reward"], numbers)
    np.testing.assert_allclose(block.rows["return_to_go"], np.cumsum(numbers[::-1])[::-1], rtol=1e-6)
    assert block.observations == [bytes([number % 256]) for number in numbers]
    assert len(actions) == len(numbers) * (len(actions) // max(1, len(numbers)))


def test_episodes_of_any_length_keep_their_rows_also_where_others_ended_before() -> None:
    trajectories, kept = Trajectories(5, DTYPE, SPEC), {slot: list[int]() for slot in range(5)}
    random = np.random.default_rng(0)
    for number in range(4 * PAGE_ROWS):
        slots = np.flatnonzero(random.random(5) < (0.9, 0.5, 1.0, 0.02, 0.7)).tolist()
        step(trajectories, slots, number)
        for slot in slots:
            kept[slot].append(number)
            if slot != 2 and random.random() < 0.01:
                check(trajectories, slot, kept[slot])
                trajectories.begin(slot, b"")
                kept[slot] = []
    running, values = trajectories.state()
    again = Trajectories(5, DTYPE, SPEC)
    again.restore(running, values)
    for slot in range(5):
        check(trajectories, slot, kept[slot])
        step(again, [slot], 7)
        check(again, slot, [*kept[slot], 7])


def test_an_episode_begins_with_no_rows_and_steps_without_rows_are_counted() -> None:
    trajectories = Trajectories(2, DTYPE, SPEC)
    step(trajectories, [0], 3)
    step(trajectories, [0, 1], 4, is_stored=False)
    step(trajectories, [0], 5)
    rows = trajectories.take(0, finished=True).block.rows
    assert rows["step"].tolist() == [0, 2]
    assert rows["return_to_go"].tolist() == [12, 5]
    assert len(trajectories.take(1, finished=False).block.rows) == 0
    trajectories.begin(0, b"")
    assert len(trajectories.take(0, finished=False).block.rows) == 0


def test_a_long_episode_takes_memory_for_itself_alone() -> None:
    trajectories = Trajectories(64, DTYPE, SPEC)
    for number in range(20_000):
        step(trajectories, [9], number)
    taken = sum(array.nbytes for array in vars(trajectories).values() if isinstance(array, np.ndarray))
    assert taken < 2 * (20_000 + 64 * PAGE_ROWS) * DTYPE.itemsize
