"""Bytes that nobody wrote so: an error, never less and never more."""

import json
import struct
import tracemalloc

import pytest
import seawall
from hypothesis import given
from hypothesis import strategies as st
from seawall.codecs import JSON, Failures, MessagePack, Results

from tests.codecs.results import PLAIN, Line, Order

CODECS = [MessagePack([Order, Line]), JSON([Order, Line])]
NAMES = [codec.name for codec in CODECS]
FULL = [Order("a", [Line("x")]), {"a": [1, 2.5, "x", b"y", (None, True)]}, {frozenset({1})}]


def read(codec, data):
    """What `data` is, or None if it is refused as it has to be."""
    try:
        return codec.decode(data)
    except seawall.DecodeError:
        return None


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
@given(data=st.binary())
def test_any_bytes_are_read_or_refused(codec, data):
    """Nothing but a `DecodeError` comes of bytes of any kind."""
    read(codec, data)
    read(codec, b"\x01" + data)


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
@given(value=PLAIN | st.sampled_from(FULL), chance=st.randoms(), how=st.integers(1, 4))
def test_damaged_bytes_are_read_or_refused(codec, value, chance, how):
    """A byte that is another, one too few, one too many: likewise."""
    data = bytearray(codec.encode(value))
    for _ in range(how):
        at = chance.randrange(len(data)) if data else 0
        match chance.randrange(3):
            case 0 if data:
                data[at] = chance.randrange(256)
            case 1:
                del data[at:]
            case _:
                data.insert(at, chance.randrange(256))
    read(codec, bytes(data))


@pytest.mark.parametrize("codec", CODECS, ids=NAMES)
def test_every_beginning_is_refused(codec):
    """What was cut off anywhere is noticed."""
    data = codec.encode(FULL)
    for length in range(len(data)):
        with pytest.raises(seawall.DecodeError):
            codec.decode(data[:length])


LENGTHS = [b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"]


@pytest.mark.parametrize("marker", LENGTHS)
def test_a_claimed_length_reserves_nothing(marker):
    """Four thousand million items are claimed in five bytes: no memory is taken for them."""
    codec = MessagePack()
    tracemalloc.start()
    with pytest.raises(seawall.DecodeError, match="ends too early"):
        codec.decode(b"\x01" + marker + struct.pack(">I", 2**32 - 1) + b"\x10\xc0\xc0")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000


@pytest.mark.parametrize(
    ("codec", "deep"),
    [
        (MessagePack(), b"\x01" + b"\x91" * 100_000 + b"\xc0"),
        (MessagePack(), b"\x01" + b"\x81\xc0" * 100_000 + b"\xc0"),
        (MessagePack(), b"\x01" + b"\x92\xc7\x00\x02" * 100_000 + b"\xc0"),
        (JSON(), b"[" * 200 + b"]" * 200),
        (JSON(), b"[" * 100_000 + b"]" * 100_000),
        (JSON(), b'{"$":"tuple","v":[' * 200 + b"]}" * 200),
    ],
)
def test_deep_bytes_are_refused(codec, deep):
    """No stack runs over."""
    with pytest.raises(seawall.DecodeError):
        codec.decode(deep)


@pytest.mark.parametrize("codec", ["messagepack", "json"])
def test_what_is_as_deep_as_may_be_is_read_again(codec):
    """What can be written can be read: both have one limit."""
    results = Results(codec)
    for wrap in (lambda it: [it], lambda it: (it,), lambda it: {"a": it}):
        value = 1
        for _ in range(128):
            value = wrap(value)
        assert results.decode(*results.encode(value)) == value
        with pytest.raises(seawall.EncodeError, match="128 deep"):
            results.encode(wrap(value))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x00", b"\x02\xc0", b"\x01\xc1", b"\x01\xc0\xc0", b"\x01\xa1\xff",
        b"\x01\xd4\x07\x00",
        b"\x01\xd4\x7f\x00", b"\x01\xd4\xff\x00", b"\x01\x81\x90\xc0", b"\x01\x82\x01\xc0\x01\xc0",
        b"\x01\x93\xc7\x00\x03\x01\x01", b"\x01\x92\xc7\x00\x03\x90", b"\x01\x91\xc7\x00\x05",
        b"\x01\x93\xc7\x00\x05\x01\x80", b"\x01\x93\xc7\x00\x05\xa1a\x90",
        b"\x01\x93\xc7\x00\x05\xa1a\x81\x01\xc0", b"\x01\xd4\x10x", b"\x01\xd4\x14x",
    ],
)  # fmt: skip
def test_forms_that_nobody_writes_are_refused(data):
    """Unknown versions and extensions, doubled or impossible keys, texts that are none."""
    with pytest.raises(seawall.DecodeError):
        MessagePack().decode(data)


@pytest.mark.parametrize(
    "data",
    [
        "", "{", "NaN", '{"$":1,"v":2}', '{"$":"tuple"}', '{"$":"tuple","v":1}',
        '{"$":"int","v":1}',
        '{"$":"object","v":{}}', '{"$":"object","of":"os.system","v":{"a":1}}',
        '{"$":"object","of":"tests.codecs.results.Line","v":{}}', '{"$":"decimal","v":"x"}',
        '{"$":"dict","v":[[1]]}', '{"$":"dict","v":[[1,2],[1,3]]}', '{"$":"dict","v":[[[],2]]}',
        '{"$":"nothing","v":1}', '{"$":[],"v":1}', '{"$":"set","v":[[]]}',
    ],
)  # fmt: skip
def test_json_that_nobody_writes_is_refused(data):
    """No shape, kind, key or pair that does not fit is read as something else."""
    with pytest.raises(seawall.DecodeError):
        JSON([Line]).decode(data.encode())


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "subprocess.Popen", "enum.Enum"])
def test_names_in_the_data_reach_nothing(name):
    """A class that no annotation names is not looked for, though it is imported."""
    data = json.dumps({"$": "object", "of": name, "v": {"": "true", "name": "x"}}).encode()
    with pytest.raises(seawall.DecodeError, match=r"no annotation that names a class"):
        JSON().decode(data)


@pytest.mark.parametrize("codec", ["messagepack", "json"])
def test_a_result_that_is_too_large_is_not_written_first(codec):
    """Much larger than it may be: it is noticed before memory is taken for all of it."""
    results = Results(codec, limit=1000)
    results.encode("x" * 900)
    for value in ("x" * 1001, b"x" * 1001, list(range(1001)), {"a": ["y" * 600] * 2}):
        with pytest.raises(seawall.EncodeError, match="larger than a result may be"):
            results.encode(value)


def test_no_message_shows_what_was_stored():
    """Errors are written into logs, which are not for payloads."""
    secret = "4111-1111-1111-1111"
    for codec in CODECS:
        data = codec.encode([secret, {secret: secret}])
        with pytest.raises(seawall.DecodeError) as caught:
            codec.decode(data[:-1])
        assert secret not in str(caught.value)
        with pytest.raises(seawall.EncodeError) as unwritten:
            codec.encode({secret: {secret + " ": print}})
        assert secret + " " not in str(unwritten.value)


@given(data=st.binary())
def test_stored_errors_are_read_or_refused(data):
    """What stands where an error should is no error of another kind."""
    failures = Failures([Exception])
    for each in (data, MessagePack().encode({"type": data, "message": "", "notes": []})):
        with pytest.raises(seawall.DecodeError):
            failures.decode(1, each)
