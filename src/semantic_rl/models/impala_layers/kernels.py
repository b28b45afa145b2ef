"""Triton kernels of the IMPALA network's layers, for NVIDIA GPUs.

The network has 16 or 32 channels. With so few, cuDNN's convolutions use less than half of a tile of the matrix units,
and between the convolutions PyTorch's elementwise operations read and write every activation several times. Here a 3×3
'same' convolution is the sum of three matrix products, one for each row of the kernel: a block of pixels with their
left and right neighbours in that row, [BLOCK, 3·IN], times the weights of that row, [3·IN, OUT]. A program computes the
same pixels of several images, so that it loads the weights, and determines which neighbours lie inside the image, only
once. All operations on the input or the result (ReLU, bias, residual sum, pooling, masks of the gradient) are done in
registers.

Activations are channels-last, [B, H, W, C] in memory; weights are [OUT, 3, 3, IN] in memory. Sums are float32. Results
do not depend on the order in which blocks run: there are no atomic operations.
"""

# Triton has no types for what happens inside a kernel.
# pyright: basic, reportArgumentType=false, reportGeneralTypeIssues=false, reportPossiblyUnboundVariable=false

import triton
import triton.language as tl


@triton.jit
def _is_less(left, right, like):
    """Compare two numbers and return a tensor; interpreted Triton cannot join a tensor and a number with `&`."""
    return left + 0 * like < right + 0 * like


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
    positive,
    num_images,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    TRANSPOSED: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    RELU: tl.constexpr,
    HAS_MASK: tl.constexpr,
    HAS_RESIDUAL: tl.constexpr,
    HAS_POSITIVE: tl.constexpr,
    PADDED: tl.constexpr,
    TURNS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Convolve activations [B, H, W, IN] to [B, H, W, OUT].

    The grid is [blocks of pixels of an image, programs]: each program computes the same pixels of TURNS images.
    TRANSPOSED: `weight` is that of a convolution from OUT to IN channels, whose input's gradient is computed. The
    result is set to 0 where `mask` [B, H, W, OUT] is not above 0, and then `residual` [B, H, W, OUT] is added.
    `positive` gets the ReLU of the result. PADDED is 3·IN rounded up to a power of two.
    """
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row = pixel // WIDTH
    column = pixel % WIDTH
    k = tl.arange(0, PADDED)
    outs = tl.arange(0, OUT)
    across = column[:, None] + (k // IN)[None, :] - 1
    is_beside = (k < 3 * IN)[None, :] & (across >= 0) & (across < WIDTH)
    is_pixel = pixel < HEIGHT * WIDTH
    offsets = ((pixel - WIDTH - 1) * IN)[:, None] + k[None, :]
    is_above = is_beside & (is_pixel & (row >= 1))[:, None]
    is_below = is_beside & (is_pixel & (row < HEIGHT - 1))[:, None]
    is_beside = is_beside & is_pixel[:, None]
    taps_above = _row_of_taps(weight, k, outs, 0, IN, OUT, TRANSPOSED)
    taps_beside = _row_of_taps(weight, k, outs, 1, IN, OUT, TRANSPOSED)
    taps_below = _row_of_taps(weight, k, outs, 2, IN, OUT, TRANSPOSED)
    offsets_out = pixel[:, None] * OUT + outs[None, :]
    if HAS_BIAS:
        shift = tl.load(bias + outs).to(tl.float32)[None, :]
    for turn in range(TURNS):
        image = tl.program_id(1) + turn * tl.num_programs(1)
        is_there = is_pixel & _is_less(image, num_images, pixel)
        image = image.to(tl.int64)
        there = image * (HEIGHT * WIDTH * OUT)
        is_result = is_there[:, None]
        if HAS_MASK:
            kept = tl.load(mask + there + offsets_out, mask=is_result, other=0.0) > 0
        if HAS_RESIDUAL:
            added = tl.load(residual + there + offsets_out, mask=is_result, other=0.0)
        here = x + image * (HEIGHT * WIDTH * IN)
        tile = tl.load(here + offsets, mask=is_above & is_there[:, None], other=0.0)
        total = tl.dot(tile, taps_above)
        tile = tl.load(here + WIDTH * IN + offsets, mask=is_beside & is_there[:, None], other=0.0)
        total = tl.dot(tile, taps_beside, total)
        tile = tl.load(here + 2 * WIDTH * IN + offsets, mask=is_below & is_there[:, None], other=0.0)
        total = tl.dot(tile, taps_below, total)
        if HAS_BIAS:
            total += shift
        if RELU:
            total = tl.where(total > 0, total, 0.0)
        if HAS_MASK:
            total = tl.where(kept, total, 0.0)
        if HAS_RESIDUAL:
            total += added.to(tl.float32)
        result = total.to(out.dtype.element_ty)
        tl.store(out + there + offsets_out, result, mask=is_result)
        if HAS_POSITIVE:
            result = tl.where(total > 0, total, 0.0).to(out.dtype.element_ty)
            tl.store(positive + there + offsets_out, result, mask=is_result)


@triton.jit
def pad_images(images, out, num_rows, HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Convert bytes [B, H, W, 3] to [B, H + 2, W + 2, 4] with borders of 0, and three more rows of 0 at the end.

    Each program writes one row, so the grid has B·(H + 2) + 3 programs; BLOCK is at least W + 2.
    """
    number = tl.program_id(0)
    image = (number // (HEIGHT + 2)).to(tl.int64)
    row = number % (HEIGHT + 2) - 1
    column = tl.arange(0, BLOCK)
    channels = tl.arange(0, 4)
    is_pixel = (column > 0) & (column <= WIDTH) & _is_less(-1, row, column) & _is_less(row, HEIGHT, column)
    is_pixel = is_pixel & _is_less(number, num_rows, column)
    here = images + image * (HEIGHT * WIDTH * 3) + (row * WIDTH + column - 1)[:, None] * 3 + channels[None, :]
    values = tl.load(here, mask=is_pixel[:, None] & (channels < 3)[None, :], other=0)
    there = out + number.to(tl.int64) * ((WIDTH + 2) * 4) + column[:, None] * 4 + channels[None, :]
    tl.store(there, values.to(out.dtype.element_ty), mask=(column < WIDTH + 2)[:, None])


@triton.jit
def convolve_and_pool(
    x,
    weight,
    bias,
    out,
    positive,
    places,
    num_images,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    IS_IMAGE: tl.constexpr,
    KEEP_PLACES: tl.constexpr,
    PADDED: tl.constexpr,
    TURNS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Convolve, pool 3×3 with stride 2 (padded at the end) and add the bias: [B, H, W, IN] to [B, H/2, W/2, OUT].

    The grid is as for `convolve`, with blocks of pooled pixels. IS_IMAGE: `x` is what `pad_images` made, and is divided
    by 255; PADDED is 64, 4×4 pixels of four channels, of which 3×3 pixels have weights. `positive` gets what is above 0
    of the result, and 0 elsewhere. KEEP_PLACES: `places` gets the number of the maximum within its window, 0 to 8, as a
    byte. The results of the convolution are recomputed for each
    window that they are in, and never written to memory.
    """
    POOLED_WIDTH: tl.constexpr = WIDTH // 2
    POOLED: tl.constexpr = (HEIGHT // 2) * (WIDTH // 2)
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    is_pixel = pixel < POOLED
    row = pixel // POOLED_WIDTH * 2
    column = pixel % POOLED_WIDTH * 2
    k = tl.arange(0, PADDED)
    outs = tl.arange(0, OUT)
    if IS_IMAGE:
        is_tap = (k // 16 < 3) & (k // 4 % 4 < 3) & (k % 4 < 3)
        tap = k // 16 * 9 + k // 4 % 4 * 3 + k % 4
        taps = tl.load(weight + outs[None, :] * 27 + tap[:, None], mask=is_tap[:, None], other=0.0)
        offsets = ((row * (WIDTH + 2) + column) * 4)[:, None] + (k // 16 * ((WIDTH + 2) * 4) + k % 16)[None, :]
    else:
        taps_above = _row_of_taps(weight, k, outs, 0, IN, OUT, False)
        taps_beside = _row_of_taps(weight, k, outs, 1, IN, OUT, False)
        taps_below = _row_of_taps(weight, k, outs, 2, IN, OUT, False)
    shift = tl.load(bias + outs).to(tl.float32)[None, :]
    offsets_out = pixel[:, None] * OUT + outs[None, :]
    for turn in range(TURNS):
        number = tl.program_id(1) + turn * tl.num_programs(1)
        is_there = is_pixel & _is_less(number, num_images, pixel)
        image = number.to(tl.int64)
        best = tl.full([BLOCK, OUT], float("-inf"), tl.float32)
        best_place = tl.zeros([BLOCK, OUT], tl.int32)
        for place in range(9):
            there = row + place // 3
            across = column + place % 3
            if IS_IMAGE:
                shifted = image * ((HEIGHT + 2) * (WIDTH + 2) * 4) + (place // 3 * (WIDTH + 2) + place % 3) * 4
                tile = tl.load(x + shifted + offsets, mask=is_there[:, None], other=0.0)
                total = tl.dot(tile, taps)
                total *= 1 / 255
            else:
                beside = across[:, None] + (k // IN)[None, :] - 1
                is_beside = is_there[:, None] & (k < 3 * IN)[None, :] & (beside >= 0) & (beside < WIDTH)
                offsets = (((there - 1) * WIDTH + across - 1) * IN)[:, None] + k[None, :]
                here = x + image * (HEIGHT * WIDTH * IN)
                tile = tl.load(here + offsets, mask=is_beside & (there >= 1)[:, None], other=0.0)
                total = tl.dot(tile, taps_above)
                tile = tl.load(here + WIDTH * IN + offsets, mask=is_beside & (there < HEIGHT)[:, None], other=0.0)
                total = tl.dot(tile, taps_beside, total)
                here += 2 * WIDTH * IN
                tile = tl.load(here + offsets, mask=is_beside & (there < HEIGHT - 1)[:, None], other=0.0)
                total = tl.dot(tile, taps_below, total)
            is_better = (total > best) & ((there < HEIGHT) & (across < WIDTH))[:, None]
            best = tl.where(is_better, total, best)
            best_place = tl.where(is_better, place, best_place)
        best += shift
        here_out = image * (POOLED * OUT)
        tl.store(out + here_out + offsets_out, best.to(out.dtype.element_ty), mask=is_there[:, None])
        best = tl.where(best > 0, best, 0.0)
        tl.store(positive + here_out + offsets_out, best.to(out.dtype.element_ty), mask=is_there[:, None])
        if KEEP_PLACES:
            tl.store(places + here_out + offsets_out, best_place.to(tl.uint8), mask=is_there[:, None])


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
    num_images,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    PADDED: tl.constexpr,
    TURNS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Sum a convolution's gradients over some of the pixels: `partial` [programs, 9·IN + 1, OUT], the bias's last.

    The grid is [blocks of pixels of an image, programs, 3]: each program takes the same pixels of TURNS images and one
    row of the kernel. PADDED is 3·IN rounded up to a power of two.
    """
    down = tl.program_id(2) - 1
    k = tl.arange(0, PADDED)
    outs = tl.arange(0, OUT)
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    is_pixel = pixel < HEIGHT * WIDTH
    row = pixel // WIDTH + down
    column = (pixel % WIDTH)[:, None] + (k // IN)[None, :] - 1
    is_inside = (is_pixel & (row >= 0) & (row < HEIGHT))[:, None] & (k < 3 * IN)[None, :]
    is_inside = is_inside & (column >= 0) & (column < WIDTH)
    offsets = ((pixel + down * WIDTH - 1) * IN)[:, None] + k[None, :]
    offsets_out = pixel[:, None] * OUT + outs[None, :]
    total = tl.zeros([PADDED, OUT], tl.float32)
    bias = tl.zeros([BLOCK, OUT], tl.float32)
    for turn in range(TURNS):
        number = tl.program_id(1) + turn * tl.num_programs(1)
        is_there = is_pixel & _is_less(number, num_images, pixel)
        image = number.to(tl.int64)
        here = gradient + image * (HEIGHT * WIDTH * OUT)
        towards = tl.load(here + offsets_out, mask=is_there[:, None], other=0.0)
        tile = tl.load(x + image * (HEIGHT * WIDTH * IN) + offsets, mask=is_inside & is_there[:, None], other=0.0)
        total = tl.dot(tl.trans(tile), towards, total)
        if down == 0:
            bias += towards.to(tl.float32)
    partial += (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) * ((9 * IN + 1) * OUT)
    there = partial + (3 * IN * OUT) * (down + 1) + k[:, None] * OUT + outs[None, :]
    tl.store(there, total, mask=(k < 3 * IN)[:, None])
    if down == 0:
        tl.store(partial + 9 * IN * OUT + outs, tl.sum(bias, 0))


@triton.jit
def image_weight_gradient(
    x,
    gradient,
    places,
    partial,
    num_images,
    HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr,
    OUT: tl.constexpr,
    TURNS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Sum the gradients of `convolve_and_pool` on images over some of the pixels: `partial` [programs, 28, OUT].

    `gradient` and `places` are those of the pooled result; the gradient before the pooling is never written. The grid
    is [blocks of pooled pixels, programs].
    """
    POOLED_WIDTH: tl.constexpr = WIDTH // 2
    POOLED: tl.constexpr = (HEIGHT // 2) * (WIDTH // 2)
    k = tl.arange(0, 64)
    outs = tl.arange(0, OUT)
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row = pixel // POOLED_WIDTH * 2
    column = pixel % POOLED_WIDTH * 2
    offsets = ((row * (WIDTH + 2) + column) * 4)[:, None] + (k // 16 * ((WIDTH + 2) * 4) + k % 16)[None, :]
    offsets_out = pixel[:, None] * OUT + outs[None, :]
    is_pixel = pixel < POOLED
    total = tl.zeros([64, OUT], tl.float32)
    bias = tl.zeros([BLOCK, OUT], tl.float32)
    for turn in range(TURNS):
        number = tl.program_id(1) + turn * tl.num_programs(1)
        is_there = (is_pixel & _is_less(number, num_images, pixel))[:, None]
        image = number.to(tl.int64)
        here = image * (POOLED * OUT)
        towards = tl.load(gradient + here + offsets_out, mask=is_there, other=0.0)
        chosen = tl.load(places + here + offsets_out, mask=is_there, other=255).to(tl.int32)
        bias += towards.to(tl.float32)
        for place in range(9):
            shifted = image * ((HEIGHT + 2) * (WIDTH + 2) * 4) + (place // 3 * (WIDTH + 2) + place % 3) * 4
            tile = tl.load(x + shifted + offsets, mask=is_there, other=0.0)
            part = tl.where(chosen == place, towards, tl.zeros_like(towards))
            total = tl.dot(tl.trans(tile), part, total)
    partial += (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) * (28 * OUT)
    is_tap = (k // 16 < 3) & (k // 4 % 4 < 3) & (k % 4 < 3)
    tap = k // 16 * 9 + k // 4 % 4 * 3 + k % 4
    tl.store(partial + tap[:, None] * OUT + outs[None, :], total * (1 / 255), mask=is_tap[:, None])
    tl.store(partial + 27 * OUT + outs, tl.sum(bias, 0))


@triton.jit
def add_partials(
    partial,
    weight,
    bias,
    NUM_PARTIALS: tl.constexpr,
    TAPS: tl.constexpr,
    OUT: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Sum [programs, TAPS + 1, OUT] over programs into a weight's gradient [OUT, TAPS] and a bias's [OUT]."""
    SIZE: tl.constexpr = (TAPS + 1) * OUT
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    rows = tl.arange(0, ROWS)
    total = tl.zeros([ROWS, BLOCK], tl.float32)
    for first in range(0, NUM_PARTIALS, ROWS):
        is_there = (first + rows < NUM_PARTIALS)[:, None] & (index < SIZE)[None, :]
        total += tl.load(partial + (first + rows)[:, None] * SIZE + index[None, :], mask=is_there, other=0.0)
    result = tl.sum(total, 0)
    tap = index // OUT
    out = index % OUT
    tl.store(weight + out * TAPS + tap, result.to(weight.dtype.element_ty), mask=tap < TAPS)
    tl.store(bias + out, result.to(bias.dtype.element_ty), mask=tap == TAPS)
