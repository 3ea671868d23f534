"""Which codec writes, and who reads what it wrote."""

import json
import pickle

import pytest
import seawall
from seawall.codecs import JSON, MessagePack, Results, unsafe_pickle

from tests.codecs.results import Line


class Upper:
    """A codec of a user's own, for texts."""

    name = "upper"
    number = 200

    def encode(self, value, /):
        """Loud."""
        return value.upper().encode()

    def decode(self, data, /):
        """Quiet."""
        return data.decode().lower()


def test_messagepack_is_the_default():
    """It is compact, and needs no other tool."""
    number, data = Results().encode({"a": 1})
    assert number == MessagePack.number == 1
    assert data == b"\x01\x81\xa1a\x01"


def test_json_can_be_read_by_anything():
    """Plain JSON stays what it is."""
    number, data = Results("json").encode({"id": "ä", "items": [1, 2.5, None, True]})
    assert number == JSON.number == 2
    assert json.loads(data) == {"id": "ä", "items": [1, 2.5, None, True]}


@pytest.mark.parametrize(("writer", "reader"), [("json", "messagepack"), ("messagepack", "json")])
def test_either_reads_what_the_other_wrote(writer, reader):
    """A program may change its codec while results of the old one are kept."""
    written = Results(writer, expected=Line).encode(Line("a"))
    assert Results(reader, expected=Line).decode(*written) == Line("a")


def test_a_codec_of_ones_own():
    """It is used for what it wrote, and for nothing else."""
    own = Results(Upper())
    assert own.encode("abc") == (200, b"ABC")
    assert own.decode(200, b"ABC") == "abc"
    assert own.decode(*Results().encode(5)) == 5
    with pytest.raises(
        seawall.DecodeError, match="codec number 200, which this operation does not"
    ):
        Results().decode(200, b"ABC")


def test_what_a_codec_of_ones_own_raises_is_told_as_ours():
    """Whoever stores results has two exceptions to know."""
    own = Results(Upper())
    with pytest.raises(seawall.EncodeError, match="it raised AttributeError"):
        own.encode(5)
    with pytest.raises(seawall.DecodeError, match="it raised UnicodeDecodeError"):
        own.decode(200, b"\xff")


def test_what_it_writes_must_be_bytes_and_fit():
    """A codec's own limits are the operation's."""

    class Text(Upper):
        def encode(self, value, /):
            return value

    with pytest.raises(seawall.EncodeError, match="not bytes"):
        Results(Text()).encode("a")
    with pytest.raises(seawall.EncodeError, match="larger"):
        Results(Upper(), limit=3).encode("abcd")


def numbered(number):
    """A codec of this number."""
    codec = Upper()
    codec.number = number
    return codec


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("pickle", "unsafe_pickle"),
        ("JSON", "must be 'messagepack', 'json' or a codec"),
        (object(), "must be a name, or an object with"),
        (Upper, "must be a name, or an object with"),
        (numbered(1), "must be from 128 to 255"),
        (numbered(256), "must be from 128 to 255"),
        (numbered(True), "must be from 128 to 255"),
    ],
)
def test_what_is_no_codec_is_refused_when_it_is_chosen(codec, said):
    """Not when the first result is to be stored."""
    with pytest.raises(seawall.ConfigError, match=said):
        Results(codec)


SPRUNG: list[int] = []


class Trap:
    """Says so when it is unpickled."""

    def __reduce__(self):
        """Springs."""
        return SPRUNG.append, (1,)


def test_pickles_are_read_only_where_this_very_codec_was_chosen():
    """No other operation reads one, whatever the record says."""
    own = Results(unsafe_pickle())
    number, data = own.encode({1: Line("a")})
    assert own.decode(number, data) == {1: Line("a")}
    trap = pickle.dumps(Trap())
    for other in (Results(), Results("json"), Results(Upper()), Results(expected=Line)):
        with pytest.raises(seawall.DecodeError, match="runs code when it is read"):
            other.decode(number, trap)
    for number_of_another in (1, 2):
        with pytest.raises(seawall.DecodeError):
            own.decode(number_of_another, trap)
    assert SPRUNG == []


def test_what_can_not_be_pickled_is_said():
    """A typed error, as of any codec."""
    own = Results(unsafe_pickle())
    with pytest.raises(seawall.EncodeError, match="can't be pickled"):
        own.encode(lambda: None)
    with pytest.raises(seawall.DecodeError, match="can't be unpickled"):
        own.decode(3, b"nothing")
