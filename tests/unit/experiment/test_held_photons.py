import numpy as np

from qdcomp.experiment import SimulatedSource, make_photon_stream
from qdcomp.experiment.photon_stream import HELD_PHOTONS, HeldPhotons, hold_photons
from qdcomp.experiment.simulation.simulated_presets import make_damato_preset


class Counted:
    """A source that knows how often it was read."""

    def __init__(self, source, photons=None):
        self.source, self.read = source, 0
        self.header = source.header if photons is None else _Claim(photons)

    def iterate_chunks(self):
        self.read += 1
        return self.source.iterate_chunks()


class _Claim:
    def __init__(self, photons):
        self.photons = photons


def test_a_short_source_is_read_once_and_gives_the_same_photons_each_time():
    preset = make_damato_preset()
    source = Counted(SimulatedSource(preset.dot, preset.experiment, 0.5, 1))
    held = hold_photons(source)
    for _ in range(2):
        times = np.concatenate([chunk.macrotimes for chunk in held.iterate_chunks()])
        expected = [chunk.macrotimes for chunk in source.source.iterate_chunks()]
        np.testing.assert_array_equal(times, np.concatenate(expected))
    assert source.read == 1
    assert hold_photons(held) is held and isinstance(held, HeldPhotons)


def test_a_long_source_is_not_held_and_a_stream_is_its_own():
    long = Counted(None, HELD_PHOTONS + 1)
    assert hold_photons(long) is long and long.read == 0
    stream = make_photon_stream(np.arange(5), 1e-9)
    assert hold_photons(stream) is stream
