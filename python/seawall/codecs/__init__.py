"""How results are written down, to be given again later: codecs."""

from seawall._core import is_immutable
from seawall.codecs.annotated import AsAnnotated
from seawall.codecs.codec import Codec
from seawall.codecs.failures import Failures
from seawall.codecs.json_text import JSON
from seawall.codecs.messagepack import MessagePack
from seawall.codecs.pickles import unsafe_pickle
from seawall.codecs.results import CodecChoice, Results

__all__ = [
    "JSON",
    "AsAnnotated",
    "Codec",
    "CodecChoice",
    "Failures",
    "MessagePack",
    "Results",
    "is_immutable",
    "unsafe_pickle",
]
