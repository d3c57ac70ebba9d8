# package.tcl - the RTL as an IP, so that the .hwh carries our VLNV and registers

# One address segment with the registers of the spec: PYNQ binds a driver to an IP with one *register* segment
proc describe_registers {core registers size} {
  set map [ipx::get_memory_maps s_axi -of_objects $core]
  if {$map eq ""} {
    set map [ipx::add_memory_map s_axi $core]
    set_property slave_memory_map_ref s_axi [ipx::get_bus_interfaces s_axi -of_objects $core]
  }
  set block [ipx::get_address_blocks reg0 -of_objects $map]
  if {$block eq ""} { set block [ipx::add_address_block reg0 $map] }
  set_property -dict [list usage register range $size] $block
  foreach {name offset description fields} $registers {
    set register [ipx::add_register $name $block]
    set_property -dict [list address_offset $offset size 32 description $description] $register
    foreach {field low width access} $fields {
      set made [ipx::add_field $field $register]
      set_property -dict [list bit_offset $low bit_width $width access $access] $made
    }
  }
}

proc package_ip {facts folder part} {
  dict with facts {}
  lassign [split $vlnv :] vendor library ip version
  create_project -force package $folder/package -part $part
  add_files -norecurse $sources
  set_property top $top [current_fileset]
  update_compile_order -fileset sources_1
  ipx::package_project -root_dir $folder/ip -vendor $vendor -library $library -taxonomy /UserIP -import_files -force
  set core [ipx::current_core]
  set_property -dict [list name $ip version $version display_name Riffle \
      description {ShuffleNet accelerator} core_revision 1] $core
  describe_registers $core $registers $segment_size
  ipx::create_xgui_files $core
  ipx::update_checksums $core
  ipx::save_core $core
  close_project
}
