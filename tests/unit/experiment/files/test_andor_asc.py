from qdcomp.experiment.files.andor_asc import interpret_data_type, is_andor_text, parse_acquisition

LINES = (
    "Date and Time:                Fri Sep  8 15:03:52 2017",
    "Data Type:                    Counts (Bg corrected)",
    "Acquisition Mode:             Kinetics",
    "Exposure Time (secs):         0,5",
    "Kinetic Cycle Time (secs):    2.0",
    "Number of Accumulations:      4",
)


def test_what_andor_writes_beside_the_numbers_is_understood() -> None:
    acquisition = parse_acquisition(LINES)
    assert is_andor_text(LINES)
    assert acquisition.exposure_s == 2.0
    assert acquisition.frame_period_s == 2.0
    assert acquisition.background_subtracted
    assert not acquisition.per_second
    assert acquisition.metadata["Date and Time"] == "Fri Sep  8 15:03:52 2017"


def test_numbers_that_are_none_are_absent() -> None:
    acquisition = parse_acquisition(("Exposure Time (secs): soon", "Kinetic Cycle Time (secs): 0"))
    assert acquisition.exposure_s is None
    assert acquisition.frame_period_s is None
    assert not is_andor_text(("Exposure Time (secs): 1",))


def test_the_kind_of_data_tells_background_and_rate() -> None:
    assert interpret_data_type("Counts") == (False, False)
    assert interpret_data_type("Counts (Bg corrected per second)") == (True, True)
