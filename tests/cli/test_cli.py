"""The command line as a person meets it: what every command prints, and one clear message for everything wrong."""

import copy
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from riffle import cli, open_backend
from riffle.backends import linux_uio, verilated
from riffle.bitstream import hwh
from riffle.cli import compare as compare_module
from riffle.cli.picture import read, render
from riffle.compiler import compile_network
from riffle.errors import InputError
from riffle.graph import reference
from riffle.isa import spec
from riffle.isa.program import Program
from riffle.zoo import catalogue, digits

TIMES = ("ms_per_image", "engine_ms", "image_ms", "host_ms", "clock_mhz")
BENCH_FIELDS = {"network": str, "input": str, "batch": int, **dict.fromkeys(TIMES, float),
                "cycles": int, "cycles_per_image": int, "cycles_model": int,
                "stall_cycles": int, "waited": int, "macs": int, "mac_utilisation": float, "bit_exact": bool,
                "backend": str}


@pytest.fixture
def riffle(monkeypatch, capsys):
    """Call the command line; returns exit code, stdout and stderr, as one line each where `flat`."""
    def call(*arguments, flat=True):
        monkeypatch.setattr(sys, "argv", ["riffle", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        output, errors = capsys.readouterr()
        one_line = (lambda text: " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())) if flat else str
        return stop.value.code or 0, one_line(output), one_line(errors)
    return call


@pytest.fixture
def refused(riffle):
    """The arguments are wrong: nothing on stdout, one panel, exit code 1."""
    def call(*arguments, message):
        code, output, errors = riffle(*arguments)
        assert (code, output) == (1, "")
        assert re.fullmatch(rf"riffle: error .*{message}.*", errors), errors
    return call


@pytest.fixture(scope="module")
def number():
    """A held-out image, and what it shows."""
    images, labels = digits.held_out()
    return images[3], str(labels[3])


def numbers(text):
    return [float(word.replace(",", "")) for word in re.findall(r"\d[\d,]*\.?\d*", text)]


def test_demo_shows_digits_predictions_and_speed(riffle):
    code, output, _ = riffle("demo", "--count", 7, "--seed", 3, flat=False)
    assert code == 0
    images, labels = digits.held_out()
    chosen = np.random.default_rng(3).permutation(len(images))[:7]
    captions = re.findall(r"(\d) (?:✓|✗ is (\d))", output)
    assert [truth or label for label, truth in captions] == [str(labels[i]) for i in chosen]
    right = sum(not truth for _, truth in captions)
    assert f"{right} of 7 right ({right / 7:.1%})" in output
    parts = dict(re.findall(r"^(you get|engine|image|host) +(.*?) *$", output, re.MULTILINE))
    assert list(parts) == ["you get", "engine", "image", "host"]  # what a user gets comes first
    rate, total, megahertz = numbers(parts["you get"])
    (cycles, engine), (waited, image), (host, accesses, *_) = (numbers(parts[key]) for key in list(parts)[1:])
    assert megahertz == hwh.CLOCK_MHZ and total == pytest.approx(engine + image + host, abs=0.006)
    assert engine == pytest.approx(cycles / megahertz / 1e3, abs=1e-3) and rate == pytest.approx(1e3 / total, rel=0.05)
    assert image == pytest.approx(waited / megahertz / 1e3, abs=1e-3) and 392 <= waited < 2000
    assert 15 < accesses < 40 and host == pytest.approx((accesses * 30 + 44 * 0.2) / 1e3, abs=1e-3)
    assert "44 words; 30 and 0.2 us each assumed" in parts["host"]
    assert max(map(len, output.splitlines())) <= 80 and "\x1b" not in output


def test_picture_in_colour_and_without(number):
    image = number[0]
    plain, colour = (render(Console(color_system=system, force_terminal=bool(system)), image, 2)
                     for system in (None, "truecolor"))
    assert [len(line) for line in plain] == [len(line) for line in colour] == [14] * 7
    grey = image.reshape(14, 2, 14, 2).mean((1, 3)).round().astype(int)
    first = colour[0].spans[6].style
    assert first == "rgb({0},{0},{0}) on rgb({1},{1},{1})".format(grey[0, 6], grey[1, 6])
    dense = np.array([[" .:-=+*#%@".index(c) for c in line.plain] for line in plain])
    assert np.corrcoef(dense.ravel(), grey.reshape(7, 2, 14).mean(1).ravel())[0, 1] > 0.99


def test_classify_takes_pictures_of_any_kind(riffle, tmp_path, number):
    image, label = number
    np.save(tmp_path / "array.npy", image)
    large = Image.fromarray(255 - image).resize((200, 200))
    paper = Image.new("L", (300, 260), 255)
    paper.paste(large, (40, 30))
    paper.save(tmp_path / "dark on light.png")
    Image.fromarray(image).resize((90, 90)).convert("P").save(tmp_path / "light on dark.gif")
    paths = sorted(tmp_path.iterdir())
    code, output, _ = riffle("classify", *paths, flat=False)
    assert code == 0 and all(str(path) in output for path in paths)
    assert [text.split() for text in re.findall(r"\d+\.\d% \d", output)][::3] == [
        [likely, label] for likely, _ in (text.split() for text in re.findall(r"\d+\.\d% \d", output)[::3])]
    assert "28x28, as it is" in output and "300x260: cut out, centred" in output
    assert "weights are random" not in output


def test_classify_with_another_network_says_what_it_is_worth(riffle, tmp_path, rng):
    path = tmp_path / "photograph.png"
    Image.fromarray(rng.integers(0, 256, (250, 300, 3), np.uint8)).save(path)
    code, output, _ = riffle("classify", path, "--network", "g3-0.25x-c10", "--seed", 5)
    assert code == 0 and "300x250: middle cut out, resized to 224x224" in output
    assert "Note: the weights are random, so the classes mean nothing." in output


@pytest.mark.parametrize("content, message", [
    (None, "there is no file .*: check the path"), (b"", "is not a picture that Pillow can read .*: convert it to PNG"),
    (b"GIF89a broken", "is not a picture that Pillow can read"), (np.zeros((28, 28)), "holds float64 .*but a picture"),
    (np.zeros((28, 28, 4), np.uint8), r"holds uint8 \(28, 28, 4\)"), (np.zeros((50, 50), np.uint8), "shows nothing"),
    (np.zeros((3, 50), np.uint8), "needs 8x8 or more")])
def test_classify_refuses_what_is_no_picture(refused, tmp_path, content, message):
    path = tmp_path / ("file.npy" if isinstance(content, np.ndarray) else "file.gif")
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    refused("classify", path, message=message)


def test_classify_goes_on_behind_a_bad_picture(riffle, tmp_path, number):
    """All are named that cannot be used, with reason and remedy; the others are shown in their order."""
    image, label = number
    for name in ("a.png", "c.png"):
        Image.fromarray(image).resize((90, 90)).save(tmp_path / name)
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    paths = [tmp_path / name for name in ("a.png", "blank.png", "missing.png", "c.png", "broken.png")]
    code, output, errors = riffle("classify", *paths, tmp_path, tmp_path / "a.png", "--backend", "numpy")
    assert code == 1
    assert re.findall(r"\S*[ac]\.png", output.replace(" 90x90", "")) == [str(paths[i]) for i in (0, 3, 0)]
    assert len(re.findall(rf"\d+\.\d% {label}\b", output)) == 3
    flat = errors.replace(" ", "")
    for path, reason in zip([*paths[1:3], paths[4], tmp_path], (
            ": the picture shows nothing: ink", ": check the path", " is not a picture that Pillow can read",
            f" is a folder: give the pictures in it, as {tmp_path}/*.png"), strict=True):
        assert f"{path}{reason}".replace(" ", "") in flat, errors
    assert "4 of 7 pictures cannot be used" in errors and errors.count("riffle: error") == 5


def test_classify_with_nothing_but_bad_pictures_opens_no_hardware(riffle, tmp_path, monkeypatch):
    monkeypatch.setattr(verilated, "load_model", lambda path: pytest.fail("the simulated hardware was opened"))
    code, output, errors = riffle("classify", tmp_path / "x.png", tmp_path / "y.png", "--backend", "rtl")
    assert code == 1 and not output and "2 of 2 pictures cannot be used, see above" in errors


@pytest.mark.parametrize("side", [9_000, 13_800])
def test_classify_refuses_giant_pictures(refused, tmp_path, side):
    """81 and 190 megapixels: Pillow warns of the first, and refuses the second with an exception of its own."""
    path = tmp_path / "giant.png"
    Image.new("1", (side, side)).save(path)
    refused("classify", path, message="has more than 80 megapixels: make it smaller first")


def test_pictures_with_16_bits_are_scaled(tmp_path, number):
    Image.fromarray(number[0].astype(np.uint16) << 8).save(tmp_path / "x.png")
    assert np.array_equal(read(tmp_path / "x.png")[..., 0], number[0])
    Image.fromarray(number[0].astype(np.float32)).save(tmp_path / "x.tiff")
    with pytest.raises(InputError, match="floating-point numbers.*convert it to PNG"):
        read(tmp_path / "x.tiff")


@pytest.mark.parametrize("name", ["digits.riffle", "digits"])
def test_classify_takes_programs(riffle, tmp_path, number, name):
    """What `riffle compile` wrote, whatever its name: the picture is prepared as for the network."""
    program, picture = tmp_path / name, tmp_path / "x.png"
    Image.fromarray(number[0]).resize((90, 90)).save(picture)
    assert riffle("compile", "digits", "-o", program)[0] == 0
    shown = [riffle("classify", picture, "--network", network, "--backend", "numpy") for network in ("digits", program)]
    assert shown[0] == shown[1] and shown[0][0] == 0 and "cut out, centred" in shown[0][1]


@pytest.mark.parametrize("arguments", [("compare",), ("report",), ("trace",), ("bench", "--layers"),
                                       ("bench", "--baselines", "--only"), ("compile", "-o", "x")])
def test_what_needs_the_network_says_so_of_a_program(refused, monkeypatch, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    compile_network(digits.network()).save("d.riffle")
    refused(*arguments, "d.riffle", message="d.riffle is a compiled program, .* Give the network that it was compiled "
                                            "from; `riffle classify --network` and Accelerator.load take programs")
    assert not (tmp_path / "x").exists()


def test_version(riffle):
    code, output, _ = riffle("--version")
    assert code == 0 and output == f"riffle {spec.VERSION}, specification {spec.SPEC_HASH:#010x}"


def test_classify_refuses_networks_that_take_no_pictures(refused, tmp_path, number):
    np.save(tmp_path / "x.npy", number[0])
    refused("classify", tmp_path / "x.npy", "--network", "g3-1x-stage2-residual",
            message="takes 240 channels, not pictures: choose a whole network")
    (tmp_path / "text.npy").write_text("text")
    refused("classify", tmp_path / "text.npy", message="is not a NumPy array .*: write it with numpy.save")


def test_info_is_near_the_paper(riffle):
    code, output, _ = riffle("info", flat=False)
    rows = re.findall(r"shufflenet_v1 g(\d) ([\d.]+)x +(\d+) +([\d.]+) ", output)
    paper = {(int(g), float(scale)): int(flops) for g, scale, flops, _ in rows}
    assert code == 0
    assert paper == {(1, 1): 143, (2, 1): 140, (3, 1): 137, (4, 1): 133, (8, 1): 137, (3, 0.5): 38, (3, 2): 524}
    for *_, flops, ours in rows:
        assert float(ours) == pytest.approx(int(flops), rel=0.015)
    h = w = 28
    c, m, g = 240, 60, 3
    for name, cost in (("ShuffleNet", h * w * (2 * c * m // g + 9 * m)), ("ResNet", h * w * (2 * c * m + 9 * m**2)),
                       ("ResNeXt", h * w * (2 * c * m + 9 * m**2 // g))):
        assert re.search(rf"{name} +hw\(.*\) +{cost:,}\b", output)


def test_info_of_layers_adds_up(riffle, refused):
    code, output, _ = riffle("info", "--layers", "g3-1x", flat=False)
    macs = [int(row.replace(",", "")) for row in re.findall(r" ([\d,]+) +[\d,]+ *$", output, re.MULTILINE)]
    assert code == 0 and len(macs) > 50 and sum(macs[:-1]) == macs[-1]
    refused("info", "--layers", "resnet", message=r"'resnet' is no architecture: write it as g3-1x \(3 groups")
    refused("info", "--layers", "g5-1x", message="groups is 5, but must be one of 1, 2, 3, 4, 8")


def test_compile_writes_a_program(riffle, tmp_path):
    path = tmp_path / "digits.riffle"
    code, output, _ = riffle("compile", "digits", "-o", path)
    program = Program.load(path)
    assert code == 0 and f"{len(program.descriptors)} descriptors" in output and f"{program.cycles:,} cycles" in output
    assert "Note" not in output
    np.testing.assert_array_equal(program.stream, compile_network(digits.network()).stream)


def test_compile_says_what_does_not_fit_the_weight_memory(riffle, tmp_path):
    code, output, _ = riffle("compile", "g3-1x", "-o", tmp_path / "x")
    assert code == 0 and Program.load(tmp_path / "x").name == "shufflenet_v1 g3 1x"
    assert re.search(r"Note: .* stream words of weights, \d+ of them in layer classifier; the weight memory holds "
                     "10752: use a smaller network", output)


@pytest.mark.parametrize("name, message", [
    ("resnet", "there is no network or file 'resnet'. Known are `digits`"),
    ("g5-1x", "groups is 5, but must be one of 1, 2, 3, 4, 8"), ("g3-0x", "scale is 0.0, but must be positive"),
    ("g3-1.2.3x", "there is no network or file"), ("g3-1x-c0", "there is no network or file"),
    ("g3-1x-stage7-residual", "has no unit 2 in stage 7"),
    ("g1-3x-stage2-residual", "activation memory")])
def test_unknown_and_impossible_networks_are_refused(refused, tmp_path, name, message):
    refused("compile", name, "-o", tmp_path / "x", message=message)
    assert not (tmp_path / "x").exists()


def test_files_that_are_no_networks_are_refused(refused, tmp_path):
    path = tmp_path / "x.npz"
    for write in (lambda: path.write_text("no network"), lambda: np.savez(path, x=np.zeros(3))):
        write()
        refused("compare", path, message="riffle saved as integer network")
    refused("compile", "digits", "-o", tmp_path / "missing" / "x",
            message="cannot use .*: No such file or directory. Check the path")
    refused("compare", tmp_path, message="is a folder, not a network: give a file in it")
    refused("compare", "--waves", tmp_path / "missing" / "x.fst", message="cannot use .*: No such file or directory")


def test_compare_finds_no_difference(riffle, tmp_path, number):
    code, output, _ = riffle("compare")
    assert code == 0 and re.search(r"equal: shufflenet_v1 g3 0.25x, all \d+ descriptors, bit for bit", output)
    np.save(tmp_path / "x.npy", number[0])
    assert riffle("compare", "digits", "--image", tmp_path / "x.npy")[0] == 0
    assert riffle("compare", "g2-1x-stage3-stride2", "--seed", 4)[0] == 0


def test_compare_names_the_first_difference(riffle, monkeypatch):
    """The hardware gets a program in which one bias is another."""
    network = digits.network()
    changed = copy.deepcopy(network)
    layer = next(layer for layer in changed.layers if layer.name == "stage2.unit2.reduce")
    layer.bias[5] += 1 << 20
    image = catalogue.sample_input(network, 2)
    expected, got = (reference.run(n, image)[layer.output] for n in (network, changed))
    channel, y, x = np.argwhere(expected != got)[0]
    monkeypatch.setattr(compare_module, "compile_network", lambda _: compile_network(changed))
    code, output, errors = riffle("compare", "digits", "--seed", 2)
    assert (code, errors) == (1, "")
    assert re.search(rf"different: layer stage2.unit2.reduce \(descriptor \d+\), tensor stage2.unit2.reduce, channel "
                     rf"{channel}, pixel \({y}, {x}\): expected {expected[channel, y, x]}, got {got[channel, y, x]}; "
                     r"\d+ values differ", output), output


def test_network_that_does_not_fit_is_refused(refused):
    refused("compare", "g3-2x", message=r"layer stage2.unit2.reduce \+ stage2.unit2.depthwise needs 2416 words of "
                                        "activation memory, the limit is 2048")


@pytest.mark.parametrize("arguments, shown", [
    (("demo", "--count", 2), "2 of 2 right"), (("compare", "digits"), "equal: shufflenet_v1"),
    (("bench", "--only", "digits"), "7,852 +0.0%"), (("bench", "--layers", "digits"), "that of NumPy"),
    (("bench", "--baselines", "--only", "digits"), "no board was measured"),
    (("report", "digits", "-o", "x"), "open it in a browser"), (("trace", "digits", "-o", "x"), "ui.perfetto.dev"),
    (("classify", "x.npy"), "28x28, as it is")])
def test_every_command_takes_the_backend_that_is_named(riffle, monkeypatch, tmp_path, number, arguments, shown):
    """By option or variable; the simulated hardware is not touched."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", number[0])
    monkeypatch.setattr(verilated, "load_model", lambda path: pytest.fail("the simulated hardware was opened"))
    for option, variable in ((("--backend", "numpy"), "bogus"), ((), "numpy")):
        monkeypatch.setenv("RIFFLE_BACKEND", variable)
        code, output, _ = riffle(*arguments, *option)
        assert code == 0 and "Backend numpy: NumPy; cycles are what the compiler predicts" in output and shown in output


def test_page_and_trace_name_the_backend(riffle, tmp_path):
    for command in ("report", "trace"):
        assert riffle(command, "digits", "--backend", "numpy", "-o", tmp_path / "file")[0] == 0
        text = (tmp_path / "file").read_text()
        assert "NumPy; cycles are what the compiler predicts" in text and "RTL" not in text


@pytest.mark.parametrize("arguments", [("demo",), ("classify", "x.npy"), ("compare",), ("bench",), ("bench", "--host"),
                                       ("bench", "--layers", "digits"), ("bench", "--baselines"), ("report",),
                                       ("trace",)])
def test_unknown_backends_are_refused(refused, monkeypatch, arguments):
    names = "Remedy: choose board, rtl, hls, numpy, uio"
    refused(*arguments, "--backend", "gpu", message=f"there is no backend 'gpu'. {names}")
    refused(*arguments, "--backend", "", message=f"there is no backend ''. {names}")
    monkeypatch.setenv("RIFFLE_BACKEND", "bogus")
    refused(*arguments, message=rf"there is no backend 'bogus' \(\$RIFFLE_BACKEND\). {names}")


def test_what_a_backend_cannot_do_is_refused(refused, tmp_path):
    refused("compare", "--waves", tmp_path / "x.fst", "--backend", "numpy",
            message="backend 'numpy' cannot write waveforms. Remedy: leave that out, or add --backend rtl")
    refused("bench", "--host", "--backend", "hls",
            message="backend 'hls' cannot tell Python's time from the engine's. Remedy: .* --backend rtl or board or")
    assert not (tmp_path / "x.fst").exists()


@pytest.mark.parametrize("arguments", [("demo",), ("compare",), ("bench",), ("report",)])
def test_board_without_pynq_is_not_passed_over(refused, monkeypatch, arguments):
    """On a Zynq the command goes to the board's memory, and says why it does not get there."""
    monkeypatch.delenv("RIFFLE_BACKEND", raising=False)
    monkeypatch.setattr(open_backend.platform, "machine", lambda: "armv7l")
    find_spec = open_backend.importlib.util.find_spec
    monkeypatch.setattr(open_backend.importlib.util, "find_spec",
                        lambda name: None if name == "pynq" else find_spec(name))
    real = linux_uio._open
    monkeypatch.setattr(linux_uio, "_open", lambda path: real(f"/nowhere{path}"))
    refused(*arguments, message="/dev/mem cannot be opened .*Remedy: be root")


def test_bench_measures(riffle):
    code, output, _ = riffle("bench", "--json", "--only", "0.25x", "--seed", 1, flat=False)
    whole, without = json.loads(output)
    assert code == 0
    assert {key: type(value) for key, value in whole.items()} == BENCH_FIELDS
    assert set(without) == set(BENCH_FIELDS) and {without[key] for key in TIMES} == {None}  # nobody gets a part
    assert whole["ms_per_image"] == pytest.approx(sum(whole[key] for key in TIMES[1:4]), abs=2e-4)
    assert whole["engine_ms"] == pytest.approx(whole["cycles"] / hwh.CLOCK_MHZ / 1e3, abs=1e-4)
    assert whole["image_ms"] == pytest.approx(whole["waited"] / hwh.CLOCK_MHZ / 1e3, abs=1e-4)
    assert whole["host_ms"] > 0.5
    for row in (whole, without):
        assert row["input"] == "224x224" and row["batch"] == 1 and row["cycles_per_image"] == row["cycles"]
        assert row["mac_utilisation"] == pytest.approx(row["macs"] / (392 * row["cycles"]), abs=1e-4)
        assert row["cycles"] == pytest.approx(row["cycles_model"], rel=0.05)
    assert whole["network"] == "shufflenet_v1 g3 0.25x" and whole["bit_exact"] and without["bit_exact"]
    assert without["network"] == "shufflenet_v1 g3 0.25x without classifier"
    assert 0 < whole["cycles"] - without["cycles"] < 1000 and without["cycles"] <= 60_000
    assert whole["macs"] - without["macs"] == 10 * 240


def test_bench_prints_a_table(riffle, refused):
    code, output, _ = riffle("bench", "--only", "digits", flat=False)
    assert code == 0 and max(map(len, output.splitlines())) <= 80
    assert re.search(r"g3 0.25x +1 +28x28 +0\.\d\d +[\d,]+ +[+-]\d\.\d% +0 +1\.26 +\d+\.\d% +yes", output)
    refused("bench", "--only", "resnet", message="no benchmark contains 'resnet': there are digits, g3-0.25x-c10, g3")


def test_bench_reports_wrong_results(riffle, monkeypatch):
    monkeypatch.setattr(reference, "run", lambda network, image: {network.output: np.zeros((10, 1, 1), np.int32)})
    code, output, _ = riffle("bench", "--json", "--only", "digits", flat=False)
    assert code == 1 and json.loads(output)[0]["bit_exact"] is False


def test_layers_report_and_trace(riffle, tmp_path):
    code, output, _ = riffle("bench", "--layers", "digits", flat=False)
    assert code == 0 and max(map(len, output.splitlines())) <= 80 and "…" not in output
    assert re.search(r"s2\.unit1\.reduce +[\d,]+ +[+-]\d+ ", output) and "that of NumPy" in output
    data = json.loads(riffle("bench", "--layers", "digits", "--json", flat=False)[1])
    inside = sum(e["cycles"] for e in data["layers"])
    assert data["ms_per_image"] > data["engine_ms"] == pytest.approx(data["cycles"] / hwh.CLOCK_MHZ / 1e3, abs=1e-4)
    assert data["bit_exact"] and inside + data["outside_descriptors"] == data["cycles"]
    for command in ("report", "trace"):
        code, output, _ = riffle(command, "digits", "-o", tmp_path / command)
        assert code == 0 and str(tmp_path / command) in output.replace(" ", "") and (tmp_path / command).stat().st_size
    rows = json.loads(riffle("bench", "--baselines", "--only", "digits", "--json", flat=False)[1])["rows"]
    assert all(row["exact"] for row in rows) and "no board was measured" in rows[0]["what"]


@pytest.mark.parametrize("arguments", [("demo", "--count", 0), ("demo", "--seed", -1), ("bench", "--seed", "x"),
                                       ("train",), ("classify",), ("compile", "digits")])
def test_wrong_usage_is_explained(riffle, arguments):
    code, output, errors = riffle(*arguments)
    assert (code, output) == (2, "") and "Usage: riffle" in errors and "Error" in errors


def test_help_lists_every_command(riffle):
    code, output, _ = riffle("--help")
    assert code == 0 and all(name in output for name in ("demo", "classify", "info", "compile", "compare", "bench"))


def test_pictures_keep_their_orientation_and_paper(tmp_path):
    picture = Image.new("RGBA", (20, 10), (0, 0, 0, 0))
    picture.putpixel((0, 0), (255, 0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    picture.save(tmp_path / "x.png", exif=exif)
    array = read(tmp_path / "x.png")
    assert array.shape == (20, 10, 3) and (array[0, 9] == (255, 0, 0)).all() and (array[1] == 255).all()


def test_command_as_a_process(tmp_path):
    """Piped: no colours, no bars, errors on stderr without a traceback; a reader that goes away is no error to show."""
    def call(*arguments, **variables):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
        return subprocess.run([sys.executable, "-m", "riffle.cli", *arguments], capture_output=True, text=True,
                              env=environment)
    wrong = call("classify", str(tmp_path / "x.png"))
    assert wrong.returncode == 1 and not wrong.stdout and "\x1b" not in wrong.stderr
    assert "riffle: error" in wrong.stderr and "Traceback" not in wrong.stderr
    demo = call("demo", "--count", "1")
    assert demo.returncode == 0 and not demo.stderr and "\x1b" not in demo.stdout and "1 of 1 right" in demo.stdout
    assert "\x1b[" in call("info", FORCE_COLOR="1").stdout
