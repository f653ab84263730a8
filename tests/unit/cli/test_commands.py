import errno
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from qdcomp.cli import UNEXPECTED_ERROR, USER_ERROR, main
from qdcomp.cli.application import application
from qdcomp.cli.console import make_printable
from qdcomp.resources import find_study

COMMANDS = get_command(application).commands
runner = CliRunner()


def call(monkeypatch, *arguments):
    """Exit code of the installed command, with its own handling of errors."""
    monkeypatch.setattr(sys, "argv", ["qdcomp", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name):
    text = COMMANDS[name].help
    assert text
    assert name == "studies" or f"qdcomp {name}" in text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_says_what_it_is(name):
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


def test_the_version_is_printed():
    result = runner.invoke(application, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("qdcomp ")


def test_build_writes_a_structure_and_a_picture(tmp_path):
    out, picture = tmp_path / "dot.extxyz", tmp_path / "dot.png"
    arguments = ["build", "--cells", "2", "--out", str(out), "--picture", str(picture)]
    result = runner.invoke(application, arguments)
    assert result.exit_code == 0, result.output
    assert "63 atoms" in result.output and "charge -1 e" in result.output
    assert out.is_file()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_build_freezes_what_it_is_told(tmp_path):
    out = tmp_path / "dot.extxyz"
    arguments = ["build", "--cells", "3", "--freeze", "shell:0.5", "--out", str(out)]
    assert ", 0 frozen" not in runner.invoke(application, arguments).output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["build", "--cells", "0"], "0"),
        (["build", "--composition", "CsXxBr3"], "Xx"),
        (["build", "--charge", "some"], "formal, neutral or a whole number"),
        (["build", "--freeze", "shell"], "shell:0.5"),
        (["build", "--shell", "CsCaBr3", "--shell-cells", "9"], "core"),
        (["build", "--shell-cells", "2"], "--shell CsCaBr3"),
        (["run", "demo", "--out", "file"], "is a file, and a run is a folder"),
        (["plan", "demo", "--inputs", "file"], "file: File exists; expected"),
        (["plan", "no_such_study"], "shipped studies: demo"),
        (["run", "demo", "--launchpad", "foo"], "expected mongodb://HOST"),
        (["run", "no_such_study"], "shipped studies: demo"),
        (["submit", "."], ". is a folder, and a study is a file"),
        (["resume", "nowhere"], "not the folder of a run"),
        (["status", "nowhere"], "not the folder of a run"),
        (["report", "nowhere"], "not the folder of a run"),
        (["analyse", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(
    monkeypatch, tmp_path, capsys, arguments, expected
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert call(monkeypatch, *arguments) == USER_ERROR
    error = capsys.readouterr().err
    assert error.startswith("qdcomp: error: ")
    assert expected in error
    assert "Traceback" not in error


def test_a_full_disk_is_told_with_what_to_do(monkeypatch, capsys):
    def write(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("qdcomp.resources.find_study", write)
    assert call(monkeypatch, "plan", "demo") == USER_ERROR
    assert "No space left on device; make room on the disk" in capsys.readouterr().err


def test_a_launchpad_that_is_no_server_leaves_no_folder_behind(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "run", "demo", "--launchpad", "http://foo") == USER_ERROR
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_is_refused(monkeypatch, capsys):
    assert call(monkeypatch, "build", "--sells", "3") == USER_ERROR
    assert "--sells" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--temperature", "--emission-temperature"])
@pytest.mark.parametrize("value", ["0", "-3", "nan", "inf"])
def test_a_temperature_is_a_positive_number(monkeypatch, tmp_path, capsys, option, value):
    assert call(monkeypatch, "analyse", str(tmp_path), option, value) == USER_ERROR
    assert f"{option}': {value} K;" in capsys.readouterr().err


def test_lpad_has_help_of_its_own(monkeypatch, capsys):
    assert call(monkeypatch, "lpad", "--help") == 0
    assert "qdcomp lpad runs/demo get_wflows" in capsys.readouterr().out


def test_help_says_where_to_begin(monkeypatch, capsys):
    assert call(monkeypatch, "--help") == 0
    assert "qdcomp run demo" in capsys.readouterr().out


def test_debug_shows_the_traceback(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "--debug", "build", "--cells", "0") == USER_ERROR
    assert "Traceback" in capsys.readouterr().err


def test_a_fault_of_qdcomp_is_a_line_that_says_so(monkeypatch, tmp_path, capsys):
    def fail(*arguments, **options):
        raise RuntimeError("a bug")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("qdcomp.structures.build_quantum_dot", fail)
    assert call(monkeypatch, "build") == UNEXPECTED_ERROR
    error = capsys.readouterr().err
    assert "unexpected RuntimeError: a bug" in error and "--debug" in error
    assert "Traceback" not in error


def test_plan_says_what_would_run_and_writes_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(application, ["plan", "demo"])
    assert result.exit_code == 0, result.output
    for expected in ("191 atoms", "charge +2 e", "electrons", "01 relax", "core-hours", "GiB"):
        assert expected in result.output
    assert not list(tmp_path.iterdir())


def test_plan_writes_the_inputs_of_the_first_job(monkeypatch, tmp_path):
    result = runner.invoke(application, ["plan", "demo", "--inputs", str(tmp_path / "inputs")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "inputs" / "job.json").is_file()


def test_studies_lists_the_papers_campaign():
    result = runner.invoke(application, ["studies"])
    assert "raino2022_dot_1p8nm" in result.output
    assert "smoke_cp2k" in result.output
    assert "6 members: 2 × structure.cells, 3 × seed" in result.output


def test_what_a_file_holds_does_not_act_on_the_terminal(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text('name: "a\\x1b]0;title\\x07"\n"\\x1b[2J": 1\n')
    assert call(monkeypatch, "plan", "study.yaml") == USER_ERROR
    error = capsys.readouterr().err
    assert "line 2" in error and "cannot be seen" in error
    assert not set(error) & set("\x1b\x07")
    assert make_printable("a\x1b[31m\u202eb\tc\n") == "a\\x1b[31m\\u202eb\tc\n"


def test_a_password_on_the_command_line_is_warned_of(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    uri = "mongodb://anna:hidden@127.0.0.1:9/db?serverSelectionTimeoutMS=50"
    assert call(monkeypatch, "run", "demo", "--out", "run", "--launchpad", uri) == USER_ERROR
    shown = "".join(capsys.readouterr())
    assert "QDCOMP_LAUNCHPAD" in shown and "anna:***@" in shown
    assert "hidden" not in shown
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        assert "hidden" not in path.read_text(errors="replace"), path


def test_a_wrong_setting_of_the_engine_is_told_with_its_line(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    text = find_study("smoke_slab_cp2k").read_text()
    wrong = text.replace("cutoff_ry: 200", "cutof_ry: 200").replace("eps_scf: 1e-5", "eps_scf: 7")
    (tmp_path / "study.yaml").write_text(wrong)
    assert call(monkeypatch, "plan", "study.yaml") == USER_ERROR
    error = capsys.readouterr().err
    lines = wrong.splitlines()
    for key in ("cutof_ry", "eps_scf"):
        number = next(n for n, line in enumerate(lines, start=1) if line.strip().startswith(key))
        assert f"study.yaml, line {number}: engines.cp2k.{key}: cp2k" in error
