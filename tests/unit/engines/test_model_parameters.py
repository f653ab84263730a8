from pathlib import Path

import pytest
import yaml

from qdcomp.engines.model.parameters import (
    check_elements,
    find_parameter_file,
    read_parameters,
)
from qdcomp.errors import InputError


def test_prototype_numbers_are_those_of_the_first_issue() -> None:
    parameters = read_parameters()
    assert parameters.name == "cspbbr3_prototype"
    charges = {name: element.charge for name, element in parameters.elements.items()}
    assert charges == {"Cs": 0.75, "Pb": 1.5, "Ca": 1.5, "Br": -0.75}
    lead, bromine = parameters.elements["Pb"], parameters.elements["Br"]
    assert (lead.onsite_s_ev, lead.onsite_p_ev) == (-4.0, 4.2)
    assert (bromine.onsite_s_ev, bromine.onsite_p_ev) == (-13.0, 0.0)
    pairs = {key: (p.a_ev, p.rho, p.c6) for key, p in parameters.pairs.items()}
    assert pairs["Br", "Pb"] == (2350.0, 0.305, 0.0)
    assert pairs["Br", "Cs"] == (4200.0, 0.345, 0.0)
    assert pairs["Br", "Br"] == (5000.0, 0.37, 120.0)
    hopping = parameters.hoppings["Pb", "Br"]
    assert (
        hopping.cation_s_anion_p_sigma,
        hopping.pp_sigma,
        hopping.pp_pi,
        hopping.anion_s_cation_p_sigma,
        hopping.r_reference,
        hopping.exponent,
        hopping.taper_start,
    ) == (1.15, 2.0, -0.45, 1.0, 2.97, 3.0, 4.2)


def test_every_number_says_where_it_comes_from() -> None:
    content = yaml.safe_load(find_parameter_file("cspbbr3_prototype").read_text())
    entries = [*content["elements"].values(), *content["pairs"], *content["hoppings"], content]
    assert all(entry["source"] for entry in entries)


def test_elements_without_parameters_are_named_with_those_that_have_them() -> None:
    with pytest.raises(
        InputError, match=r"no parameters for I, Sn; it has them for Br, Ca, Cs, Pb"
    ):
        check_elements(read_parameters(), ["Cs", "Sn", "I", "I"])


def test_a_new_fit_is_a_new_file(tmp_path: Path) -> None:
    content = yaml.safe_load(find_parameter_file("cspbbr3_prototype").read_text())
    content["name"] = "stiffer"
    content["pairs"][0]["A"] = 2600.0
    path = tmp_path / "fit.yaml"
    path.write_text(yaml.safe_dump(content))
    parameters = read_parameters(str(path))
    assert parameters.name == "stiffer"
    assert parameters.pairs["Br", "Pb"].a_ev == 2600.0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cspbbr3_prototyp", "shipped sets: .*cspbbr3_prototype"),
        ("/nowhere/fit.yaml", "does not exist"),
    ],
)
def test_unknown_parameter_set(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_parameters(name)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda c: c["pairs"][0].update(rho=-0.3), "'rho' must be positive"),
        (lambda c: c["pairs"][0].update(A="much"), "'A' must be a number"),
        (lambda c: c["elements"]["Pb"].pop("onsite_p"), "element Pb: 'onsite_p'"),
        (lambda c: c["elements"]["Pb"].update(role="metal"), "'role' must be"),
        (lambda c: c["hoppings"][0].update(taper_end=4.0), "taper_start must lie below"),
        (lambda c: c["pairs"][0].update(elements=["Pb"]), "must name two elements"),
        (lambda c: c.pop("pairs"), "expected the keys"),
    ],
)
def test_impossible_parameter_file_is_refused(tmp_path: Path, break_it, message: str) -> None:  # type: ignore[no-untyped-def]
    content = yaml.safe_load(find_parameter_file("cspbbr3_prototype").read_text())
    break_it(content)
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=message):
        read_parameters(str(path))


def test_missing_pair_is_refused(tmp_path: Path) -> None:
    content = yaml.safe_load(find_parameter_file("cspbbr3_prototype").read_text())
    content["hoppings"] = content["hoppings"][:1]
    path = tmp_path / "no_calcium_hopping.yaml"
    path.write_text(yaml.safe_dump(content))
    parameters = read_parameters(str(path))
    check_elements(parameters, ["Cs", "Pb", "Br"])
    with pytest.raises(InputError, match="Ca–Br"):
        check_elements(parameters, ["Ca", "Br"])


def test_unreadable_file_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "torn.yaml"
    path.write_text("elements: {Cs: [")
    with pytest.raises(InputError, match="cannot read"):
        read_parameters(str(path))
