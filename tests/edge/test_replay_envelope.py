from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.replay_envelope import Envelope


def test_few_samples_stay_as_they_are() -> None:
    samples = [(0.0, 5.0), (1.0, 7.0), (9.0, 0.0)]
    assert [one.points()[0] for one in Envelope.of(samples).buckets()] == samples


def test_within_a_stretch_the_extremes_stay_in_their_order() -> None:
    falling = [(0.0, 900.0), (0.25, 4.0), (0.5, 30.0)]
    (bucket,) = Envelope.of(falling).buckets()
    assert bucket.points() == ((0.0, 900.0), (0.25, 4.0))
    assert (bucket.from_s, bucket.to_s) == (0.0, 0.5)


def test_a_silence_stays_empty() -> None:
    samples = [(float(at), 1.0) for at in (*range(1000), *range(90_000, 91_000))]
    buckets = Envelope.of(samples, most=100).buckets()
    assert max(after.from_s - before.to_s for before, after in pairwise(buckets)) > 88_000


@given(
    st.lists(st.tuples(st.floats(0, 500), st.floats(0, 3000)), min_size=1, max_size=300),
    st.integers(2, 50),
)
def test_any_samples_keep_their_span_and_extremes_within_the_limit(
    steps: list[tuple[float, float]], most: int
) -> None:
    at_s = 1_700_000_000.0
    samples = []
    for step_s, power_w in steps:
        at_s += step_s
        samples.append((at_s, power_w))
    buckets = Envelope.of(samples, most).buckets()
    points = [point for one in buckets for point in one.points()]
    assert len(buckets) <= most
    assert (buckets[0].from_s, buckets[-1].to_s) == (samples[0][0], samples[-1][0])
    assert set(points) <= set(samples)
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    powers_w = [power_w for _, power_w in samples]
    drawn_w = [power_w for _, power_w in points]
    assert (min(drawn_w), max(drawn_w)) == (min(powers_w), max(powers_w))
