"""The rooms of the package, in the order of the flow of data: nothing imports a room further down the list."""

import ast
from pathlib import Path

import riffle

PACKAGE = Path(riffle.__file__).parent
# the error table belongs to what hardware and software agree on
ROOMS = (("isa", "errors"), ("graph",), ("zoo",), ("compiler",), ("bitstream",), ("backends",), ("driver",), ("board",),
         ("analysis",), ("export",), ("open_backend", "doctor"), ("cli",))
ORDER = {name: place for place, names in enumerate(ROOMS) for name in names}
MOST = 8  # modules that may lie directly in the package


def module_name(path):
    parts = ["riffle", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def imports(module):
    """Modules of the package that a module imports anywhere: in functions and for type checkers, too."""
    for node in ast.walk(ast.parse(SOURCES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "riffle")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively, which does not show the room"
            if node.module.partition(".")[0] == "riffle":
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield inner if inner in SOURCES else node.module


# the package itself is its public face: it imports within open() and load(), so that a room can be imported alone
GRAPH = {module: set(imports(module)) - {module, "riffle"} for module in SOURCES if module != "riffle"}


def room(module):
    return module.split(".")[1]


def test_every_module_lies_in_a_room():
    assert {room(module) for module in GRAPH} == set(ORDER), "a room is missing in ROOMS, or is empty"
    assert len([path for path in PACKAGE.glob("*.py")]) <= MOST


def test_imports_go_up_the_list_only():
    wrong = [f"{module} imports {other}" for module, others in sorted(GRAPH.items()) for other in sorted(others)
             if ORDER[room(other)] > ORDER[room(module)]]
    assert not wrong, "\n".join(wrong)


def test_no_circle():
    """Modules are taken away once everything that they import is; what is left forms circles."""
    left = dict(GRAPH)
    while ready := [module for module, others in left.items() if not others & left.keys()]:
        for module in ready:
            del left[module]
    assert not left, {module: sorted(others & left.keys()) for module, others in left.items()}
