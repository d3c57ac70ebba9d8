# flow.tcl - the stand-in's projects, packager and runs. What Vivado would build is put down as small files.
#
# STAND_IN_SLACK is the slack that timing reports (ns), STAND_IN_VERSION the version of Vivado.
set settable {
  project {ip_repo_paths} fileset {top} run {strategy} file {synth_checkpoint_mode}
  core {name version display_name description core_revision} interface {slave_memory_map_ref}
  block {usage range} register {address_offset size description} field {bit_offset bit_width access}
}
proc environment {name default} { expr {[info exists ::env($name)] ? $::env($name) : $default} }

proc set_property {args} {
  set o [options $args {-dict 1}]
  if {[dict exists $o -dict]} { set pairs [dict get $o -dict] } else { set pairs [lrange [dict get $o rest] 0 1] }
  set object [lindex [dict get $o rest] end]
  foreach {name value} $pairs { set_one $object $name $value }
}
proc set_one {object name value} {
  if {[dict exists $state::cells $object]} {
    set name [regsub {^CONFIG\.} $name {}]
    if {$name ni [dict get [ip_of $object] properties]} { refuse "[dict get $state::cells $object] has no property $name" }
    dict set state::properties $object $name $value
    return
  }
  set class [lindex [split $object :] 0]
  if {![dict exists $::settable $class] || $name ni [dict get $::settable $class]} { refuse "$object has no property $name" }
  called set_property $object $name $value
  if {$class in {register field}} { lappend state::registers "[join [lrange [split $object :] 1 end] :] $name $value" }
}
proc get_property {name object} {
  set values [dict create PROGRESS 100% SLACK [environment STAND_IN_SLACK 0.5] STARTPOINT_PIN u_a/C ENDPOINT_PIN u_b/D \
      LOGIC_LEVELS 7]
  return [dict get $values $name]
}

proc create_project {args} {
  set o [options $args {-force 0 -part 1}]
  if {$state::project ne ""} { refuse "a project is open: [lindex $state::project 0]" }
  set state::project [dict get $o rest]
  called create_project {*}$args
}
proc close_project {} { set state::project {}; called close_project }
proc current_project {} { return project }
proc current_fileset {} { return fileset }
proc add_files {args} {
  foreach file [lindex [dict get [options $args {-norecurse 0}] rest] 0] {
    if {![file exists $file]} { refuse "there is no file $file" }
    lappend state::files $file
  }
}
proc update_compile_order {args} { options $args {-fileset 1} }
proc update_ip_catalog {} { called update_ip_catalog }
proc get_files {name} { return file:$name }
proc generate_target {what file} { called generate_target $what $file }
proc made {path} {
  file mkdir [file dirname $path]
  set out [open $path w]; puts $out "made by the stand-in"; close $out
  return $path
}
proc folder {} { return [lindex $state::project 1] }
proc project {} { return [lindex $state::project 0] }
proc make_wrapper {args} {
  options $args {-files 1 -top 0}
  return [made [folder]/[project].gen/wrapper.v]
}
proc get_runs {name} { return run:$name }
proc launch_runs {args} {
  set o [options $args {-to_step 1 -jobs 1}]
  called launch_runs {*}$args
  set name [lindex [lindex [lsearch -inline -index 0 $state::calls create_bd_design] 1] 0]
  made [folder]/[project].runs/[lindex [dict get $o rest] 0]/${name}_wrapper.bit
  made [folder]/[project].[environment STAND_IN_GENERATED gen]/sources_1/bd/$name/hw_handoff/$name.hwh
}
proc wait_on_run {name} { called wait_on_run $name }
proc open_run {name} { called open_run $name }
proc report_timing_summary {args} { made [dict get [options $args {-file 1}] -file] }
proc report_utilization {args} { made [dict get [options $args {-hierarchical 0 -file 1}] -file] }
proc get_timing_paths {args} { options $args {-max_paths 1 -setup 0 -hold 0}; return path }
proc get_cells {args} { options $args {-hierarchical 0 -filter 1}; return {u_a u_b} }
proc version {flag} { return [environment STAND_IN_VERSION 2024.1] }

namespace eval ipx {
  proc package_project {args} {
    options $args {-root_dir 1 -vendor 1 -library 1 -taxonomy 1 -import_files 0 -force 0}
    called ipx::package_project {*}$args
  }
  proc current_core {} { return core }
  # Vivado makes map and block of a slave by itself where it recognises one; STAND_IN_MAPS=0: it did not
  proc get_memory_maps {name args} { expr {[environment STAND_IN_MAPS 1] ? "map:$name" : ""} }
  proc get_address_blocks {name args} { expr {[environment STAND_IN_MAPS 1] ? "block:$name" : ""} }
  proc add_memory_map {name core} { return map:$name }
  proc add_address_block {name map} { return block:$name }
  proc get_bus_interfaces {name args} { return interface:$name }
  proc add_register {name block} { return register:$name }
  proc add_field {name register} { return field:[lindex [split $register :] 1]:$name }
  foreach command {create_xgui_files update_checksums save_core} { proc $command {core} {} }
}
