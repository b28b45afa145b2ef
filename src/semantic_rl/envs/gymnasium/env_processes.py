"""Environments that are played in processes of their own, so that slow ones use all cores.

Emulators hold Python's lock while they step, so that threads would not help. The processes are started as programs of
their own rather than forked, so that a caller's script needs no guard around its main part.
"""

import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from semantic_rl.envs.base import EnvStep
from semantic_rl.errors import UserError

SECONDS_TO_END = 10
"""Time that a process has for its last step before it is killed."""


class Seen(NamedTuple):
    """What an environment says after a step."""

    step: EnvStep
    agent_observation: Any
    """What the agent sees, if that is not the observation."""
    masks: NDArray[np.bool_] | None
    info_values: dict[str, float | str]


class Reply:
    """A result that a process will send; `result` waits for it."""

    def __init__(self, process: "EnvProcess") -> None:
        self._process = process
        self._content: tuple[bool, Any] | None = None

    def arrive(self, content: tuple[bool, Any]) -> None:
        """Take the process's answer."""
        self._content = content

    def result(self) -> Any:
        """Return the result; raises what the process raised, and UserError if it has ended."""
        while self._content is None:
            self._process.receive()
        succeeded, value = self._content
        if not succeeded:
            raise value
        return value


class EnvProcess:
    """One process, which may hold several environments.

    Requests are collected, and sent together by `send` or when a result is waited for: messages cost more than steps.
    """

    def __init__(self, name: str) -> None:
        """Start the process; `name` is that of the environments, for messages."""
        self._name = name
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "semantic_rl.envs.gymnasium.env_worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": path},
            )
        self._connection = Connection(ours.detach())
        self._collected: list[tuple[tuple[int, Callable[..., Any], tuple[Any, ...]], Reply]] = []
        self._awaited: deque[list[Reply]] = deque()

    def ask(self, number: int, function: Callable[..., Any], *arguments: Any) -> Reply:
        """Have a function called with an environment and arguments; all must be picklable."""
        reply = Reply(self)
        self._collected.append(((number, function, arguments), reply))
        return reply

    def send(self) -> None:
        """Send what was asked, so that the process begins."""
        if not self._collected:
            return
        requests, replies = zip(*self._collected, strict=True)
        self._collected.clear()
        try:
            self._connection.send(requests)
        except OSError:
            self._has_ended()
        self._awaited.append(list(replies))

    def receive(self) -> None:
        """Wait for the next replies."""
        self.send()
        try:
            contents = self._connection.recv()
        except (EOFError, OSError):
            self._has_ended()
        for reply, content in zip(self._awaited.popleft(), contents, strict=True):
            reply.arrive(content)

    def _has_ended(self) -> NoReturn:
        code = self._process.wait(SECONDS_TO_END)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise UserError(
            f"{self._name}: a process that played it {how}; if memory was short, record with a lower --num-envs. What "
            "has been recorded is kept: the same command with --resume continues."
        )

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class RemoteEnv:
    """A `GymnasiumEnv` in a process, with the methods of which a recording of it makes use."""

    num_envs = 1

    def __init__(self, process: EnvProcess, number: int, maker: Callable[[], Any]) -> None:
        """Begin to make the environment; its `number` is one that no other of the process has."""
        self._process, self._number = process, number
        self._made = process.ask(number, maker)
        self._masks_actions = process.ask(number, _has_action_masks)
        self._awaited: Reply | None = None
        self._seen: Seen | None = None

    def wait_until_made(self) -> None:
        """Raise what making it raised."""
        self._made.result()

    @property
    def has_action_masks(self) -> bool:
        """It says which actions are allowed."""
        return self._masks_actions.result()

    def begin(self, seed: int) -> None:
        """Start an episode from a seed; returns at once, see `send_requests`."""
        self._awaited = self._process.ask(self._number, _begin, seed)

    def act(self, actions: NDArray[Any]) -> None:
        """Take a step with actions [1, …]; returns at once, see `send_requests`."""
        self._awaited = self._process.ask(self._number, _act, actions)

    def observe(self) -> EnvStep:
        """Wait for the last step, and return its result."""
        return self._wait().step

    def agent_observation(self) -> Any:
        """Return what the agent sees of the last observation."""
        seen = self._wait()
        return seen.step.observation if seen.agent_observation is None else seen.agent_observation

    def action_masks(self) -> NDArray[np.bool_]:
        """Return [1, …] which actions are allowed now."""
        masks = self._wait().masks
        assert masks is not None
        return masks

    @property
    def info_values(self) -> dict[str, float | str]:
        """The recorded values of the last step's info."""
        return self._wait().info_values

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Reply:
        """Call a function with the environment, in its process, while this one goes on; see `send_requests`."""
        return self._process.ask(self._number, function, *arguments)

    def send(self) -> None:
        """Send the requests of all environments of the process."""
        self._process.send()

    def _wait(self) -> Seen:
        if self._awaited is not None:
            self._seen, self._awaited = self._awaited.result(), None
        if self._seen is None:
            raise RuntimeError("no episode has begun")
        return self._seen


class EnvProcesses:
    """Environments, shared out among processes."""

    def __init__(self, maker: Callable[[], Any], num_envs: int, num_processes: int, name: str) -> None:
        """Make the environments with `maker`, which must be picklable; raises what it raises."""
        self._processes = [EnvProcess(name) for _ in range(num_processes)]
        try:
            self.envs = [RemoteEnv(self._processes[i % num_processes], i, maker) for i in range(num_envs)]
            send_requests(self.envs)
            for env in self.envs:
                env.wait_until_made()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the processes, and with them the environments."""
        for process in self._processes:
            process.close()


def send_requests(envs: Iterable[Any]) -> None:
    """Have processes begin with what their environments were asked; environments of this process need no such thing."""
    for env in envs:
        if isinstance(env, RemoteEnv):
            env.send()


def make_apart(maker: Callable[[], Any] | None, num_envs: int, num_processes: int, name: str) -> EnvProcesses | None:
    """Make environments in processes of their own; None if that would gain nothing, or if processes cannot make them.

    They cannot if only this process knows the environment: if a script has registered it, for instance.
    """
    num_processes = min(num_processes, num_envs)
    if maker is None or num_processes < 2 or not sys.executable:
        return None
    try:
        pickle.dumps(maker)
    except Exception:  # whatever a user's object raises
        return None
    try:
        return EnvProcesses(maker, num_envs, num_processes, name)
    except (UserError, RuntimeError, OSError):
        return None


def _has_action_masks(env: Any) -> bool:
    return env.has_action_masks


def _begin(env: Any, seed: int) -> Seen:
    env.begin(seed)
    return _seen(env)


def _act(env: Any, actions: NDArray[Any]) -> Seen:
    env.act(actions)
    return _seen(env)


def _seen(env: Any) -> Seen:
    step = env.observe()
    seen = env.agent_observation()
    masks = env.action_masks() if env.has_action_masks and not step.done[0] else None
    return Seen(step, None if seen is step.observation else seen, masks, env.info_values)
