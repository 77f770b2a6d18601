"""House rules that no general linter knows, as small AST checks. `python tools/lint/house_rules.py` prints what breaks them.

A line may opt out with `# house: <rule> - <reason>`; the reason is required.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE_LINES = 400
MAX_TEST_LINES = 450
MAX_FUNCTION_LINES = 70
SECRET_NAME = re.compile(r"(signature|secret|token|hmac|password)$")
SERVICES = ("registry", "identity_verify", "accounts", "disbursement", "reporting")
# Ways to the outside besides common.http.client: none of them has its limits and its list of addresses.
CLIENT_MODULES = ("aiohttp", "ftplib", "http.client", "paramiko", "requests", "smtplib", "urllib.request", "urllib3")
CLIENT_WORDS = re.compile(r"aiohttp|ftplib|http\.client|paramiko|requests|smtplib|urllib|httpx\.|open_connection|socket\.")
CLIENT_CALLS = re.compile(
    r"httpx\.(AsyncClient|AsyncHTTPTransport|Client|HTTPTransport|get|head|options|post|put|patch|delete|request|stream)"
    r"|(asyncio\.)?open_connection|socket\.(socket|create_connection)"
)


def production_files() -> list[Path]:
    """Python files of services and libraries."""
    return sorted(path for part in ("services", "libs") for path in (ROOT / part).glob("*/src/**/*.py"))


def test_files() -> list[Path]:
    """Python files of the tests."""
    return sorted((ROOT / "tests").glob("**/*.py"))


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def check_calls(path: Path, tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Calls that belong in one place only."""
    relative = path.relative_to(ROOT).as_posix()
    service = next((name for name in SERVICES if f"/src/{name}/" in relative), None)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        watched = service or "/common/" in relative
        called = _dotted(node.func)
        last = called.rsplit(".", 1)[-1]
        if service and re.fullmatch(r"(.*\.)?(conn|connection|session|tx|db)\.commit", called):
            yield node.lineno, "commit", "transactions commit at the end of their block, in common.db"
        if service and called in ("csv.writer", "csv.DictWriter"):
            yield node.lineno, "sheet-writer", "tables for people are written by common.sheets, which makes formulas harmless"
        if called in ("datetime.now", "datetime.utcnow", "date.today") and watched and not relative.endswith("common/clock.py"):
            yield node.lineno, "clock", "the real clock is common.clock; business dates are arguments"
        if last == "transaction" and service and f"/{service}/usecases/" not in relative and not relative.endswith(f"/{service}/main.py"):
            yield node.lineno, "transaction", "only use cases open transactions"


def check_outward(path: Path, tree: ast.AST, text: str) -> Iterator[tuple[int, str, str]]:
    """One client for everything that is called outside: `common.http.client`."""
    relative = path.relative_to(ROOT).as_posix()
    service = any(f"/src/{name}/" in relative for name in SERVICES)
    helps_tests = re.search(r"/common/(testing|testing_brokers|apache_kafka)\b", relative)
    if not (service or "/common/" in relative) or relative.endswith("common/http.py") or helps_tests or not CLIENT_WORDS.search(text):
        return
    why = "what is outside is called by common.http.client"
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        if any(name == each or name.startswith(f"{each}.") for name in names for each in CLIENT_MODULES):
            yield node.lineno, "http-client", why
        if isinstance(node, ast.Call) and CLIENT_CALLS.fullmatch(_dotted(node.func)):
            yield node.lineno, "http-client", why


def check_names(path: Path, tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Money without floats, secrets compared in constant time, the environment read in settings only."""
    relative = path.relative_to(ROOT).as_posix()
    exact = "/domain/" in relative or relative.endswith(("/domain.py", "_v1.py", "/envelope.py"))
    service = any(f"/src/{name}/" in relative for name in SERVICES)
    for node in ast.walk(tree):
        if exact and isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield node.lineno, "division", "amounts are integers: use // or Fraction"
        if exact and isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "float", "no floats in domain and contracts"
        if isinstance(node, ast.Compare) and any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
            sides = [node.left, *node.comparators]
            constant = any(isinstance(side, ast.Constant) for side in sides)
            if not constant and any(SECRET_NAME.search(_name(side)) for side in sides) and (service or "/common/" in relative):
                yield node.lineno, "compare", "compare secrets with hmac.compare_digest"
        if service and isinstance(node, ast.Attribute) and _dotted(node) == "os.environ":
            yield node.lineno, "environ", "the environment is read by settings only"


def check_sizes(path: Path, tree: ast.AST, lines: int) -> Iterator[tuple[int, str, str]]:
    """Files and functions one can read in one sitting."""
    if lines > MAX_FILE_LINES and "/contracts/" not in path.as_posix():
        yield 1, "file-size", f"{lines} lines: at most {MAX_FILE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield node.lineno, "function-size", f"{node.name} has {length} lines: at most {MAX_FUNCTION_LINES}"


def _breaks(loop: ast.For) -> bool:
    return any(isinstance(node, (ast.Break, ast.Return)) for node in ast.walk(loop))


def check_tests(tree: ast.AST, lines: int) -> Iterator[tuple[int, str, str]]:
    """A test waits for a condition with a deadline: it polls in a loop that ends by it, and never sleeps and hopes."""
    if lines > MAX_TEST_LINES:
        yield 1, "file-size", f"{lines} lines: at most {MAX_TEST_LINES}"
    loops = [loop for loop in ast.walk(tree) if isinstance(loop, ast.While) or (isinstance(loop, ast.For) and _breaks(loop))]
    polled = {node for loop in loops for node in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func) in ("time.sleep", "asyncio.sleep", "sleep") and node not in polled:
            yield node.lineno, "sleep", "wait for a condition with a deadline"


def check_file(path: Path) -> list[str]:
    """All findings of one file, as `path:line: rule: why`."""
    text = path.read_text(encoding="utf-8")
    tree, rows = ast.parse(text), text.splitlines()
    found = []
    if path.is_relative_to(ROOT / "tests"):
        checks = [*check_tests(tree, len(rows))]
    else:
        checks = [*check_calls(path, tree), *check_outward(path, tree, text), *check_names(path, tree), *check_sizes(path, tree, len(rows))]
    for line, rule, why in checks:
        if not re.search(rf"# house: {rule} - \S", rows[line - 1]):
            found.append(f"{path.relative_to(ROOT)}:{line}: {rule}: {why}")
    return found


def main() -> int:
    """Print findings; 1 when there are any."""
    findings = [finding for path in (*production_files(), *test_files()) for finding in check_file(path)]
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
