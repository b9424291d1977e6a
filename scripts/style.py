#!/usr/bin/env python3
"""Checks the style that CONTRIBUTING.md describes, as far as a script can."""

import pathlib
import re
import sys

COLUMNS = 100
LINES = 400
README_LINES = 150
# Each file in these is a program.
PROGRAMS = [pathlib.Path(folder) for folder in ("benches", "examples", "fuzz/fuzz_targets")]
RIDDLE = re.compile(r"\s*//[/!]? ((?:So many|What|Nor|The same of)\b|None:)")
CODE = ["src", "cli", "tests", "benches", "examples", "fuzz/fuzz_targets"]
SCRIPTS = ["scripts", "benches", "examples", "tests"]
PROSE = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md"]
# Words that names have the glossary's terms for, and names as a whole.
PRIVATE = set("told untold heard hear hearing deaf hungry rotation".split())
PRIVATE_NAMES = set("held_up see_out strike_out rotate rotates unfinished lagging".split())
# A longer name is that of a test: a sentence.
NAME_WORDS = 3
VAGUE = re.compile(r"\b(nobody|somebody|anybody|everybody|whoever|whatever)\b", re.IGNORECASE)


def columns(path, lines):
    """Lines that are too long; a table's row can't be broken."""
    for number, line in enumerate(lines, 1):
        row = path.endswith(".md") and line.startswith("|")
        if len(line) > COLUMNS and not row:
            yield number, f"{len(line)} columns"


def names(path, lines):
    """Names in a vocabulary of their own, where the field has a term."""
    for number, line in enumerate(lines, 1):
        if not path.endswith(".rs") or line.startswith(" *"):
            continue
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]
        for name in re.findall(r"[A-Za-z_]\w*", code):
            snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            words = snake.split("_")
            if snake in PRIVATE_NAMES or len(words) <= NAME_WORDS and PRIVATE & set(words):
                yield number, f"`{name}`: CONTRIBUTING.md's glossary has a term"


def vague(path, lines):
    """Comments that do not name the thing or the person."""
    for number, line in enumerate(lines, 1):
        found = path.endswith(".rs") and VAGUE.search(line.partition("//")[2])
        if found:
            yield number, f"“{found[0]}” in a comment"


def openings(path, lines):
    """Doc comments that begin with neither a noun nor a verb."""
    before = ""
    for number, line in enumerate(lines, 1):
        # In the middle of a paragraph a line may begin with any word.
        begins = not re.match(r"\s*//[/!] \S", before)
        found = begins and path.endswith(".rs") and RIDDLE.match(line)
        if found:
            yield number, f"begins with “{found[1]}”"
        before = line


def length(path, lines):
    """Files that hold too much."""
    most = LINES if path.endswith(".rs") else README_LINES if path == "README.md" else None
    if most and len(lines) > most:
        yield len(lines), f"more than {most} lines"


def shown(path):
    """Commands and programs of a page without comments; code and numbers in its tables."""
    code, fenced = [], False
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        if fence or fenced:
            code.append(line.split(" #")[0].strip())
        elif line.startswith("|"):
            numbers = re.findall(r"\d{3,}", line)
            code.append((sorted(line.split("`")[1::2]), numbers))
    return code


def translated(path, _lines):
    """A page in Chinese that shows something else than the page in English."""
    original = path.replace("docs/zh-CN/", "docs/").replace(".zh-CN", "")
    if path.endswith(".md") and original != path:
        pairs = zip(shown(path), shown(original))
        different = next((found for found, expected in pairs if found != expected), None)
        if different is not None or len(shown(path)) != len(shown(original)):
            yield 1, f"shows something else than {original}: {different}"


def orphan(path, _lines):
    """Files that no module names: they are never compiled, and their tests never run."""
    file = pathlib.Path(path)
    if file.suffix != ".rs" or file.stem in ("lib", "main", "mod") or file.parent in PROGRAMS:
        return
    above = [*file.parent.glob("*.rs"), *file.parent.parent.glob(f"{file.parent.name}.rs")]
    named = re.compile(rf'\bmod {file.stem}\b|path = "{file.name}"')
    if not any(named.search(other.read_text(encoding="utf-8")) for other in above):
        yield 1, "no module names this file"


def lost(path, lines):
    """Functions in the map of the code, and files in CONTRIBUTING.md, that are not there."""
    sources = [file for folder in CODE for file in pathlib.Path(folder).rglob("*.rs")]
    if path == "src/lib.rs":
        code = [file.read_text(encoding="utf-8") for file in sources if file.parts[0] == "src"]
        for number, line in enumerate(lines, 1):
            named = re.findall(r"`(\w+)::([a-z]\w*)`", line) if line.startswith("//!") else []
            for owner, function in named:
                there = re.compile(rf"\bfn {function}\b")
                if owner[0].isupper() and not any(
                    there.search(text) and re.search(rf"\bimpl\b.*\b{owner}\b", text)
                    for text in code
                ):
                    yield number, f"no function `{owner}::{function}`"
    if path == "CONTRIBUTING.md":
        ends = "\n".join(f"/{file}" for file in sources) + "\n"
        for number, line in enumerate(lines, 1):
            for name in re.findall(r"`(?:\.\./)*([\w/]+\.rs)`", line):
                if f"/{name}\n" not in ends:
                    yield number, f"no file {name}"


CHECKS = (columns, names, vague, openings, length, translated, orphan, lost)


def main():
    files = [path for folder in CODE for path in pathlib.Path(folder).rglob("*.rs")]
    files += [path for folder in SCRIPTS for path in pathlib.Path(folder).rglob("*.py")]
    files += [path for path in pathlib.Path("scripts").iterdir() if not path.suffix]
    files += pathlib.Path("docs").rglob("*.md")
    # Cargo builds into the folder of a package that is built alone.
    files = [path for path in files if "target" not in path.parts]
    problems = []
    for path in sorted(str(path) for path in files) + PROSE:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        for check in CHECKS:
            problems += [f"{path}:{number}: {what}" for number, what in check(path, lines)]
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    sys.exit(bool(problems))


main()
