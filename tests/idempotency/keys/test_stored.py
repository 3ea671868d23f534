"""What keys look like in a store."""

import uuid

import pytest
import seawall
from hypothesis import given
from hypothesis import strategies as st
from seawall.idempotency.keys import stored

from tests.idempotency.keys import shapes


@pytest.mark.parametrize(
    "key", ["order-123", "a", "x" * 255, "tenant/7:pay me?", "ä-ß-é", "заказ", "注文", "{}"]
)
def test_short_readable_texts_stay_as_they_are(key):
    """A list of records shows what people called them."""
    assert stored(key) == key.encode()


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (5, b"~int:5"),
        (-(2**63), b"~int:-9223372036854775808"),
        (uuid.UUID(int=7), b"~uuid:00000000-0000-0000-0000-000000000007"),
    ],
)
def test_numbers_and_uuids_can_be_read(key, form):
    """They are marked, and so are no texts."""
    assert stored(key) == form


@pytest.mark.parametrize(
    "key",
    [
        "~", "~int:5", "~1:" + "0" * 64, "x" * 256, " a", "a ", "a\nb", "a\x00", "\x7f",
        "\u202eabc", "\u200b", "a\u0301", "\ud800", "x" * 10_000_000, b"a", b"order-123", ("a", 1),
        True, 1.0, 2**64, shapes.UserId("order-123"), shapes.Method.CARD, [None],
    ],
)  # fmt: skip
def test_all_else_is_a_digest(key):
    """What is long, can't be shown, could be mistaken or is no text is hashed and marked."""
    form = stored(key)
    assert form.startswith(b"~1:")
    assert len(form) == 67
    assert form == stored(key)


@given(st.lists(st.text() | st.integers() | st.binary(min_size=1) | st.uuids(), max_size=20))
def test_no_two_keys_meet(keys):
    """As many keys, as many forms: not even a text that looks like a form meets another's."""
    all_keys = {(type(key), key) for key in keys if key != ""}
    forms = {stored(key) for _, key in all_keys}
    again = {stored(form.decode()) for form in forms if form.startswith(b"~")}
    assert len(forms) == len(all_keys)
    assert not forms & again


@pytest.mark.parametrize("key", [None, "", b"", shapes.UserId("")])
def test_no_key_is_an_error(key):
    """What all calls that forgot their key would share is refused, and nothing is run."""
    with pytest.raises(seawall.IdempotencyKeyError, match="give each operation a key of its own"):
        stored(key)
