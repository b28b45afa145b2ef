"""Building blocks of the page: sections, figures, lists of facts, pictures, cluster badges."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.palette import cluster_color, ink_on
from semantic_rl.recording.store import Recording
from semantic_rl.report.html import Child, Html, element

WEBP_QUALITY = 82


def section(anchor: str, title: str, lead: Child, *content: Child) -> Html:
    """Make a section: title and introduction beside (on a phone: above) its content."""
    head = element("header", element("h2", title), element("p", lead, class_="lead"))
    return element("section", head, element("div", *content, class_="body"), id=anchor)


def figure(label: str, caption: Child, *content: Child, class_: str | None = None) -> Html:
    """Make a figure, or a table, with its label ("Figure 1") and caption below."""
    text = element("figcaption", element("b", label), " ", caption)
    return element("figure", *content, text, class_=class_)


def facts(rows: Sequence[tuple[str, Child]]) -> Html:
    """Make a list of names and values."""
    return element("dl", *(element("div", element("dt", name), element("dd", value)) for name, value in rows))


def note(*text: Child) -> Html:
    """Say that something is absent, and why."""
    return element("p", *text, class_="note")


def color_style(code_index: int) -> str:
    """Return the style attribute with a cluster's colour and the text colour that is legible on it."""
    color = cluster_color(code_index)
    return f"--c:{color};--on-c:{ink_on(color)}"


def badge(code_index: int, anchor: bool = False) -> Html:
    """Return a cluster's number on its colour; with `anchor` it links to the cluster's card."""
    if anchor:
        return element("a", code_index, class_="badge", style=color_style(code_index), href=f"#cluster-{code_index}")
    return element("span", code_index, class_="badge", style=color_style(code_index))


def counted(count: int, noun: str) -> str:
    """Format a count: 1 episode, 2,000 episodes."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(share: float, digits: int = 0) -> str:
    """Format a share as a percentage; – for NaN."""
    return "–" if np.isnan(share) else f"{share:.{digits}%}"


def data_uri(content: bytes, form: str) -> str:
    """Return a picture as a data URI, so that the page needs no other file."""
    return f"data:image/{form};base64,{base64.b64encode(content).decode()}"


def encoded(image: Image.Image, lossless: bool = False) -> bytes:
    """Encode a picture as WebP."""
    content = io.BytesIO()
    image.save(content, "WEBP", quality=WEBP_QUALITY, lossless=lossless, method=4)
    return content.getvalue()


def picture(
    content: bytes, form: str, size: tuple[int, int], alt: str, title: str | None = None, class_: str | None = None
) -> Html:
    """Show an encoded picture of `size` (width, height) pixels."""
    width, height = size
    return element("img", src=data_uri(content, form), width=width, height=height, alt=alt, title=title, class_=class_)


def pixels(frame: NDArray[np.uint8], alt: str, title: str | None = None) -> Html:
    """Show a small frame [H, W, 3] losslessly, with its pixels unchanged."""
    height, width = frame.shape[:2]
    content = encoded(Image.fromarray(frame), lossless=True)
    return picture(content, "webp", (width, height), alt, title, class_="pixels")


def state(recording: Recording, row: int, alt: str, title: str | None = None) -> Html:
    """Show a state: its stored high-resolution picture, or the observation if there are no pictures."""
    if not recording.has_pictures:
        return pixels(recording.frame(row), alt, title)
    height, width = recording.picture_shape
    return picture(recording.picture(row), "jpeg", (width, height), alt, title)
