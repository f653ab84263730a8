"""Coincidences by pulses: single emitters, background, the real dot."""

from dataclasses import replace

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.pulsed_g2 import (
    compute_pulsed_g2,
    subtract_background_coincidences,
    subtract_pulsed_background,
)
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.files.photon_files import read_photons
from qdcomp.experiment.photon_stream import make_photon_stream

PERIOD_S = 4e-7


def draw_emitter(rng, pulses, single, double):
    """Pulses that give one photon, or two, each photon on either detector."""
    kind = rng.random(pulses)
    counts = np.where(kind < double, 2, np.where(kind < double + single, 1, 0))
    macrotimes = np.repeat(np.arange(pulses), counts)
    channels = rng.integers(0, 2, len(macrotimes))
    microtimes = np.minimum(rng.exponential(80, len(macrotimes)), 6000).astype(int)
    return make_photon_stream(
        macrotimes,
        PERIOD_S,
        channels=channels,
        microtimes=microtimes,
        microtime_resolution_ns=0.064,
        duration_s=pulses * PERIOD_S,
    )


class Pieces:
    """A stream in chunks of some photons."""

    def __init__(self, stream, photons):
        self.stream, self.photons = stream, photons
        self.header = stream.header

    def iterate_chunks(self):
        for first in range(0, len(self.stream), self.photons):
            part = slice(first, first + self.photons)
            yield replace(
                self.stream,
                macrotimes=self.stream.macrotimes[part],
                channels=self.stream.channels[part],
                microtimes=self.stream.microtimes[part],
            )


def test_the_real_dot_has_the_coincidences_of_the_manifest(shared_data):
    found = compute_pulsed_g2(read_photons(shared_data / "photon/tsb_hydraharp_v20_t3.ptu"))
    np.testing.assert_array_equal(found.coincidences, [59, 55, 59, 58, 54, 10, 65, 69, 64, 68, 48])
    assert found.zero_delay.value == pytest.approx(
        10 / np.mean([59, 55, 59, 58, 54, 65, 69, 64, 68, 48])
    )
    assert found.purity.value == pytest.approx(1 - found.zero_delay.value)


def test_g2_of_emitters_over_200_repeats():
    rng = np.random.default_rng(1)
    single, double = 0.02, 4e-5
    found = [
        compute_pulsed_g2(draw_emitter(rng, 400_000, single, double)).zero_delay for _ in range(200)
    ]
    truth = 2 * double / (single + 2 * double) ** 2
    values = np.array([one.value for one in found])
    errors = np.array([one.error for one in found])
    assert abs(values.mean() - truth) < 2 * values.std() / np.sqrt(200)
    assert 0.62 <= np.mean(np.abs(values - truth) < errors) <= 0.74


@pytest.mark.parametrize("photons", [11, 1000])
def test_chunks_do_not_matter(photons):
    stream = draw_emitter(np.random.default_rng(2), 30_000, 0.1, 0.01)
    whole = compute_pulsed_g2(stream)
    parts = compute_pulsed_g2(Pieces(stream, photons))
    np.testing.assert_array_equal(whole.coincidences, parts.coincidences)


def test_chosen_photons_alone_are_counted():
    stream = draw_emitter(np.random.default_rng(3), 30_000, 0.1, 0.01)
    half = compute_pulsed_g2(stream, keep=lambda chunk: chunk.macrotimes < 15_000)
    first = stream.macrotimes < 15_000
    alone = compute_pulsed_g2(
        replace(
            stream,
            macrotimes=stream.macrotimes[first],
            channels=stream.channels[first],
            microtimes=stream.microtimes[first],
        )
    )
    np.testing.assert_array_equal(half.coincidences, alone.coincidences)


def draw_blinking_emitter(rng, pulses=400_000, background=0.004):
    """An emitter that is bright half of the time, and a background that does not blink."""
    bright = np.arange(pulses) // 5000 % 2 == 0
    single, double = 0.05, 2e-4
    kind = rng.random(pulses)
    counts = np.where(kind < double, 2, np.where(kind < double + single, 1, 0)) * bright
    counts = counts + rng.poisson(background, pulses)
    macrotimes = np.repeat(np.arange(pulses), counts)
    stream = make_photon_stream(
        macrotimes,
        PERIOD_S,
        channels=rng.integers(0, 2, len(macrotimes)),
        microtimes=np.zeros(len(macrotimes), int),
        microtime_resolution_ns=0.064,
        duration_s=pulses * PERIOD_S,
    )
    share = background / (background + 0.5 * (single + 2 * double))
    return stream, share, 2 * double / (single + 2 * double) ** 2


def test_background_is_taken_off_a_dot_that_blinks():
    rng = np.random.default_rng(8)
    found = []
    for _ in range(60):
        stream, share, truth = draw_blinking_emitter(rng)
        pulsed = compute_pulsed_g2(stream)
        measured = Estimate(share * rng.normal(1.0, 0.05), 0.05 * share)
        found.append(subtract_pulsed_background(pulsed, measured))
    values, errors = (
        np.array([getattr(one, name) for one in found]) for name in ("value", "error")
    )
    assert abs(values.mean() - truth) < 3 * values.std() / np.sqrt(60)
    assert values.std() == pytest.approx(errors.mean(), rel=0.3)
    assert pulsed.coincidences[0] > 1.5 * pulsed.uncorrelated


def test_background_of_a_steady_dot_is_taken_off_as_brouri_does():
    pulsed = compute_pulsed_g2(draw_emitter(np.random.default_rng(9), 400_000, 0.1, 0.002))
    side = pulsed.coincidences.sum() - pulsed.coincidences[5]
    steady = replace(pulsed, uncorrelated=side / 10)
    signal = 0.9
    found = subtract_pulsed_background(steady, Estimate(0.1, 0.0))
    expected = (steady.zero_delay.value - 1 + signal**2) / signal**2
    assert found.value == pytest.approx(expected)
    with pytest.raises(InputError, match="background share"):
        subtract_pulsed_background(pulsed, Estimate(1.0, 0.0))
    with pytest.raises(InputError, match="background alone"):
        subtract_pulsed_background(replace(pulsed, uncorrelated=1e9), Estimate(0.5, 0.0))


def test_background_coincidences_of_damato():
    found = subtract_background_coincidences(Estimate(100.0, 10.0), Estimate(4.0, 2.0))
    assert found.value == pytest.approx(100 + 4 - 2 * np.sqrt(400))
    assert subtract_background_coincidences(Estimate(9.0, 3.0), Estimate(0.0, 0.0)).value == 9.0
    with pytest.raises(InputError, match="negative"):
        subtract_background_coincidences(Estimate(-1.0, 1.0), Estimate(0.0, 0.0))


def test_what_has_no_pulsed_g2_says_why():
    t2 = make_photon_stream(np.arange(10), 1e-9, channels=np.arange(10) % 2)
    with pytest.raises(InputError, match="mode T2"):
        compute_pulsed_g2(t2)
    stream = draw_emitter(np.random.default_rng(4), 2000, 0.1, 0.0)
    with pytest.raises(InputError, match="two detectors"):
        one = replace(stream, header=replace(stream.header, photons_per_channel={0: 200}))
        compute_pulsed_g2(one)
    with pytest.raises(InputError, match="1 or more"):
        compute_pulsed_g2(stream, largest_lag=0)
    clock = replace(stream.header, metadata={"macrotimes_count_pulses": False})
    with pytest.raises(InputError, match="do not count pulses"):
        compute_pulsed_g2(replace(stream, header=clock))
    apart = make_photon_stream(
        [0, 100],
        PERIOD_S,
        channels=[0, 1],
        microtimes=[1, 1],
        microtime_resolution_ns=0.064,
    )
    with pytest.raises(InputError, match="no coincidences"):
        compute_pulsed_g2(apart)
