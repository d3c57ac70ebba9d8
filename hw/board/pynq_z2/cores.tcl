# cores.tcl - the three stand-alone HLS cores between two AXI BRAM controllers, in one small block design
#
# M_AXI_GP0 -> interconnect -> memory_a, memory_b (AXI BRAM controller, 256 KB) and the control port of each core. The other
# port of each memory is shared by the cores: pointwise reads a and writes b, depthwise reads b and writes a, shuffle reads
# a and writes b, so that a chain of the three needs no copying. One core runs at a time (bram_share.v).

# core, memory that it reads, memory that it writes
set core_chain {grouped_pointwise a b depthwise b a channel_shuffle a b}
set memory_size 0x00040000
set memory_base {a 0x40000000 b 0x40040000}

proc cores {facts clock_mhz} {
  global core_chain
  create_bd_design [dict get $facts cores_name]
  processing_system $clock_mhz 0
  set slaves {}
  foreach name {a b} { lappend slaves [memory $name] }
  set interrupts {}
  foreach {core from to} $core_chain {
    cell $core xilinx.com:hls:$core
    clocked $core/ap_clk
    resets $core/ap_rst_n
    lappend slaves $core/s_axi_control
    lappend interrupts $core/interrupt
  }
  share a
  share b
  interrupts $interrupts
  interconnect gp0 ps7/M_AXI_GP0 [concat $slaves axi_intc_0/s_axi]
  place_all [dict get $facts interrupt_base] [dict get $facts interrupt_size]
  validate_bd_design
  save_bd_design
}

# A memory behind a controller; its slave port is returned
proc memory {name} {
  cell control_$name xilinx.com:ip:axi_bram_ctrl SINGLE_PORT_BRAM 1 DATA_WIDTH 32
  cell memory_$name xilinx.com:ip:blk_mem_gen Memory_Type True_Dual_Port_RAM use_bram_block BRAM_Controller
  clocked control_$name/s_axi_aclk
  resets control_$name/s_axi_aresetn
  bus control_$name/BRAM_PORTA memory_$name/BRAM_PORTA
  return control_$name/S_AXI
}

# The other port of a memory, for the cores that read or write it
proc share {name} {
  global core_chain
  create_bd_cell -type module -reference bram_share share_$name
  set index 0
  foreach {core from to} $core_chain {
    set argument [expr {$from eq $name ? "source" : "target"}]
    bus $core/${argument}_PORTA share_$name/core$index
    incr index
  }
  bus share_$name/memory memory_$name/BRAM_PORTB
}

proc place_all {interrupt_base interrupt_size} {
  global core_chain memory_base memory_size
  dict for {name base} $memory_base { at_address control_$name/S_AXI/Mem0 $base $memory_size }
  set base 0x43C00000
  foreach {core from to} $core_chain {
    at_address $core/s_axi_control/Reg $base 0x00010000
    set base [format 0x%08X [expr {$base + 0x10000}]]
  }
  at_address axi_intc_0/S_AXI/Reg $interrupt_base $interrupt_size
}
