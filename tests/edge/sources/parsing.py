"""What every source promises, whatever bytes come: properties that each source's tests draw on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import strategies as st

from edge.sources.reading import Reading, RepeatsFollow, Skip
from edge.sources.source import Source

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)

_leaf = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["nan", "online", "1e999", "9" * 400])
)
json_values = st.recursive(
    _leaf,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def payloads(*names: str) -> st.SearchStrategy[bytes]:
    """Bytes of every kind, and often JSON that has the fields ``names`` with anything in them."""
    fields = st.dictionaries(st.sampled_from(names), json_values)
    nested = st.dictionaries(st.sampled_from(names), fields | json_values)
    deeper = st.dictionaries(st.sampled_from(names), nested | json_values)
    written = (json_values | fields | nested | deeper).map(lambda body: json.dumps(body).encode())
    words = st.sampled_from([b"", b"nan", b"None", b"12.5", b"-7", b"true", b"online", b"1e400"])
    return st.binary() | written | words | st.floats().map(lambda one: str(one).encode())


def only_what_may_be(source: Source, topic: str, payload: bytes) -> None:
    """Fail when ``parse`` raises, gives an impossible number or says what must not be logged."""
    found = source.parse(topic, payload, AT)
    for one in [found] if isinstance(found, Skip) else found:
        if isinstance(one, Skip):
            assert one.detail.isprintable()
            assert len(one.detail) <= 120
            continue
        assert one.machine == source.machine
        assert one.at == AT
        if isinstance(one, Reading):
            assert (one.power_w, one.energy_wh) != (None, None)
            assert one.power_w is None or 0 <= one.power_w <= 50_000
            assert one.energy_wh is None or 0 <= one.energy_wh <= 1e9
            assert one.said_at is None or one.said_at.tzinfo is not None
        elif isinstance(one, RepeatsFollow):
            assert topic != source.filters()[0], "values never announce values"
