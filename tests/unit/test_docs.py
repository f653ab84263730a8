"""The pages under docs/ say what is there: commands, options, links, figures, numbers."""

import importlib
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from qdcomp.cli.application import application

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
GROUP = typer.main.get_command(application)

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z0-9_-]*")
OPTION_ROW = re.compile(r"^\| (`-[^|]*) \|", re.M)
HELP = {"--help", "-h"}
TOPICS = {"campaign"}  # pages about what several commands do together


def list_parameters(name):
    """Parameters of a command; of a group, of itself and its commands."""
    command = GROUP.commands[name]
    inner = getattr(command, "commands", {}).values()
    return [parameter for each in (command, *inner) for parameter in each.params]


def name_options(parameters):
    """Give all spellings of options."""
    options = {name for p in parameters for name in (*p.opts, *p.secondary_opts)}
    return {name for name in options if name.startswith("-")}


def read_page(name):
    return (DOCS / "how-to" / f"{name}.md").read_text(encoding="utf-8")


def find_blocks(text, language):
    return [body for found, body in FENCE.findall(text) if found == language]


def find_usage(text):
    usages = [body for body in find_blocks(text, "text") if body.startswith("usage: qdcomp")]
    assert len(usages) == 1
    return usages[0]


def find_headings(path):
    """Give the anchors of a page as Python-Markdown makes them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", t).strip().lower()) for t in titles}


def list_shell_commands():
    """Every line of a shell block that calls qdcomp, from the pages and the README."""
    for path in (*PAGES, ROOT / "README.md"):
        for block in find_blocks(path.read_text(encoding="utf-8"), "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["qdcomp"]:
                    yield pytest.param(words[1:], id=f"{path.stem}: {line.partition(' #')[0]}")


def parse(command, words):
    """Parse words as the command line would, and call nothing; errors are raised."""
    context = command.make_context("qdcomp", list(words))
    while hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def load_figure_script():
    spec = importlib.util.spec_from_file_location("make_figures", DOCS / "make_figures.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_every_command_has_a_page_and_every_page_a_command():
    pages = {path.stem for path in (DOCS / "how-to").glob("*.md")} - {"index"}
    assert pages - TOPICS == set(GROUP.commands)


def test_the_overview_names_every_page():
    listed = set(re.findall(r"\]\((\w+)\.md\)", read_page("index").split("## ")[0]))
    assert listed == {path.stem for path in (DOCS / "how-to").glob("*.md")} - {"index"}


@pytest.mark.parametrize("name", sorted(GROUP.commands))
def test_usage_names_the_options_of_the_command_and_no_others(name):
    usage = find_usage(read_page(name))
    assert usage.startswith(f"usage: qdcomp {name}")
    assert set(OPTION.findall(usage)) == name_options(list_parameters(name)) - HELP


@pytest.mark.parametrize("name", sorted(GROUP.commands))
def test_the_table_describes_every_option_once(name):
    rows = [option for row in OPTION_ROW.findall(read_page(name)) for option in OPTION.findall(row)]
    assert sorted(rows) == sorted(name_options(list_parameters(name)) - HELP)


def test_the_options_of_all_commands_are_described():
    page = read_page("index")
    rows = {option for row in OPTION_ROW.findall(page) for option in OPTION.findall(row)}
    assert rows == name_options(GROUP.params) | HELP
    assert set(OPTION.findall(find_usage(page))) <= rows


@pytest.mark.parametrize("words", list_shell_commands())
def test_shell_lines_parse(words):
    parse(GROUP, words)


def test_a_line_with_a_wrong_option_does_not_parse():
    with pytest.raises(Exception, match="No such option: --celsl"):
        parse(GROUP, ["build", "--celsl", "3"])
    with pytest.raises(Exception, match="No such command 'lists'"):
        parse(GROUP, ["ligands", "lists"])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_links_lead_somewhere(path):
    made = load_figure_script().FIGURES
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if target.startswith("https://"):
            continue
        page, _, anchor = target.partition("#")
        found = (path.parent / page).resolve() if page else path
        if found.parent == DOCS / "figures":
            assert found.name in made, f"{target}: docs/make_figures.py does not make it"
        else:
            assert found.is_file(), target
        assert not anchor or anchor in find_headings(found), target


API_PAGES = sorted((DOCS / "api").glob("*.md"))


@pytest.mark.parametrize("path", API_PAGES, ids=lambda path: path.stem)
def test_each_module_of_the_api_pages_is_there(path):
    for module in re.findall(r"^::: (\S+)$", path.read_text(encoding="utf-8"), re.M):
        assert importlib.util.find_spec(module) is not None, module


def test_every_figure_is_shown():
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert set(re.findall(r"figures/(\w+\.png)", text)) == set(load_figure_script().FIGURES)


def test_the_pages_load_nothing_from_elsewhere():
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in settings
    sources = [settings, *(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.css"))]
    assert not any(re.search(r"https?://|//cdn", source) for source in sources)


def test_the_figures_of_the_run_come_from_the_demo(tmp_path):
    from qdcomp.recipes.study_files.studies import read_study

    script = load_figure_script()
    script.write_demo_study(tmp_path / "docs.yaml")
    study = read_study(tmp_path / "docs.yaml")
    assert study.engine == "model" and study.structure.cells == 3
    assert study.sampling.steps == 600


def test_the_tutorial_gives_the_numbers_that_it_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    (script,) = find_blocks(text, "python")
    names = {}
    exec(compile(script, "tutorial.md", "exec"), names)
    low, high = (1e3 * width for width in names["line"].hwhm_ev)
    assert f"{low:.1f} meV on the low- and {high:.1f} meV on the high-energy side" in text
    (line,) = re.findall(r"^qdcomp (spectrum .+)$", text, re.M)
    result = CliRunner().invoke(application, shlex.split(line))
    assert result.exit_code == 0, result.exception or result.output
    (printed,) = (b for b in find_blocks(text, "text") if b.startswith("peak"))
    assert printed.splitlines()[0] in result.output


@pytest.mark.parametrize("package", ["analysis", "experiment", "structures"])
def test_every_public_name_stands_under_its_module(package):
    public = importlib.import_module(f"qdcomp.{package}")
    page = (DOCS / "api" / f"{package}.md").read_text(encoding="utf-8")
    named = set()
    for entry in page.split("\n::: ")[1:]:
        module = importlib.import_module(entry.split()[0])
        members = re.findall(r"^ +- (\w+)$", entry, re.M)
        assert [name for name in members if not hasattr(module, name)] == []
        named |= {name for name in members if hasattr(public, name)}
    assert named == set(public.__all__)


def test_python_examples_run():
    for path in DOCS.glob("api/*.md"):
        for block in find_blocks(path.read_text(encoding="utf-8"), "python"):
            names = {}
            exec(compile(block, str(path), "exec"), names)
            assert names["width_ev"] == pytest.approx(0.138, abs=5e-4)
