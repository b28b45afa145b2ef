"""Encodes frames as a video or an animated picture, written atomically.

MP4 is encoded by ffmpeg (the one that comes with imageio-ffmpeg), WebP and GIF by Pillow. The same frames give the same
bytes. The metadata of each file marks it as a clip of semantic-rl, so that no other file is ever replaced.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.atomic_write import whole_file
from semantic_rl.errors import UserError

Frames = Iterator[NDArray[np.uint8]]

VIDEO_QUALITY = 21
"""x264's constant rate factor: the loss is invisible, even in pictures with hard edges."""
MARK = "semantic-rl clip"
"""Mark in the metadata of every file: the comment in MP4 and GIF, XMP's creator tool in WebP."""
MOST_BYTES_OF_CLIP = 64_000_000
"""Number of bytes that are searched for the mark, which comes after the frames in WebP."""
WEBP_QUALITY = 65
WEBP_METHOD = 4
"""WebP's compression effort, 0 to 6; 6 takes forty times as long as 4 for files smaller by a tenth."""


def write_video(path: Path, frames: Frames, shape: tuple[int, int], frames_per_second: int, title: str) -> None:
    """Write frames [H, W, 3] as H.264 that any browser can play; `shape` is (H, W), both even.

    Raises UserError if ffmpeg fails.
    """
    with whole_file(path) as temporary, tempfile.TemporaryFile() as complaints:
        given = f"-f rawvideo -pix_fmt rgb24 -s {shape[1]}x{shape[0]} -r {frames_per_second} -i -"
        coded = f"-c:v libx264 -preset veryfast -crf {VIDEO_QUALITY} -pix_fmt yuv420p -threads 1"
        file = "-movflags +faststart -fflags +bitexact -f mp4"
        command = [find_ffmpeg(), *f"-loglevel error -nostdin -y {given} {coded} {file}".split()]
        command += ["-metadata", f"title={title}", "-metadata", f"comment={MARK}", str(temporary)]
        try:
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints
            ) as process:
                assert process.stdin is not None
                try:
                    _feed(process.stdin, frames)
                    code = process.wait()
                except BaseException:
                    process.kill()
                    raise
        except OSError as error:
            raise UserError(f"cannot run ffmpeg ({command[0]}): {error.strerror or error}; {_WAY_OUT}") from error
        if code:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            raise UserError(
                f"ffmpeg could not write {path} (exit code {code}): {said[-1] if said else 'no reason given'}; "
                f"{_WAY_OUT}"
            )


_WAY_OUT = (
    "mend that, name another ffmpeg in the environment variable IMAGEIO_FFMPEG_EXE, or make no videos: --video-size 0."
)


def is_clip(content: bytes) -> bool:
    """Say whether the bytes of a file are a clip written by this module."""
    kind = content[:12]
    is_picture = kind.startswith(b"GIF8") or (kind.startswith(b"RIFF") and kind.endswith(b"WEBP"))
    return (is_picture or kind[4:8] == b"ftyp") and MARK.encode() in content


def find_ffmpeg() -> str:
    """Return the path of ffmpeg; raises UserError if it is missing."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise UserError(f"there is no ffmpeg: {' '.join(str(error).split())}; {_WAY_OUT}") from error


def _feed(sink: IO[bytes], frames: Frames) -> None:
    """Write all frames; stop if ffmpeg no longer reads, since its exit code tells why."""
    with suppress(BrokenPipeError):
        for frame in frames:
            sink.write(frame.tobytes())
    with suppress(BrokenPipeError):
        sink.close()


def write_animation(path: Path, frames: Frames, frames_per_second: int, format: str, title: str) -> None:
    """Write frames [H, W, 3], at least one, as a WebP or GIF that loops.

    The title is stored in XMP in WebP, and in the comment in GIF.
    """
    images = (Image.fromarray(frame) for frame in frames)
    milliseconds = round(1000 / frames_per_second)
    with whole_file(path) as temporary:
        if format == "gif":
            _save_gif(temporary, list(images), milliseconds, title)
            return
        first = next(images)
        first.save(
            temporary,
            "WEBP",
            save_all=True,
            append_images=list(images),
            duration=milliseconds,
            loop=0,
            quality=WEBP_QUALITY,
            method=WEBP_METHOD,
            xmp=_XMP.format(MARK, escape(title)).encode(),
        )


_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="{}" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>'
    '<rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>'
)
"""Metadata in XMP (ISO 16684-1), from which image viewers read the title."""


def _save_gif(path: Path, images: list[Image.Image], milliseconds: int, title: str) -> None:
    """Write a GIF whose frames share 256 colours, so that unchanged pixels need not be written again."""
    width, height = images[0].size
    chosen = images[:: max(1, len(images) // 32)]
    sheet = Image.new("RGB", (width, height * len(chosen)))
    for index, image in enumerate(chosen):
        sheet.paste(image, (0, height * index))
    palette = sheet.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    first, *rest = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images)
    first.save(
        path,
        "GIF",
        save_all=True,
        append_images=rest,
        duration=milliseconds,
        loop=0,
        comment=f"{MARK}: {title}".encode(),
    )
