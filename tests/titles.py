"""The title that programs which show pictures read in a WebP."""

from xml.etree import ElementTree

from PIL import Image


def title_of(image: Image.Image) -> str:
    """Return the title in a picture's XMP."""
    titles = ElementTree.fromstring(image.info["xmp"]).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")
    return next(titles).text or ""
