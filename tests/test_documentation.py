"""What the documents and the messages name is there: commands, options, files, names of code."""

import argparse
import ast
import re
from functools import cache

import pytest
from invoke import Program

import tasks
from bench.__main__ import _parser
from bench.paths import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *(ROOT / "runs/README.md", ROOT / "reports/README.md"),
    *sorted((ROOT / ".github").rglob("*.yml")),
]
CODE = [*sorted((ROOT / "bench").rglob("*.py")), ROOT / "tasks.py"]
TEMPLATES = sorted((ROOT / "templates").rglob("*.j2"))
FLAG = re.compile(r"(?<![\w\"'-])--[a-z][a-z-]*(?![\w:-])")
QUOTED = re.compile(r"``?([^`\n]+)``?")
# Options of other programs that the documents tell a reader to call.
OTHERS = re.compile(r"\b(pip|git|apt-get|apt|npm|dnf|docker|ulimit|ray)\b")
# Folders of what the project writes: their files are not in a checkout.
WRITTEN = ("runs/", "reports/", ".benchmarks/")


@cache
def _commands():
    """Options of each command of `python -m bench`, by its name; those of all by the empty one."""
    subparsers = next(
        action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    found = {name: set(sub._option_string_actions) for name, sub in subparsers.choices.items()}
    return {**found, "": set(_parser()._option_string_actions)}


@cache
def _invoke_tasks():
    """Options of each Invoke task, by its name; those of Invoke itself by the empty name."""
    contexts = {each.name: set(each.flags) for each in tasks.namespace.to_contexts()}
    return {**contexts, "": set(Program().initial_context.flags)}


def _messages(path):
    """Yield the texts of a Python file, docstrings too, with X for what is computed."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def _texts():
    found = [(path, path.read_text(encoding="utf-8")) for path in [*DOCUMENTS, *TEMPLATES]]
    found += [(path, text) for path in CODE for text in _messages(path) if " " in text.strip()]
    return found


def _calls(text):
    """Yield the commands that a text quotes, or has on a line of its own."""
    lines = [line.strip() for line in text.splitlines()]
    candidates = [
        *QUOTED.findall(text),
        *(line.removeprefix("run: ") for line in lines if line.startswith((".venv/", "run: "))),
        *(part for line in lines for part in line.split(" && ")[1:]),
    ]
    for candidate in candidates:
        for call in re.split(r" && |; | >> ", candidate):
            words = call.strip().split()
            if words[:1] and words[0].rpartition("/")[2] == "invoke":
                yield "invoke", words[1:]
            elif len(words) > 2 and words[1] == "-m" and words[2].split(".")[0] == "bench":
                yield words[2], words[3:]


def _flags(words):
    return [word.partition("=")[0] for word in words if FLAG.fullmatch(word.partition("=")[0])]


def _wrong(program, words):
    """Say what of a command does not exist; empty if all of it does."""
    if program in ("invoke", "bench"):
        known = _invoke_tasks() if program == "invoke" else _commands()
        if not words or words[0].startswith("<"):
            return ""
        name = "" if words[0].startswith("-") else words[0]
        if name not in known:
            return f"no {program} {name}"
        allowed = known[name] | known[""]
        missing = [flag for flag in _flags(words) if flag not in allowed]
        return f"{program} {name} has no {', '.join(missing)}" if missing else ""
    base = ROOT.joinpath(*program.split("."))
    file = base / "__main__.py" if base.is_dir() else base.with_suffix(".py")
    if not file.is_file():
        return f"no module {program}"
    source = file.read_text(encoding="utf-8")
    missing = [flag for flag in _flags(words) if f'"{flag}"' not in source]
    return f"{program} has no {', '.join(missing)}" if missing else ""


def test_every_command_that_is_named_exists():
    wrong = [
        f"{path.relative_to(ROOT)}: {problem}"
        for path, text in _texts()
        for program, words in _calls(text)
        if (problem := _wrong(program, words))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_option_that_is_named_exists():
    known = set().union(*_commands().values(), *_invoke_tasks().values())
    modules = "\n".join(path.read_text(encoding="utf-8") for path in CODE)
    known |= set(re.findall(r"add_argument\(\s*\"(--[a-z-]+)\"", modules))
    wrong = set()
    for path, text in _texts():
        if path.suffix == ".j2":
            text = re.sub(r"<style.*?</style>|style=\"[^\"]*\"|\{#.*?#\}", "", text, flags=re.S)
        elif path in DOCUMENTS or path.suffix == ".py":
            text = "\n".join(line for line in text.splitlines() if not OTHERS.search(line))
        wrong |= {f"{path.relative_to(ROOT)}: {flag}" for flag in FLAG.findall(text)} - {
            f"{path.relative_to(ROOT)}: {flag}" for flag in known
        }
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("task", ["run-all", "report", "status", "speed", "clean", "bench-check"])
def test_a_task_offers_what_its_command_does(task):
    """Where the folders are is for scripts alone."""
    folders = {"--runs", "--reports", "--help", "-h"}
    assert _commands()[task] - folders <= _invoke_tasks()[task]


@pytest.mark.parametrize(
    "task",
    ["mnist-classifier", "fashion-embedding", "fashion-generation", "fashion-classifier", "search"],
)
def test_the_tasks_of_experiments_offer_what_run_does(task):
    assert (
        _commands()["run"] - {"--runs", "--reports", "--variant", "-h", "--help"}
        <= _invoke_tasks()[task]
    )


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["run-all", "--workers", "3"], ["run-all", "--workers=3"]),
        (["report"], ["report"]),
        (["clean", "--run", "", "--yes"], ["clean", "--run=", "--yes"]),
        (["search", "mnist_classifier"], ["run", "mnist_classifier", "--variant=search"]),
        (
            ["bench-check", "--base", "HEAD~1", "--accept", "a", "--accept", "b"],
            ["bench-check", "--base=HEAD~1", "--accept=a", "--accept=b"],
        ),
    ],
)
def test_a_task_hands_its_options_on(monkeypatch, given, passed):
    called = []
    monkeypatch.setattr(tasks, "_run", lambda *words: called.append(list(words)))
    Program(namespace=tasks.namespace).run(["invoke", *given], exit=False)
    assert [words[3:] for words in called] == [passed]


def _quoted():
    documents = [path for path in DOCUMENTS if path.suffix == ".md"]
    return [
        (path.name, token)
        for path in documents
        for token in QUOTED.findall(path.read_text(encoding="utf-8"))
        if " " not in token
    ]


def test_every_file_that_the_documents_name_is_there():
    files = [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    places = ["/" + path.relative_to(ROOT).as_posix() for path in files]
    wrong = [
        f"{document}: {token}"
        for document, token in _quoted()
        if re.fullmatch(r"[\w./-]+", token)
        and ("/" in token.strip("/") or re.search(r"\w\.(py|toml|md|json|txt|html)$", token))
        and not token.startswith(WRITTEN)
        and not any(place.endswith("/" + token.strip("/")) for place in places)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_name_of_code_that_the_documents_use_is_there():
    """Settings, experiments, functions, environment variables: whatever has an underscore."""
    sources = [*CODE, *(ROOT / "bench").rglob("*.toml"), ROOT / "pyproject.toml"]
    words = set().union(*(re.findall(r"\w+", path.read_text("utf-8")) for path in sources))
    words |= set(re.findall(r"\w+", " ".join(path.stem for path in sources)))
    words.add("KERAS_BACKEND")
    wrong = [
        f"{document}: {token}"
        for document, token in _quoted()
        if re.fullmatch(r"[A-Za-z_][\w.]*(\(.*\))?", token) and "_" in token
        for part in re.findall(r"[A-Za-z_]\w+", token.partition("(")[0])
        if part not in words
    ]
    assert not wrong, "\n".join(wrong)


def test_the_environment_variables_of_the_code_are_in_the_documents():
    named = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
    read = set(
        re.findall(r"\"(LATENT_LAB_[A-Z_]+)\"", "\n".join(p.read_text("utf-8") for p in CODE))
    )
    assert read
    assert not [variable for variable in read if variable not in named]


def _public_functions(tree):
    """Functions and methods that have a docstring of their own, and no leading underscore."""
    found = []
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
    for owner in (tree, *classes):
        found += [
            node
            for node in owner.body
            if isinstance(node, ast.FunctionDef)
            and not node.name.startswith("_")
            and ast.get_docstring(node)
        ]
    return found


def test_functions_of_several_arguments_say_what_each_is():
    """But for the functions of commands, which all take the same two."""
    wrong = []
    for path in CODE:
        for node in _public_functions(ast.parse(path.read_text(encoding="utf-8"))):
            given = node.args
            names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            names = [name for name in names if name not in ("self", "cls")]
            if len(names) < 2 or names[1:] in (["console"], ["options"]) or path.name == "tasks.py":
                continue
            text = ast.get_docstring(node)
            returns = node.returns is not None and ast.unparse(node.returns) != "None"
            missing = [] if "Parameters\n---" in text else ["Parameters"]
            if returns and "Returns\n---" not in text and "Yields\n---" not in text:
                missing.append("Returns")
            if missing:
                where = f"{path.relative_to(ROOT)}, line {node.lineno}, {node.name}"
                wrong.append(f"{where}: {', '.join(missing)}")
    assert not wrong, "\n".join(wrong)
