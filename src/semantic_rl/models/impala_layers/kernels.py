"""Triton kernels of the IMPALA network's layers, for NVIDIA GPUs.

The network has 16 or 32 channels, for which cuDNN's convolutions fill less than half of a tile of their matrix units,
and between which PyTorch's elementwise operations read and write every activation several times. Here a 3×3 'same'
convolution is three products: of a block of pixels with their left and right neighbours in one row, [BLOCK, 3·IN], and
the weights of that row of taps, [3·IN, OUT]. Everything that is done to its input or result (ReLU, bias, residual sum,
pooling, the gradient's masks) is done in registers.

Activations are channels-last, [B, H, W, C] in memory; weights are [OUT, 3, 3, IN] in memory. Sums are float32. Results
do not depend on the order in which blocks run: there are no atomic operations.
"""

import triton
import triton.language as tl


@triton.jit
def _row_of_taps(weight, k, outs, down, IN: tl.constexpr, OUT: tl.constexpr, TRANSPOSED: tl.constexpr):
    """Return the weights [PADDED, OUT] of a row of taps, 0 beyond 3·IN."""
    if TRANSPOSED:
        offsets = (k % IN * (9 * OUT) + (8 - 3 * down - k // IN) * OUT)[:, None] + outs[None, :]
    else:
        offsets = (k + 3 * IN * down)[:, None] + outs[None, :] * (9 * IN)
    return tl.load(weight + offsets, mask=(k < 3 * IN)[:, None], other=0.0)


@triton.jit
def convolve(
    x,
    weight,
    bias,
    mask,
    residual,
    out,
    num_pixels,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    TRANSPOSED: tl.constexpr,
    RELU_INPUT: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    RELU_OUTPUT: tl.constexpr,
    HAS_MASK: tl.constexpr,
    HAS_RESIDUAL: tl.constexpr,
    PADDED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Convolve activations [pixels, IN] to [pixels, OUT].

    TRANSPOSED: `weight` is that of a convolution from OUT to IN channels, whose input's gradient is computed. The
    result is set to 0 where `mask` [pixels, OUT] is not above 0, and then `residual` [pixels, OUT] is added. PADDED is
    3·IN rounded up to a power of two.
    """
    start = tl.program_id(0).to(tl.int64) * BLOCK
    local = tl.arange(0, BLOCK)
    position = (start % (HEIGHT * WIDTH)).to(tl.int32) + local
    column = position % WIDTH
    row = position // WIDTH % HEIGHT
    is_pixel = local < num_pixels - start
    k = tl.arange(0, PADDED)
    outs = tl.arange(0, OUT)
    x += start * IN
    across = column[:, None] + (k // IN)[None, :] - 1
    is_beside = is_pixel[:, None] & (k < 3 * IN)[None, :] & (across >= 0) & (across < WIDTH)
    total = tl.zeros([BLOCK, OUT], tl.float32)
    for down in tl.static_range(3):
        is_inside = is_beside & ((row + down - 1 >= 0) & (row + down - 1 < HEIGHT))[:, None]
        offsets = ((local + (down - 1) * WIDTH - 1) * IN)[:, None] + k[None, :]
        tile = tl.load(x + offsets, mask=is_inside, other=0.0)
        if RELU_INPUT:
            tile = tl.where(tile > 0, tile, tl.zeros_like(tile))
        total = tl.dot(tile, _row_of_taps(weight, k, outs, down, IN, OUT, TRANSPOSED), total)
    here = start * OUT + local[:, None] * OUT + outs[None, :]
    if HAS_BIAS:
        total += tl.load(bias + outs).to(tl.float32)[None, :]
    if RELU_OUTPUT:
        total = tl.maximum(total, 0.0)
    if HAS_MASK:
        total = tl.where(tl.load(mask + here, mask=is_pixel[:, None], other=0.0) > 0, total, 0.0)
    if HAS_RESIDUAL:
        total += tl.load(residual + here, mask=is_pixel[:, None], other=0.0).to(tl.float32)
    tl.store(out + here, total.to(out.dtype.element_ty), mask=is_pixel[:, None])


@triton.jit
def pad_images(images, out, num_pixels, BLOCK: tl.constexpr):
    """Convert bytes [pixels, 3] to [pixels, 4], whose last channel is 0, so that a pixel is read at once."""
    start = tl.program_id(0).to(tl.int64) * BLOCK
    local = tl.arange(0, BLOCK)
    channels = tl.arange(0, 4)
    is_value = (local < num_pixels - start)[:, None] & (channels < 3)[None, :]
    values = tl.load(images + start * 3 + local[:, None] * 3 + channels[None, :], mask=is_value, other=0)
    here = out + start * 4 + local[:, None] * 4 + channels[None, :]
    tl.store(here, values.to(out.dtype.element_ty), mask=(local < num_pixels - start)[:, None])


@triton.jit
def _image_tile(image, row, column, is_pixel, HEIGHT: tl.constexpr, WIDTH: tl.constexpr):
    """Return the 3×3 pixels of four channels around some pixels, [BLOCK, 64]; 4×4 have room, the others are 0."""
    k = tl.arange(0, 64)
    rows = row[:, None] + (k // 16)[None, :] - 1
    columns = column[:, None] + (k // 4 % 4)[None, :] - 1
    is_inside = is_pixel[:, None] & ((k // 16 < 3) & (k // 4 % 4 < 3))[None, :]
    is_inside = is_inside & (rows >= 0) & (rows < HEIGHT) & (columns >= 0) & (columns < WIDTH)
    return tl.load(image + (rows * WIDTH + columns) * 4 + (k % 4)[None, :], mask=is_inside, other=0.0)


@triton.jit
def convolve_and_pool(
    x,
    weight,
    bias,
    out,
    places,
    num_pooled,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    IS_IMAGE: tl.constexpr,
    KEEP_PLACES: tl.constexpr,
    PADDED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Convolve, pool 3×3 with stride 2 (padded at the end) and add the bias: [B, H, W, IN] to [B, H/2, W/2, OUT].

    IS_IMAGE: `x` is what `pad_images` made, [B, H, W, 4], and is divided by 255. KEEP_PLACES: `places` gets the number
    of the maximum within its window, 0 to 8, as a byte. The results of the convolution are recomputed for each window
    that they are in, and never written to memory.
    """
    POOLED_WIDTH: tl.constexpr = WIDTH // 2
    POOLED: tl.constexpr = (HEIGHT // 2) * (WIDTH // 2)
    start = tl.program_id(0).to(tl.int64) * BLOCK
    local = tl.arange(0, BLOCK)
    position = (start % POOLED).to(tl.int32) + local
    row = position // POOLED_WIDTH % (HEIGHT // 2) * 2
    column = position % POOLED_WIDTH * 2
    is_pixel = local < num_pooled - start
    x += start // POOLED * (HEIGHT * WIDTH * IN) + (position // POOLED * (HEIGHT * WIDTH * IN))[:, None]
    k = tl.arange(0, PADDED)
    outs = tl.arange(0, OUT)
    best = tl.full([BLOCK, OUT], float("-inf"), tl.float32)
    best_place = tl.zeros([BLOCK, OUT], tl.int32)
    for place in range(9):
        there = row + place // 3
        across = column + place % 3
        total = tl.zeros([BLOCK, OUT], tl.float32)
        if IS_IMAGE:
            tile = _image_tile(x, there, across, is_pixel, HEIGHT, WIDTH)
            is_tap = (k // 16 < 3) & (k // 4 % 4 < 3) & (k % 4 < 3)
            tap = k // 16 * 9 + k // 4 % 4 * 3 + k % 4
            taps = tl.load(weight + outs[None, :] * 27 + tap[:, None], mask=is_tap[:, None], other=0.0)
            total = tl.dot(tile, taps, total)
            total *= 1 / 255
        else:
            beside = across[:, None] + (k // IN)[None, :] - 1
            is_beside = is_pixel[:, None] & (k < 3 * IN)[None, :] & (beside >= 0) & (beside < WIDTH)
            for down in tl.static_range(3):
                above = there + down - 1
                is_inside = is_beside & ((above >= 0) & (above < HEIGHT))[:, None]
                tile = tl.load(x + ((above * WIDTH + across - 1) * IN)[:, None] + k[None, :], mask=is_inside, other=0.0)
                total = tl.dot(tile, _row_of_taps(weight, k, outs, down, IN, OUT, False), total)
        is_better = (total > best) & ((there < HEIGHT) & (across < WIDTH))[:, None]
        best = tl.where(is_better, total, best)
        best_place = tl.where(is_better, place, best_place)
    here = start * OUT + local[:, None] * OUT + outs[None, :]
    best += tl.load(bias + outs).to(tl.float32)[None, :]
    tl.store(out + here, best.to(out.dtype.element_ty), mask=is_pixel[:, None])
    if KEEP_PLACES:
        tl.store(places + here, best_place.to(tl.uint8), mask=is_pixel[:, None])


@triton.jit
def unpool(
    gradient,
    places,
    out,
    num_pixels,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    CHANNELS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Compute the gradient [B, H, W, C] of a pooling's input from that of its result [B, H/2, W/2, C]."""
    POOLED_WIDTH: tl.constexpr = WIDTH // 2
    start = tl.program_id(0).to(tl.int64) * BLOCK
    local = tl.arange(0, BLOCK)
    position = (start % (HEIGHT * WIDTH)).to(tl.int32) + local
    image = position // (HEIGHT * WIDTH)
    row = position // WIDTH % HEIGHT
    column = position % WIDTH
    is_pixel = local < num_pixels - start
    channels = tl.arange(0, CHANNELS)
    pooled_start = start // (HEIGHT * WIDTH) * ((HEIGHT // 2) * POOLED_WIDTH * CHANNELS)
    gradient += pooled_start
    places += pooled_start
    total = tl.zeros([BLOCK, CHANNELS], tl.float32)
    for window in tl.static_range(4):
        up = row // 2 - window // 2
        left = column // 2 - window % 2
        down = row - 2 * up
        right = column - 2 * left
        is_in = is_pixel & (up >= 0) & (left >= 0) & (down < 3) & (right < 3)
        pooled = image * ((HEIGHT // 2) * POOLED_WIDTH) + up * POOLED_WIDTH + left
        there = pooled[:, None] * CHANNELS + channels[None, :]
        place = tl.load(places + there, mask=is_in[:, None], other=255).to(tl.int32)
        value = tl.load(gradient + there, mask=is_in[:, None], other=0.0).to(tl.float32)
        total += tl.where(place == (down * 3 + right)[:, None], value, 0.0)
    here = start * CHANNELS + local[:, None] * CHANNELS + channels[None, :]
    tl.store(out + here, total.to(out.dtype.element_ty), mask=is_pixel[:, None])


@triton.jit
def weight_gradient(
    x,
    gradient,
    partial,
    num_pixels,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    RELU_INPUT: tl.constexpr,
    PADDED: tl.constexpr,
    TURNS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Sum up some blocks' part of a convolution's gradients: `partial` [programs, 9·IN + 1, OUT], the last of the bias.

    The grid is [programs, 3]: each program takes TURNS blocks and one row of taps. PADDED is 3·IN rounded up to a power
    of two.
    """
    down = tl.program_id(1) - 1
    k = tl.arange(0, PADDED)
    outs = tl.arange(0, OUT)
    local = tl.arange(0, BLOCK)
    total = tl.zeros([PADDED, OUT], tl.float32)
    bias = tl.zeros([OUT], tl.float32)
    for turn in range(TURNS):
        start = (tl.program_id(0) + turn * tl.num_programs(0)).to(tl.int64) * BLOCK
        position = (start % (HEIGHT * WIDTH)).to(tl.int32) + local
        row = position // WIDTH % HEIGHT + down
        column = (position % WIDTH)[:, None] + (k // IN)[None, :] - 1
        is_pixel = local < num_pixels - start
        is_inside = (is_pixel & (row >= 0) & (row < HEIGHT))[:, None] & (k < 3 * IN)[None, :]
        is_inside = is_inside & (column >= 0) & (column < WIDTH)
        there = gradient + start * OUT + local[:, None] * OUT + outs[None, :]
        towards = tl.load(there, mask=is_pixel[:, None], other=0.0)
        offsets = ((local + down * WIDTH - 1) * IN)[:, None] + k[None, :]
        tile = tl.load(x + start * IN + offsets, mask=is_inside, other=0.0)
        if RELU_INPUT:
            tile = tl.where(tile > 0, tile, tl.zeros_like(tile))
        total = tl.dot(tl.trans(tile), towards, total)
        bias += tl.sum(towards.to(tl.float32), 0)
    partial += tl.program_id(0) * ((9 * IN + 1) * OUT)
    here = partial + (3 * IN * OUT) * (down + 1) + k[:, None] * OUT + outs[None, :]
    tl.store(here, total, mask=(k < 3 * IN)[:, None])
    if down == 1:
        tl.store(partial + 9 * IN * OUT + outs, bias)


@triton.jit
def image_weight_gradient(
    x,
    gradient,
    places,
    partial,
    num_pooled,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    OUT: tl.constexpr,
    TURNS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Sum up some blocks' part of the gradients of `convolve_and_pool` on images: `partial` [programs, 28, OUT].

    `gradient` and `places` are those of the pooled result; the gradient before the pooling is never written.
    """
    POOLED_WIDTH: tl.constexpr = WIDTH // 2
    POOLED: tl.constexpr = (HEIGHT // 2) * (WIDTH // 2)
    k = tl.arange(0, 64)
    outs = tl.arange(0, OUT)
    local = tl.arange(0, BLOCK)
    total = tl.zeros([64, OUT], tl.float32)
    bias = tl.zeros([OUT], tl.float32)
    for turn in range(TURNS):
        start = (tl.program_id(0) + turn * tl.num_programs(0)).to(tl.int64) * BLOCK
        position = (start % POOLED).to(tl.int32) + local
        row = position // POOLED_WIDTH % (HEIGHT // 2) * 2
        column = position % POOLED_WIDTH * 2
        image = x + start // POOLED * (HEIGHT * WIDTH * 4) + (position // POOLED * (HEIGHT * WIDTH * 4))[:, None]
        is_pixel = local < num_pooled - start
        there = start * OUT + local[:, None] * OUT + outs[None, :]
        towards = tl.load(gradient + there, mask=is_pixel[:, None], other=0.0)
        chosen = tl.load(places + there, mask=is_pixel[:, None], other=255).to(tl.int32)
        bias += tl.sum(towards.to(tl.float32), 0)
        for place in range(9):
            tile = _image_tile(image, row + place // 3, column + place % 3, is_pixel, HEIGHT, WIDTH)
            part = tl.where(chosen == place, towards, 0.0).to(towards.dtype)
            total = tl.dot(tl.trans(tile), part, total)
    partial += tl.program_id(0) * (28 * OUT)
    is_tap = (k // 16 < 3) & (k // 4 % 4 < 3) & (k % 4 < 3)
    tap = k // 16 * 9 + k // 4 % 4 * 3 + k % 4
    tl.store(partial + tap[:, None] * OUT + outs[None, :], total * (1 / 255), mask=is_tap[:, None])
    tl.store(partial + 27 * OUT + outs, bias)


@triton.jit
def add_partials(
    partial, weight, bias, NUM_PARTIALS: tl.constexpr, TAPS: tl.constexpr, OUT: tl.constexpr, BLOCK: tl.constexpr
):
    """Sum [programs, TAPS + 1, OUT] over programs into a weight's gradient [OUT, TAPS] and a bias's [OUT]."""
    SIZE: tl.constexpr = (TAPS + 1) * OUT
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    rows = tl.arange(0, 32)
    total = tl.zeros([BLOCK], tl.float32)
    for first in range(0, NUM_PARTIALS, 32):
        is_there = (first + rows < NUM_PARTIALS)[:, None] & (index < SIZE)[None, :]
        total += tl.sum(tl.load(partial + (first + rows)[:, None] * SIZE + index[None, :], mask=is_there, other=0.0), 0)
    tap = index // OUT
    out = index % OUT
    tl.store(weight + out * TAPS + tap, total.to(weight.dtype.element_ty), mask=tap < TAPS)
    tl.store(bias + out, total.to(bias.dtype.element_ty), mask=tap == TAPS)
