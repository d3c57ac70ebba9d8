"""What a synthesiser would refuse in HLS sources, as far as g++ and reading can tell; functions return complaints."""

import re
import subprocess

from hls_native import ROOT, ap_types

KERNELS = sorted((ROOT / "hls" / "kernels").glob("*.cpp"))
HEADERS = sorted((ROOT / "hls" / "include" / "riffle").glob("*.hpp"))
BRIDGE = sorted((ROOT / "host" / "riffle" / "export" / "hls4ml").glob("*.h"))  # what the layers call
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"]
VENDOR = ["-DRIFFLE_VENDOR_TYPES", "-isystem", str(ap_types())]

FORBIDDEN = {
    r"\b(new|delete|malloc|calloc|realloc|free|alloca)\b": "allocates memory",
    r"\bstd::(?!u?int(8|16|32|64)_t\b|conditional\b)\w+": "uses the standard library",
    r"\bvirtual\b|\bdynamic_cast\b|\btypeid\b": "needs virtual calls or run-time types",
    r"\b(throw|try|catch)\b": "needs exceptions",
    r"\b(while|do|goto)\b": "has a loop that is no `for`, or a goto",
    r"#\s*pragma\b|_Pragma": "writes a pragma without the macros of pragmas.hpp",
    r"\bstatic\s+(?!const\b|constexpr\b|void\b)\w+[^()]*[;=]": "keeps state in a static variable",
    r"\b(float|double)\b": "computes with floating point",
}
EXTERNAL = {"memcpy", "memset", "memmove"}  # how g++ copies structs


def code(path):
    """Source without comments and strings; lines stay."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), path.read_text(), flags=re.S)
    return re.sub(r'"[^"\n]*"', '""', re.sub(r"//[^\n]*", "", text))


def forbidden(path):
    """Words and constructs that HLS refuses, or that would be read differently by Vitis, Bambu and g++."""
    if path.name == "pragmas.hpp":
        return []
    text = code(path)
    found = [(match, why) for pattern, why in FORBIDDEN.items() for match in re.finditer(pattern, text)]
    return [f"{path.name}:{_line(text, match)}: {why}: {match.group()!r}" for match, why in found]


def loops(path):
    """Loops without a name, and loops whose length is not constant and not told with RIFFLE_TRIPS."""
    text, complaints = code(path), []
    for match in re.finditer(r"\bfor\s*\(", text):
        end = _closing(text, match.end() - 1)
        header, line = text[match.end():end], _line(text, match)
        if not re.search(r"\b[A-Z]\w*:\s*$", text[:match.start()]):
            complaints.append(f"{path.name}:{line}: a loop without a name")
        body = re.match(r"\s*\{\s*((RIFFLE_\w+(\([^\n]*\))?\s*)*)", text[end + 1:])
        told = body and "RIFFLE_TRIPS" in body.group(1)
        parts = header.split(";")
        limit = re.sub(r"^[^<>=!]*[<>=!]=?", "", parts[1]).strip() if len(parts) == 3 else ""
        # constants: numbers, kName, template parameters (Name) and members of hls4ml's CONFIG_T
        words = re.findall(r"[A-Za-z_]\w*(?:::\w+)*", limit)
        constant = all(re.match(r"k[A-Z]|[A-Z]|riffle::k|(static_cast|int)$", word) for word in words)
        if not told and not (constant and limit):
            complaints.append(f"{path.name}:{line}: a loop of unknown length without RIFFLE_TRIPS: {header.strip()}")
    return complaints


def _line(text, match):
    return text.count("\n", 0, match.start()) + 1


def _closing(text, at):
    """Index of the parenthesis that closes the one at `at`."""
    depth = 0
    for index in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if not depth:
            return index
    raise ValueError("no closing parenthesis")


def calls(path, folder):
    """Recursion, indirect calls and calls of library functions in what a kernel is made of, as g++ -O0 sees it."""
    command = ["g++", "-std=c++14", "-O0", "-c", "-fcallgraph-info", "-Wno-unknown-pragmas", "-Wno-unused-label",
               str(path), "-o", str(folder / f"{path.stem}.o")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    graph = (folder / f"{path.stem}.ci").read_text()
    names = dict(re.findall(r'node: \{ title: "([^"]+)" label: "([^"\\]+)', graph))
    edges = {}
    for source, target in re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', graph):
        edges.setdefault(source, set()).add(target)
    complaints = [f"calls {names.get(target, target)}" for target in set().union(*edges.values(), set())
                  if target not in edges and "shape : ellipse" in _node(graph, target) and target not in EXTERNAL]
    complaints += [f"{names.get(name, name)} calls itself" for name in edges if _reaches(edges, name)]
    return [f"{path.name}: {complaint}" for complaint in complaints]


def _node(graph, title):
    match = re.search(rf'node: \{{ title: "{re.escape(title)}"[^}}]*\}}', graph)
    return match.group() if match else "shape : ellipse"


def _reaches(edges, name):
    """Whether a function can come to itself again."""
    seen, ahead = set(), set(edges[name])
    while ahead:
        function = ahead.pop()
        seen.add(function)
        ahead |= edges.get(function, set()) - seen
    return name in seen


def pragmas(path, *options):
    """The HLS directives that a file has after its macros are expanded, [(file, line, text)]."""
    command = ["g++", "-std=c++14", "-E", "-Wno-unknown-pragmas", *options, str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found, file, line, system = [], "", 0, False
    for row in output.splitlines():
        marker = re.match(r'# (\d+) "([^"]+)"([ \d]*)', row)
        if marker:
            file, line, system = marker.group(2), int(marker.group(1)) - 1, "3" in marker.group(3)
            continue
        line += 1
        if row.strip().startswith("#pragma") and not system:
            found.append((file.rsplit("/", 1)[-1], line, row.strip()))
    return found


def documented():
    """The table of directives in hls/README.md: {directive: {option: its values, None where it has none}}."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", (ROOT / "hls" / "README.md").read_text(), flags=re.M)
    table = {}
    for name, options in rows:
        pairs = (option.partition("=") for option in re.findall(r"`([^`]+)`", options))
        table[name] = {option: values.split(",") if sign else None for option, sign, values in pairs}
    return table


def misspelt(found, known):
    """Directives that are not documented, or have other options or values."""
    complaints = []
    for file, line, text in found:
        kind, directive, *options = [*re.sub(r"\s*=\s*", "=", text).removeprefix("#pragma ").split(), ""]
        allowed = known.get(directive) if kind == "HLS" else None
        if allowed is None or not all(_right(option, allowed) for option in options if option):
            complaints.append(f"{file}:{line}: {text}")
    return complaints


def _right(option, allowed):
    name, sign, value = option.partition("=")
    if not sign or not allowed.get(name):
        return not sign and name in allowed and allowed[name] is None
    patterns = {"NAME": r"[A-Za-z_]\w*", "NUMBER": r"\d+|[A-Za-z_]\w*(::\w+)*"}
    return any(re.fullmatch(patterns.get(one, one), value) for one in allowed[name])
