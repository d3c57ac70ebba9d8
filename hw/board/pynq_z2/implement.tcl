# implement.tcl - synthesis, placement, routing and bitstream of a block design, the timing gate, and what came out

proc implement {project name folder jobs} {
  set design [get_files $name.bd]
  set_property synth_checkpoint_mode None $design  ;# all of it in one synthesis
  generate_target all $design
  add_files -norecurse [make_wrapper -files $design -top]
  set_property top ${name}_wrapper [current_fileset]
  update_compile_order -fileset sources_1
  set_property strategy Performance_ExplorePostRoutePhysOpt [get_runs impl_1]
  launch_runs impl_1 -to_step write_bitstream -jobs $jobs
  wait_on_run impl_1
  if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} { error "implementation failed: see $folder/$project/$project.runs" }
  open_run impl_1
  report_timing_summary -file $folder/timing.rpt
  report_utilization -hierarchical -file $folder/utilisation.rpt
  check_timing_met $folder
  write_results $folder
  # where it is depends on the version
  collect "$folder/$project/$project.runs/impl_1/${name}_wrapper.bit" $folder/$name.bit
  collect "$folder/$project/$project.{gen,srcs}/sources_1/bd/$name/hw_handoff/$name.hwh" $folder/$name.hwh
}

# A bitstream that misses its clock is worse than none
proc check_timing_met {folder} {
  foreach {kind option} {setup -setup hold -hold} {
    set path [get_timing_paths -max_paths 1 $option]
    set slack [get_property SLACK $path]
    if {$slack < 0} {
      error "timing is not met ($kind slack $slack ns): from [get_property STARTPOINT_PIN $path] to\
          [get_property ENDPOINT_PIN $path], [get_property LOGIC_LEVELS $path] levels; see $folder/timing.rpt,\
          or build with a lower CLOCK_MHZ"
    }
  }
}

# One `name value` a line, for manifest.py
proc write_results {folder} {
  set out [open $folder/results.txt w]
  puts $out "tool_version [version -short]"
  puts $out "slack_ns [get_property SLACK [get_timing_paths -max_paths 1 -setup]]"
  foreach {name filter} {dsp REF_NAME==DSP48E1 bram36 REF_NAME==RAMB36E1 bram18 REF_NAME==RAMB18E1 lut REF_NAME=~LUT* ff REF_NAME=~FD*} {
    puts $out "$name [llength [get_cells -hierarchical -filter $filter]]"
  }
  close $out
}

proc collect {pattern target} {
  set found [glob -nocomplain $pattern]
  if {[llength $found] != 1} { error "expected one file $pattern, found: $found" }
  file copy -force [lindex $found 0] $target
}
