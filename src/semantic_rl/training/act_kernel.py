"""One Triton kernel for everything that follows the trunk in a policy step: clusters, heads, sampling and storing.

For the few dozen states of a policy step, PyTorch takes some 35 kernels for this, each of which costs a few
microseconds of latency and next to no work. Here one program computes one state, from its features to its action, with
all weights in float32 and float32 arithmetic. It computes what `models.policy` and `models.semantic` define, up to the
order of summation.

Each program reads all weights (150 kB) from the L2 cache. To hide the latency, many threads read at the same time, all
independent reads are issued first, and few reductions over threads follow.
"""
# Triton has no types for what happens inside a kernel.
# pyright: basic, reportCallIssue=false, reportGeneralTypeIssues=false

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from semantic_rl.models.impala import NUM_FEATURES
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.models.semantic import HIDDEN_SIZE

_NUM_WARPS = 16
"""Number of warps of a program: all weights of the hidden layer are read at once, 64 floats by each of 512 threads."""
_CHUNK = 32
"""Features per step of the hidden layer: 128 bytes of each row of its weights, one cache line."""


class Columns(NamedTuple):
    """The columns [T, n] of a group of environments in the rollout buffer, views of the same strides."""

    action: Tensor
    """int64"""
    log_prob: Tensor
    value: Tensor


def act(
    policy: SemanticPolicy, features: Tensor, uniform: Tensor, step: Tensor, actions: Tensor, columns: Columns | None
) -> None:
    """Choose the actions of one policy step, and store them with their log-probabilities and the values.

    `features` [n, 256] are the trunk's output in any precision, `uniform` [T, n, A] the numbers to sample with, `step`
    [1] the index of the step in 0…T−1 on the device, which is only read. The actions go into `actions` [n] and, with
    log-probabilities and values, into row `step` of `columns`. Weights are read where they are now: as part of a CUDA
    graph, they must not move.
    """
    num_states, num_actions = len(features), policy.num_actions
    assert features.shape == (num_states, NUM_FEATURES) and features.is_contiguous()
    assert uniform.shape[1:] == (num_states, num_actions) and uniform.is_contiguous()
    assert actions.shape == (num_states,) and actions.is_contiguous()
    if columns is not None:
        assert all(column.shape == (len(uniform), num_states) for column in columns)
        assert all(column.stride() == (columns.action.stride(0), 1) for column in columns)
    semantic = policy.semantic
    clusters = (None,) * 5
    if semantic is not None:
        clusters = (*semantic.hidden.parameters(), *semantic.output.parameters(), semantic.codebook)
    _act_for_one_state[(num_states,)](
        features,
        *clusters,
        *policy.policy_head.parameters(),
        *policy.value_head.parameters(),
        uniform,
        step,
        actions,
        *(columns or (None,) * 3),
        0 if columns is None else columns.action.stride(0),
        NUM_FEATURES=NUM_FEATURES,
        HIDDEN_SIZE=HIDDEN_SIZE,
        CHUNK=_CHUNK,
        NUM_CODES=policy.num_codes,
        CODES=triton.next_power_of_2(max(policy.num_codes, 2)),
        NUM_ACTIONS=num_actions,
        OUTPUTS=triton.next_power_of_2(num_actions + 1),
        TINY=torch.finfo(torch.float32).tiny,
        num_warps=_NUM_WARPS,
    )


@triton.jit(
    do_not_specialize=["column_stride"],
    # Groups of environments begin anywhere in a row of the buffer; one compiled kernel serves all of them.
    do_not_specialize_on_alignment=["uniform", "step", "actions", "action_column", "log_prob_column", "value_column"],
)
def _act_for_one_state(
    features,
    hidden_weight,
    hidden_bias,
    output_weight,
    output_bias,
    codebook,
    policy_weight,
    policy_bias,
    value_weight,
    value_bias,
    uniform,
    step,
    actions,
    action_column,
    log_prob_column,
    value_column,
    column_stride,
    NUM_FEATURES: tl.constexpr,
    HIDDEN_SIZE: tl.constexpr,
    CHUNK: tl.constexpr,
    NUM_CODES: tl.constexpr,
    CODES: tl.constexpr,
    NUM_ACTIONS: tl.constexpr,
    OUTPUTS: tl.constexpr,
    TINY: tl.constexpr,
):
    state = tl.program_id(0)
    row = tl.load(step)
    features += state * NUM_FEATURES
    part = tl.arange(0, CHUNK)
    # Both heads are one matrix, whose row NUM_ACTIONS is the value's.
    output = tl.arange(0, OUTPUTS)
    is_action, is_value = output < NUM_ACTIONS, output == NUM_ACTIONS

    hidden_weights, policy_weights, value_weights = (), (), ()
    if NUM_CODES:
        unit = tl.arange(0, HIDDEN_SIZE)
        code = tl.arange(0, CODES)
        for start in tl.static_range(0, NUM_FEATURES, CHUNK):
            hidden_weights += (tl.load(hidden_weight + unit[:, None] * NUM_FEATURES + (start + part)[None, :]),)
        unit_bias = tl.load(hidden_bias + unit)
        output_weight_0 = tl.load(output_weight + unit)
        output_weight_1 = tl.load(output_weight + HIDDEN_SIZE + unit)
        output_bias_0, output_bias_1 = tl.load(output_bias), tl.load(output_bias + 1)
        code_0 = tl.load(codebook + code * 2, code < NUM_CODES, 0.0)
        code_1 = tl.load(codebook + code * 2 + 1, code < NUM_CODES, 0.0)
    for start in tl.static_range(0, NUM_FEATURES, CHUNK):
        columns = (start + part)[None, :]
        policy_rows = policy_weight + output[:, None] * NUM_FEATURES + columns
        policy_weights += (tl.load(policy_rows, is_action[:, None], 0.0),)
        value_weights += (tl.load(value_weight + output[:, None] * 0 + columns, is_value[:, None], 0.0),)
    action_bias = tl.load(policy_bias + output, is_action, 0.0)
    state_bias = tl.load(value_bias + output * 0, is_value, 0.0)
    # The compiler moves no read across a barrier. Without the barrier, it would wait after every few reads.
    tl.debug_barrier()
    drawn = tl.load(uniform + (row * tl.num_programs(0) + state) * NUM_ACTIONS + output, is_action, 0.5)

    shift = 0.0
    if NUM_CODES:
        sums = tl.zeros((HIDDEN_SIZE, CHUNK), tl.float32)
        for index in tl.static_range(NUM_FEATURES // CHUNK):
            inputs = tl.load(features + index * CHUNK + part).to(tl.float32)
            sums += hidden_weights[index] * inputs[None, :]
        hidden = tl.sum(sums, 1) + unit_bias
        embedding_0, embedding_1 = tl.reduce((hidden * output_weight_0, hidden * output_weight_1), 0, _add)
        offset_0, offset_1 = embedding_0 + output_bias_0 - code_0, embedding_1 + output_bias_1 - code_1
        distance = tl.where(code < NUM_CODES, offset_0 * offset_0 + offset_1 * offset_1, float("inf"))
        code_index = tl.argmin(distance, 0)
        # Like PyTorch's, this division is rounded correctly; Triton's own is not.
        shift = tl.div_rn(code_index.to(tl.float32), tl.full((), NUM_CODES, tl.float32))

    sums = tl.zeros((OUTPUTS, CHUNK), tl.float32)
    for index in tl.static_range(NUM_FEATURES // CHUNK):
        inputs = tl.load(features + index * CHUNK + part).to(tl.float32) + shift
        sums += policy_weights[index] * inputs[None, :]
        sums += value_weights[index] * inputs[None, :]
    result = tl.sum(sums, 1) + action_bias + state_bias
    logits = tl.where(is_action, result, float("-inf"))
    gumbel = -tl.log(-tl.log(tl.maximum(drawn, TINY)))
    _, action, logit, highest = tl.reduce((logits + gumbel, output, logits, logits), 0, _best_and_highest)
    # Every comparison with NaN is false; it must not lead to an action that does not exist.
    action = tl.minimum(action, NUM_ACTIONS - 1).to(tl.int64)
    tl.store(actions + state, action)
    if action_column is not None:
        total, value = tl.reduce((tl.exp(logits - highest), tl.where(is_value, result, 0.0)), 0, _add)
        here = row * column_stride + state
        tl.store(action_column + here, action)
        tl.store(log_prob_column + here, logit - highest - tl.log(total))
        tl.store(value_column + here, value)


@triton.jit
def _add(left_0, left_1, right_0, right_1):
    return left_0 + right_0, left_1 + right_1


@triton.jit
def _best_and_highest(score_0, action_0, logit_0, highest_0, score_1, action_1, logit_1, highest_1):
    """Keep action and logit of the highest score, of the first action if equal, and the highest logit of all."""
    other = (score_1 > score_0) | ((score_1 == score_0) & (action_1 < action_0))
    return (
        tl.where(other, score_1, score_0),
        tl.where(other, action_1, action_0),
        tl.where(other, logit_1, logit_0),
        tl.maximum(highest_0, highest_1),
    )
