"""Everything of a policy step after the trunk as one Triton kernel: clusters, heads, sampling and storing.

For the few dozen states of a policy step, PyTorch takes some 35 kernels for this, each of which costs a few
microseconds of latency and next to no work. Here one program computes one state, from its features to its action, with
all weights in float32 and float32 arithmetic. It computes what `models.policy` and `models.semantic` define, up to the
order of summation.

Each program reads all weights, 150 kB, which lie in the L2 cache. So many threads read them at once, all reads that do
not depend on each other come first, and the reductions over threads that follow are few.
"""
# Triton has no types for what happens inside a kernel.
# pyright: basic

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from semantic_rl.models.impala import NUM_FEATURES
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.models.semantic import HIDDEN_SIZE

_NUM_WARPS = 16
"""All weights of the hidden layer are then under way at once: 64 floats for each of 512 threads."""
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
):
    state = tl.program_id(0)
    features += state * NUM_FEATURES
    feature = tl.arange(0, NUM_FEATURES)

    # Both heads are one matrix, whose row NUM_ACTIONS is the value's.
    output = tl.arange(0, OUTPUTS)
    is_action, is_value = output < NUM_ACTIONS, output == NUM_ACTIONS
    policy_rows = output[:, None] * NUM_FEATURES + feature[None, :]
    heads = tl.load(policy_weight + policy_rows, is_action[:, None], 0.0)
    value_row = tl.broadcast_to(feature[None, :], (OUTPUTS, NUM_FEATURES))
    heads += tl.load(value_weight + value_row, is_value[:, None], 0.0)
    bias = tl.load(policy_bias + output, is_action, 0.0) + tl.load(value_bias + output * 0, is_value, 0.0)
    row = tl.load(step)
    drawn = tl.load(uniform + (row * tl.num_programs(0) + state) * NUM_ACTIONS + output, is_action, 0.5)
    policy_features = tl.load(features + feature).to(tl.float32)

    if NUM_CODES:
        unit = tl.arange(0, HIDDEN_SIZE)
        part = tl.arange(0, CHUNK)
        code = tl.arange(0, CODES)
        hidden_b = tl.load(hidden_bias + unit)
        output_0 = tl.load(output_weight + unit)
        output_1 = tl.load(output_weight + HIDDEN_SIZE + unit)
        code_0 = tl.load(codebook + code * 2, code < NUM_CODES, 0.0)
        code_1 = tl.load(codebook + code * 2 + 1, code < NUM_CODES, 0.0)
        sums = tl.zeros((HIDDEN_SIZE, CHUNK), tl.float32)
        for start in tl.static_range(0, NUM_FEATURES, CHUNK):
            weights = tl.load(hidden_weight + unit[:, None] * NUM_FEATURES + (start + part)[None, :])
            sums += weights * tl.load(features + start + part).to(tl.float32)[None, :]
        hidden = tl.sum(sums, 1) + hidden_b
        embedding_0 = tl.sum(hidden * output_0, 0) + tl.load(output_bias)
        embedding_1 = tl.sum(hidden * output_1, 0) + tl.load(output_bias + 1)
        offset_0, offset_1 = embedding_0 - code_0, embedding_1 - code_1
        distance = tl.where(code < NUM_CODES, offset_0 * offset_0 + offset_1 * offset_1, float("inf"))
        code_index = tl.argmin(distance, 0)
        # Like PyTorch's, this division is rounded correctly; Triton's own is not.
        policy_features += tl.div_rn(code_index.to(tl.float32), tl.full((), NUM_CODES, tl.float32))

    result = tl.sum(heads * policy_features[None, :], 1) + bias
    logits = tl.where(is_action, result, float("-inf"))
    gumbel = -tl.log(-tl.log(tl.maximum(drawn, 1.1754943508222875e-38)))
    # Not-a-number compares as nothing, and must not lead to the index of no action.
    action = tl.minimum(tl.argmax(logits + gumbel, 0), NUM_ACTIONS - 1)
    tl.store(actions + state, action.to(tl.int64))
    if action_column is not None:
        above = logits - tl.max(logits, 0)
        log_prob = above - tl.log(tl.sum(tl.exp(above), 0))
        here = row * column_stride + state
        tl.store(action_column + here, action.to(tl.int64))
        tl.store(log_prob_column + here + output * 0, log_prob, output == action)
        tl.store(value_column + here + output * 0, result, is_value)
