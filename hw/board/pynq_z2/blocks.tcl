# blocks.tcl - what both block designs are built of. IP versions are looked up: Vivado 2020.2 to 2025 have different ones.

# The newest version of an IP that this Vivado has
proc newest {vlnv} {
  set found [lsort -dictionary [get_ipdefs -all "$vlnv:*"]]
  if {![llength $found]} { error "this Vivado has no IP $vlnv: Vivado 2020.2 to 2025 with Zynq-7000 installed is needed" }
  return [lindex $found end]
}

# A cell of an IP with properties given as {name value ...}, names without CONFIG.
proc cell {name vlnv args} {
  set made [create_bd_cell -type ip -vlnv [newest $vlnv] $name]
  set properties {}
  foreach {property value} $args { lappend properties CONFIG.$property $value }
  if {[llength $properties]} { set_property -dict $properties $made }
}

proc wire {from args} {
  connect_bd_net [get_bd_pins $from] {*}[lmap pin $args { get_bd_pins $pin }]
}

proc bus {from to} { connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to] }

# The processing system with its fixed pins, clock and reset of the fabric
proc processing_system {clock_mhz hp0} {
  cell ps7 xilinx.com:ip:processing_system7
  set_property -dict [ps7::settings $clock_mhz $hp0] [get_bd_cells ps7]
  foreach {name vlnv} {DDR xilinx.com:interface:ddrx_rtl:1.0 FIXED_IO xilinx.com:display_processing_system7:fixedio_rtl:1.0} {
    create_bd_intf_port -mode Master -vlnv $vlnv $name
    connect_bd_intf_net [get_bd_intf_ports $name] [get_bd_intf_pins ps7/$name]
  }
  cell reset xilinx.com:ip:proc_sys_reset
  wire ps7/FCLK_RESET0_N reset/ext_reset_in
  clocked ps7/M_AXI_GP0_ACLK reset/slowest_sync_clk
}

proc clocked {args} { wire ps7/FCLK_CLK0 {*}$args }

proc resets {args} { wire reset/peripheral_aresetn {*}$args }

# An interconnect from one master to `slaves`, all of it on the one clock
proc interconnect {name master slaves} {
  cell $name xilinx.com:ip:axi_interconnect NUM_SI 1 NUM_MI [llength $slaves]
  bus $master $name/S00_AXI
  clocked $name/ACLK $name/S00_ACLK
  wire reset/interconnect_aresetn $name/ARESETN
  resets $name/S00_ARESETN
  set index 0
  foreach slave $slaves {
    set port [format M%02d $index]
    bus $name/${port}_AXI $slave
    clocked $name/${port}_ACLK
    resets $name/${port}_ARESETN
    incr index
  }
}

# An interrupt controller in front of IRQ_F2P[0], as PYNQ wants it. Edge, since PYNQ loses every second interrupt of a
# level one; VALUE_SRC keeps Vivado from replacing that by what the sources say of themselves.
proc interrupts {sources} {
  cell axi_intc_0 xilinx.com:ip:axi_intc C_KIND_OF_INTR.VALUE_SRC USER C_KIND_OF_EDGE.VALUE_SRC USER \
      C_KIND_OF_INTR 0xFFFFFFFF C_KIND_OF_EDGE 0xFFFFFFFF C_IRQ_CONNECTION 1
  clocked axi_intc_0/s_axi_aclk
  resets axi_intc_0/s_axi_aresetn
  if {[llength $sources] == 1} {
    wire [lindex $sources 0] axi_intc_0/intr
  } else {
    cell interrupts xilinx.com:ip:xlconcat NUM_PORTS [llength $sources]
    set index 0
    foreach source $sources { wire $source interrupts/In$index; incr index }
    wire interrupts/dout axi_intc_0/intr
  }
  wire axi_intc_0/irq ps7/IRQ_F2P
}

# A segment of a slave at a fixed address of the processor
proc at_address {segment offset size {space ps7/Data}} {
  assign_bd_address -offset $offset -range $size -target_address_space [get_bd_addr_spaces $space] \
      [get_bd_addr_segs $segment]
}
