"""Recordings whose clusters are known, made without an agent or a game."""

from pathlib import Path

import numpy as np

from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.frames import encode_picture, pack_observation
from semantic_rl.recording.store.schema import state_dtype
from semantic_rl.recording.store.writer import Block, Episode, ShardWriter

STAY = 0.9
"""Probability that the next state is in the same cluster; else it is in the next one, round and round."""
SHAPE = (64, 64, 3)


def make_recording(
    folder: Path,
    num_episodes: int = 12,
    num_codes: int = 4,
    seed: int = 0,
    picture_size: int = 0,
    num_unused: int = 0,
    num_unfinished: int = 0,
    **agent: object,
) -> Recording:
    """Write and open a recording: codes lie on a circle, states around them, features are a linear map of the plane.

    Frames of cluster k are grey 20·k. Odd episodes succeed. With `num_codes` 0 the agent has no clusters. `num_unused`
    further codes lie where no state is. The last `num_unfinished` episodes have not ended. `agent` is said of it too.
    """
    rng = np.random.default_rng(seed)
    count = num_codes or 4
    angles = 2 * np.pi * np.arange(count) / count
    codebook = np.stack([np.cos(angles), np.sin(angles)], 1)
    directions = rng.normal(size=(2, 256))
    description = {
        "agent": {"algorithm": "sppo" if num_codes else "ppo", "sha256": f"{seed:064d}", **agent},
        "environment": {"env": "coinrun", "distribution_mode": "easy"},
        "num_actions": 15,
        "num_codes": num_codes + num_unused,
        "codebook": [*codebook.tolist(), *[[9.0 + index, 9.0] for index in range(num_unused)]] if num_codes else [],
        "frames": {"picture_size": picture_size},
    }
    writer = ShardWriter(folder, description, SHAPE, with_pictures=picture_size > 0)
    writer.begin()
    for index in range(num_episodes):
        length = int(rng.integers(30, 60))
        moves = rng.random(length) > STAY
        code_index = (rng.integers(count) + np.cumsum(moves)) % count
        embedding = codebook[code_index] + rng.normal(0, 0.15, (length, 2))
        rows = np.zeros(length, state_dtype(15, num_codes + num_unused, 256))
        rows["step"] = np.arange(length)
        rows["level_seed"] = 100 + index
        rows["action"] = (code_index + rng.integers(0, 2, length)) % 15
        rows["log_prob"] = np.log(1 / 15)
        rows["value"] = code_index + rng.normal(0, 0.1, length)
        rows["reward"][-1] = 10.0 * (index % 2)
        rows["return_to_go"] = 10.0 * (index % 2)
        has_ended = index < num_episodes - num_unfinished
        rows["terminated"][-1] = has_ended
        rows["features"] = np.maximum(embedding @ directions + rng.normal(0, 0.05, (length, 256)), 0)
        if num_codes:
            distances = np.linalg.norm(embedding[:, None] - codebook, axis=2)
            rows["code_distance"][:, :count] = distances
            rows["code_distance"][:, count:] = 10.0
            rows["code_index"] = distances.argmin(1)
            rows["embedding_x"], rows["embedding_y"] = embedding.T
            code_index = rows["code_index"].astype(int)
        tiles = [np.full(SHAPE, 20 * code, np.uint8) for code in code_index]
        pictures = [encode_picture(tile, picture_size) for tile in tiles] if picture_size else []
        block = Block(rows, [pack_observation(tile) for tile in tiles], pictures)
        success = index % 2 == 1 and has_ended
        writer.add(block, Episode(length, 10.0 * (index % 2), 100 + index, success, has_ended, False, 0))
    writer.finish()
    return open_recording(folder)
