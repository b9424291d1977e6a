#!/usr/bin/env python3
"""Checks the style that CONTRIBUTING.md describes, as far as a script can.

Files that do not pass yet are listed in scripts/style-todo.txt. With --update, the list is written
anew without those that pass by now; no file is added to it.
"""

import pathlib
import re
import sys

COLUMNS = 100
LINES = 400
TODO = pathlib.Path("scripts/style-todo.txt")
RIDDLE = re.compile(r"\s*//[/!] (So many|What|None:|Nor|The same of)\b")
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
    if path.endswith(".rs") and len(lines) > LINES:
        yield len(lines), f"more than {LINES} lines"


CHECKS = {check.__name__: check for check in (columns, openings, length)}


def main():
    listed = set(TODO.read_text(encoding="utf-8").split("\n"))
    listed.discard("")
    files = [*pathlib.Path("src").rglob("*.rs"), *pathlib.Path("docs").rglob("*.md")]
    files = sorted(str(path) for path in files) + PROSE
    failing = set()
    problems = []
    for path in files:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        for name, check in CHECKS.items():
            found = list(check(path, lines))
            entry = f"{name} {path}"
            if found:
                failing.add(entry)
                if entry not in listed:
                    problems += [f"{path}:{number}: {what}" for number, what in found]
    if "--update" in sys.argv[1:]:
        TODO.write_text("".join(f"{entry}\n" for entry in sorted(listed & failing)))
    elif listed - failing:
        print(len(listed - failing), "entries of scripts/style-todo.txt pass: scripts/style.py --update")
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    sys.exit(bool(problems))


main()
