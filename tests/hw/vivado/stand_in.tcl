# stand_in.tcl - the Vivado commands that our Tcl uses, without Vivado: they record what is asked and refuse what is wrong
#
# Refused: commands that are not here, IPs and properties that are not in catalogue.tcl, pins that an IP with these
# properties does not have, two drivers, a pin connected twice, overlapping or misaligned address segments, and (in
# validate_bd_design) anything left open. `record` prints the design, one fact a line, for tests/hw/test_block_design.py.
namespace eval state {
  variable cells {} properties {} nets {} links {} addresses {} calls {} files {} project {} registers {}
}
set stand_in [file dirname [file normalize [info script]]]
source $stand_in/catalogue.tcl
source $stand_in/flow.tcl

proc called {args} { lappend state::calls $args }
proc refuse {text} { error "stand-in: $text" }
proc options {arguments known} {  ;# {-a 1 -flag rest} as a dictionary; `known` says which options take a value
  set found {rest {}}
  while {[llength $arguments]} {
    set arguments [lassign $arguments word]
    if {![string match -* $word] || [string is double -strict $word]} { dict lappend found rest $word; continue }
    if {![dict exists $known $word]} { refuse "option $word is unknown here" }
    if {[dict get $known $word]} { set arguments [lassign $arguments value] } else { set value 1 }
    dict set found $word $value
  }
  return $found
}

# ------------------------------------------------------------------------------------------------- catalogue and pins
proc ip_of {cell} {
  if {![dict exists $state::cells $cell]} { refuse "there is no cell $cell" }
  set vlnv [dict get $state::cells $cell]
  if {[info exists ::module($vlnv)]} { return $::module($vlnv) }
  return $::ip([join [lrange [split $vlnv :] 0 2] :])
}
proc property_of {cell name} {
  if {[dict exists $state::properties $cell $name]} { return [dict get $state::properties $cell $name] }
  return 0
}
proc expand {entry what cell} {  ;# pins or buses that exist with the properties of this cell
  set found {}
  foreach {name kind} [dict get $entry $what] {
    lassign $kind mode word property
    if {$word eq "if" && ![property_of $cell $property]} continue
    if {$word ne "for"} { dict set found $name $mode; continue }
    for {set i 0} {$i < [property_of $cell $property]} {incr i} {
      dict set found [string map [list ** [format %02d $i] * $i] $name] $mode
    }
  }
  return $found
}
proc found {path table} {  ;# cell/name of everything that a pattern names in pins_of or buses_of
  lassign [split $path /] cell pattern
  set names [lsearch -all -inline -glob [dict keys [$table $cell]] $pattern]
  if {![llength $names]} { refuse "[dict get $state::cells $cell] has no $path with these properties" }
  lmap name $names { string cat $cell / $name }
}
proc kind {path table} { lassign [split $path /] cell name; dict get [$table $cell] $name }

set driven_by {clock clock_out reset reset_out reset_in reset_out in out}

# ------------------------------------------------------------------------------------------------- block design
proc get_ipdefs {args} {
  set wanted [lindex [dict get [options $args {-all 0}] rest] 0]
  set all {}
  foreach {name entry} [array get ::ip] { foreach version [dict get $entry versions] { lappend all $name:$version } }
  return [lsearch -all -inline -glob $all $wanted]
}
proc create_bd_design {name} { called create_bd_design $name }
proc create_bd_cell {args} {
  set o [options $args {-type 1 -vlnv 1 -reference 1}]
  set name [dict get $o rest]
  if {[dict exists $state::cells $name]} { refuse "cell $name exists" }
  if {[dict get $o -type] eq "module"} {
    set vlnv [dict get $o -reference]
    if {![info exists ::module($vlnv)]} { refuse "no module $vlnv" }
  } else {
    set vlnv [dict get $o -vlnv]
    if {$vlnv ni [get_ipdefs -all *]} { refuse "no IP $vlnv" }
  }
  dict set state::cells $name $vlnv
  return $name
}
proc get_bd_cells {name} { ip_of $name; return $name }
proc create_bd_intf_port {args} { dict get [options $args {-mode 1 -vlnv 1}] rest }
proc get_bd_intf_ports {name} { return port/$name }
proc get_bd_pins {path} { found $path pins_of }
proc get_bd_intf_pins {path} { found $path buses_of }
proc connect_bd_net {args} {
  set driver {}
  foreach pin $args {
    if {[string match *out [kind $pin pins_of]]} { lappend driver $pin }
  }
  if {[llength $driver] != 1} { refuse "a net needs one driver: $args" }
  foreach pin $args {
    if {$pin eq $driver} continue
    if {[dict exists $state::nets $pin]} { refuse "$pin is connected twice" }
    if {[dict get $::driven_by [kind $pin pins_of]] ne [kind $driver pins_of]} { refuse "$driver may not drive $pin" }
    dict set state::nets $pin $driver
  }
}
proc connect_bd_intf_net {from to} {
  if {[string match port/* $from]} { lassign [list $to $from] from to } elseif {[kind $from buses_of] ne "master" ||
      [kind $to buses_of] ne "slave"} { refuse "a bus goes from a master to a slave: $from $to" }
  foreach end [list $from $to] { if {[dict exists $state::links $end]} { refuse "$end is connected twice" } }
  dict set state::links $from $to
  dict set state::links $to $from
}
proc get_bd_addr_spaces {path} { lassign [split $path /] cell space; in_list $space $cell spaces $path }
proc get_bd_addr_segs {path} { in_list [join [lrange [split $path /] 1 end] /] [lindex [split $path /] 0] segments $path }
proc in_list {name cell what path} {
  if {$name ni [dict get [ip_of $cell] $what]} { refuse "$cell has no $path among its $what" }
  return $path
}
proc assign_bd_address {args} {
  set o [options $args {-offset 1 -range 1 -target_address_space 1}]
  set low [expr {[dict get $o -offset]}]; set size [expr {[dict get $o -range]}]; set space [dict get $o -target_address_space]
  if {$size & ($size - 1) || $low % $size} { refuse "$args: the size is no power of two or the offset no multiple of it" }
  foreach {other start length target} $state::addresses {
    if {$other eq $space && $low < $start + $length && $start < $low + $size} { refuse "$args overlaps $target" }
  }
  lappend state::addresses $space $low $size [lindex [dict get $o rest] 0]
}
proc validate_bd_design {} {
  foreach cell [dict keys $state::cells] {
    dict for {pin kind} [pins_of $cell] {
      if {![string match *out $kind] && ![dict exists $state::nets $cell/$pin]} { refuse "$cell/$pin is open" }
    }
    foreach bus [dict keys [buses_of $cell]] {
      if {![dict exists $state::links $cell/$bus]} { refuse "$cell/$bus is open" }
    }
    foreach segment [dict get [ip_of $cell] segments] {
      set bus [lindex [split $segment /] 0]
      if {[string tolower $bus] in [lmap b [dict keys [buses_of $cell]] { string tolower $b }] &&
          "$cell/$segment" ni $state::addresses} { refuse "$cell/$segment has no address" }
    }
  }
  called validate_bd_design
}
proc save_bd_design {} { called save_bd_design }

proc record {} {
  dict for {cell vlnv} $state::cells { puts "cell $cell $vlnv" }
  dict for {cell properties} $state::properties {
    dict for {name value} $properties { puts "property $cell $name $value" }
  }
  dict for {pin driver} $state::nets { puts "net $pin $driver" }
  dict for {bus other} $state::links { puts "bus $bus $other" }
  foreach {space low size segment} $state::addresses { puts [format "address %s 0x%x 0x%x %s" $space $low $size $segment] }
  foreach register $state::registers { puts "register $register" }
  foreach file $state::files { puts "file $file" }
  foreach call $state::calls { puts "call $call" }
}
