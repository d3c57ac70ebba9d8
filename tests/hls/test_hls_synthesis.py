"""The way to the synthesisers: the Tcl script under a stand-in of Vitis, stand-ins of the programs, none at all."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from hls_native import ROOT

SYNTHESISE = ROOT / "hls" / "synthesise.py"
COMMANDS = ["open_project", "set_top", "add_files", "open_solution", "set_part", "create_clock", "csynth_design",
            "export_design", "close_project"]


def run_tcl(tmp_path, **settings):
    """What the script asks Vitis for, line by line; stand-ins of its commands print themselves."""
    if not shutil.which("tclsh"):
        pytest.skip("tclsh is not installed: the Tcl script is not run")
    script = "".join(f'proc {name} {{args}} {{ puts "{name} $args" }}\n' for name in COMMANDS)
    script += f'source "{ROOT / "hls" / "synthesise.tcl"}"\n'
    (tmp_path / "run.tcl").write_text(script)
    return subprocess.run(["tclsh", str(tmp_path / "run.tcl")], env={**os.environ, **settings}, capture_output=True,
                          text=True)


@pytest.mark.parametrize("kernel, top", [("depthwise", "depthwise"), ("engine", "riffle_engine")])
def test_tcl_script(kernel, top, tmp_path):
    done = run_tcl(tmp_path, RIFFLE_KERNEL=kernel, RIFFLE_OUTPUT=str(tmp_path / "out" / "made"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == COMMANDS
    assert lines[0] == "open_project -reset made" and lines[1] == f"set_top {top}"
    assert "-std=c++14" in lines[2] and f"{kernel}.cpp" in lines[2]
    assert lines[4] == "set_part xc7z020clg400-1" and "-period 10" in lines[5]
    assert lines[7] == "export_design -format ip_catalog"


def test_tcl_script_names_the_kernels(tmp_path):
    done = run_tcl(tmp_path, RIFFLE_KERNEL="pointwise")
    assert done.returncode and "set it to one of channel_shuffle, depthwise, engine, grouped_pointwise" in done.stderr


@pytest.mark.parametrize("tool, words", [("vitis", "install Vitis"), ("bambu", "download the AppImage")])
def test_a_missing_tool_is_said_in_one_sentence(tool, words, tmp_path):
    done = subprocess.run([sys.executable, str(SYNTHESISE), "--tool", tool], capture_output=True, text=True,
                          env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and words in done.stderr


XML = """<profile><ReportVersion><Version>2023.1</Version></ReportVersion>
<UserAssignments><Part>xc7z020-clg400-1</Part><TargetClockPeriod>10.00</TargetClockPeriod></UserAssignments>
<PerformanceEstimates><SummaryOfTimingAnalysis><EstimatedClockPeriod>7.3</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><Best-caseLatency>9</Best-caseLatency><Worst-caseLatency>99</Worst-caseLatency>
</SummaryOfOverallLatency><SummaryOfLoopLatency><Channel><PipelineII>1</PipelineII></Channel></SummaryOfLoopLatency>
</PerformanceEstimates><AreaEstimates><Resources><LUT>321</LUT><DSP>4</DSP></Resources></AreaEstimates></profile>"""
PROGRAMS = {
    "vitis": ("vitis-run", f"""mkdir -p solution/syn/verilog solution/syn/report
echo 'module depthwise; endmodule' > solution/syn/verilog/depthwise.v
cat > solution/syn/report/depthwise_csynth.xml <<'END'
{XML}
END
"""),
    "bambu": ("bambu", "echo 'module depthwise; endmodule' > depthwise.v; echo 'Total estimated area: 987'\n"),
}


@pytest.mark.parametrize("tool", PROGRAMS)
def test_report_of_a_stand_in_for_the_program(tool, tmp_path):
    name, text = PROGRAMS[tool]
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "hls", tree / "hls")
    program = tmp_path / "bin" / name
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\n{text}')
    program.chmod(0o755)
    done = subprocess.run([sys.executable, str(tree / "hls" / "synthesise.py"), "--tool", tool, "depthwise"],
                          env={**os.environ, "PATH": f"{program.parent}:/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report, arguments = json.loads(done.stdout), (tmp_path / "arguments").read_text()
    if tool == "vitis":
        assert report["resources"] == {"LUT": 321, "DSP": 4} and report["loops"] == {"Channel": {"PipelineII": "1"}}
        assert report["latency"] == {"Best": "9", "Worst": "99"} and arguments.startswith("--mode hls --tcl ")
    else:
        assert report["verilog"] == ["depthwise.v"] and report["estimates"] == {"Total estimated area": 987.0}
        assert "--top-fname=depthwise" in arguments and "--generate-interface=INFER" in arguments


@pytest.mark.parametrize("tool, kernel", [("bambu", "engine"), ("vitis", "no_such")])
def test_kernels_that_a_tool_does_not_compile(tool, kernel, tmp_path):
    program = tmp_path / PROGRAMS[tool][0]
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = subprocess.run([sys.executable, str(SYNTHESISE), "--tool", tool, kernel], capture_output=True, text=True,
                          env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1 and f"{tool} compiles no kernel '{kernel}'; it does " in done.stderr
