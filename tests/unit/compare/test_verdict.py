import pytest
from builders.linewidth_points import calculated, law, measured, measured_series

from qdcomp.compare.linewidths import compare_linewidths
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.compare.verdict import state_verdict
from qdcomp.errors import InputError


def verdict(*points):
    return state_verdict(compare_linewidths(points))


def test_agreement_is_stated_in_combined_errors():
    text = verdict(
        calculated(3.6, 127.0, 18.0, source="cp2k", assumptions=()),
        measured(3.6, 125.0, 9.0, label="dot 7"),
    )
    assert text.startswith(
        "The calculated 3.6 nm dot is 127 ± 18 meV, the nearest measured dot (dot 7; this "
        "laboratory) 125 ± 9 meV: they agree within 0.1 combined errors."
    )


def test_trend_is_preferred_to_a_single_dot_and_own_to_published():
    own = [calculated(d) for d in (2.4, 3.0, 3.6)]
    text = verdict(*own, *measured_series(), *list_published_linewidths())
    assert text.startswith(
        "The calculated 3.6 nm dot is 118 ± 10 meV, the measured trend (measured"
    )
    assert "Of the 3 calculated dots from 2.4 to 3.6 nm 3 agree within 2 errors" in text


@pytest.mark.parametrize(
    ("offset", "words"),
    [(0.0, "agree within"), (27.0, "too few to say that they differ"), (50.0, "they differ by")],
)
def test_words_follow_the_distance(offset, words):
    text = verdict(calculated(3.0, law(3.0) + offset, 10.0), measured(3.0, law(3.0), 4.0))
    assert words in text


def test_missing_error_on_one_side_is_an_upper_bound_and_on_both_no_judgement():
    one = verdict(calculated(3.0, error=10.0), measured(3.0, law(3.0) - 15.0, None, label="dot 3"))
    assert "they agree within 1.5 errors of the one that has one, at most, since dot 3 has" in one
    none = verdict(calculated(3.0, error=None), measured(3.0, law(3.0) - 15.0, None))
    assert "15 meV apart, and neither has an error to say" in none
    assert "± " not in none.split("Assumed")[0]


def test_dots_without_any_error_are_counted_as_not_judged():
    own = [calculated(d, error=None) for d in (3.0, 3.6)]
    text = verdict(*own, *(measured(d, error=None) for d in (3.0, 3.6)))
    assert "from 3 to 3.6 nm none can be judged" in text


def test_engine_to_judge_can_be_named():
    points = [
        calculated(3.0, law(3.0), source="cp2k", label="dot A"),
        calculated(3.0, law(3.0) + 80.0),
        measured(3.0),
    ]
    comparison = compare_linewidths(points)
    assert "they differ by" in state_verdict(comparison, "calculated, model engine")
    named = state_verdict(comparison, "calculated, cp2k")
    assert named.startswith("The calculated 3 nm dot (dot A) is 133 ± 10 meV")
    assert "they agree" in named
    with pytest.raises(InputError, match="calculated, cp2k, calculated, model engine"):
        state_verdict(comparison, "vasp")


def test_share_is_given_both_ways():
    text = verdict(calculated(3.0, 90.0, 9.0), measured(3.0, 150.0, 0.1))
    assert "60 ± 6 % of the measured one (linear" in text
    assert "36 ± 7 % of its variance" in text
    assert "120 meV would have to be added" in text
    assert "nothing to be explained" in verdict(calculated(3.0, 160.0), measured(3.0, 150.0))


def test_surrogate_and_assumptions_are_named():
    text = verdict(calculated(3.0), measured(3.0, assumptions=("in air",)))
    assert "of a surrogate, not of DFT" in text
    assert "Assumed: in air." in text
    plain = verdict(calculated(3.0, source="cp2k", assumptions=()), measured(3.0))
    assert "surrogate" not in plain


def test_no_overlap_is_said_and_the_nearest_dot_is_not_called_agreement():
    text = verdict(*(calculated(d) for d in (1.8, 2.4, 3.0)), *list_published_linewidths())
    assert text.startswith("No overlap: the calculated dots are 1.8 to 3 nm")
    assert "the nearest is 1.5 nm away. Nothing is extrapolated." in text
    measured_part = text.split("Nothing is extrapolated.")[1].split("the calculated trend")[0]
    assert "agree" not in measured_part
    assert "of which their sizes have a part" in measured_part
    assert "the calculated trend (published, calculated) at that size" in text


def test_published_calculations_are_judged_where_there_are_no_own_ones():
    text = verdict(*list_published_linewidths())
    assert text.startswith("The calculated 4.2 nm dot is 122 meV (no error known)")
    assert "of an ensemble" in text


def test_without_one_side_there_is_no_verdict():
    assert verdict(calculated(3.0)) == "No verdict: there are no measured linewidths."
    assert verdict(measured(3.0)) == "No verdict: there are no calculated linewidths."
    shell = calculated(3.0, label="3 nm core/shell dot")
    assert "one kind has a shell" in verdict(shell, measured(3.0))
    assert verdict(calculated(3.0), measured(3.0, edge_nm=None)).startswith("No verdict: no trend")
