"""Prints the outliers of the house style's sizes: long files, long functions, many parameters. A look, not a check."""

import ast
from pathlib import Path

FILE_LINES, FUNCTION_LINES, PARAMETERS = 300, 30, 5


def functions(path: Path) -> list[tuple[int, str, int, int]]:
    """(lines, name, first line, parameters) of every function in a file."""
    tree = ast.parse(path.read_text())
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            count = (
                len(arguments.args)
                + len(arguments.kwonlyargs)
                - (arguments.args[:1] != [] and arguments.args[0].arg in ("self", "cls"))
            )
            found.append(((node.end_lineno or node.lineno) - node.lineno + 1, node.name, node.lineno, count))
    return found


def main() -> None:
    """Print what is larger than the style's guidance, the largest first, then lines of code and tests per package."""
    rows: list[tuple[int, str]] = []
    lines: dict[str, int] = {}
    for path in sorted(
        [*Path("orchestrator").rglob("*.py"), *Path("api").rglob("*.py"), *Path("tests").rglob("*.py")]
    ):
        count = len(path.read_text().splitlines())
        package = "/".join(path.parts[:2]) if path.parts[0] != "tests" else "tests"
        lines[package] = lines.get(package, 0) + count
        if path.parts[0] == "tests":
            continue
        if count > FILE_LINES:
            rows.append((count, f"{path}: {count} lines"))
        for size, name, line, parameters in functions(path):
            if size > FUNCTION_LINES:
                rows.append((size, f"{path}:{line} {name}: {size} lines"))
            if parameters > PARAMETERS:
                rows.append((parameters, f"{path}:{line} {name}: {parameters} parameters"))
    for _, words in sorted(rows, reverse=True):
        print(words)
    for package, count in sorted(lines.items()):
        print(f"{package}: {count}")


if __name__ == "__main__":
    main()
