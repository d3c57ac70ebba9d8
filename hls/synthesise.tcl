# Vitis HLS: C synthesis and IP export of one kernel.
#
#   RIFFLE_KERNEL=depthwise RIFFLE_OUTPUT=build/hls/vitis/depthwise vitis-run --mode hls --tcl hls/synthesise.tcl
#   (2020.2 to 2022.2: vitis_hls -f hls/synthesise.tcl)
#
# `make hls KERNEL=depthwise` does this and collects the report. Arguments come in the environment, since vitis-run
# passes none on: RIFFLE_KERNEL, RIFFLE_OUTPUT (a folder), and if wanted RIFFLE_PART, RIFFLE_CLOCK_NS and RIFFLE_DEFINES.
proc setting {name default} {
  return [expr {[info exists ::env($name)] ? $::env($name) : $default}]
}

set here [file normalize [file dirname [info script]]]
set kernel [setting RIFFLE_KERNEL ""]
set source $here/kernels/$kernel.cpp
if {$kernel eq "" || ![file exists $source]} {
  set known [lsort [lmap path [glob $here/kernels/*.cpp] {file rootname [file tail $path]}]]
  error "RIFFLE_KERNEL is \"$kernel\": set it to one of [join $known {, }]"
}
set top [expr {$kernel eq "engine" ? "riffle_engine" : $kernel}]
set output [file normalize [setting RIFFLE_OUTPUT $here/../build/hls/vitis/$kernel]]

file mkdir [file dirname $output]
cd [file dirname $output]
open_project -reset [file tail $output]
set_top $top
add_files $source -cflags "-std=c++14 [setting RIFFLE_DEFINES {}]"
open_solution -reset solution -flow_target vivado
set_part [setting RIFFLE_PART xc7z020clg400-1]
create_clock -period [setting RIFFLE_CLOCK_NS 10] -name default
csynth_design
export_design -format ip_catalog
close_project
exit
