#!/usr/bin/env python3
"""Checks the style that CONTRIBUTING.md describes, as far as a script can."""

import pathlib
import re
import sys

COLUMNS = 100
LINES = 400
README_LINES = 150
RIDDLE = re.compile(r"\s*//[/!] (So many|What|None:|Nor|The same of)\b")
CODE = ["src", "cli/src"]
PROSE = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md"]


def columns(path, lines):
    """Lines that are too long; a table's row can't be broken."""
    for number, line in enumerate(lines, 1):
        row = path.endswith(".md") and line.startswith("|")
        if len(line) > COLUMNS and not row:
            yield number, f"{len(line)} columns"


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
    if file.suffix != ".rs" or file.stem in ("lib", "main", "mod"):
        return
    above = [*file.parent.glob("*.rs"), *file.parent.parent.glob(f"{file.parent.name}.rs")]
    named = re.compile(rf'\bmod {file.stem}\b|path = "{file.name}"')
    if not any(named.search(other.read_text(encoding="utf-8")) for other in above):
        yield 1, "no module names this file"


CHECKS = (columns, openings, length, translated, orphan)


def main():
    files = [path for folder in CODE for path in pathlib.Path(folder).rglob("*.rs")]
    files += pathlib.Path("docs").rglob("*.md")
    problems = []
    for path in sorted(str(path) for path in files) + PROSE:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        for check in CHECKS:
            problems += [f"{path}:{number}: {what}" for number, what in check(path, lines)]
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    sys.exit(bool(problems))


main()
