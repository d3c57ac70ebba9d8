# build.tcl - from RTL to bitstream: vivado -mode batch -source build.tcl -tclargs DESIGN FACTS FOLDER CLOCK_MHZ JOBS
#
# DESIGN     system (the accelerator) or cores (the stand-alone HLS cores)
# Leaves     <name>.bit, <name>.hwh, timing.rpt, utilisation.rpt and results.txt in FOLDER. Timing that is not met is an error.
lassign $argv design facts_file folder clock_mhz jobs
set here [file dirname [file normalize [info script]]]
foreach script {ps7 blocks package system cores implement} { source $here/$script.tcl }
source $facts_file

set part xc7z020clg400-1
switch $design {
  system {
    set name [dict get $facts name]
    set repository $folder/ip
    package_ip $facts $folder $part
  }
  cores {
    set name [dict get $facts cores_name]
    set repository [dict get $facts cores_repository]
  }
  default { error "build.tcl: DESIGN is system or cores, not $design" }
}
create_project -force $design $folder/$design -part $part
set_property ip_repo_paths $repository [current_project]
update_ip_catalog
if {$design eq "cores"} { add_files -norecurse $here/bram_share.v }
$design $facts $clock_mhz
implement $design $name $folder $jobs
