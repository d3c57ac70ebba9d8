# system.tcl - the block design: M_AXI_GP0 -> interconnect -> Riffle and interrupt controller -> IRQ_F2P[0];
# Riffle's read master -> S_AXI_HP0

# `facts` is a dictionary that facts.py writes: address map, VLNV, sources
proc system {facts clock_mhz} {
  dict with facts {}
  create_bd_design $name
  processing_system $clock_mhz 1
  cell riffle_0 [join [lrange [split $vlnv :] 0 2] :] Engine [expr {$engine eq "hls"}] BuildHash 0x$build_hash
  clocked riffle_0/aclk
  resets riffle_0/aresetn
  interrupts riffle_0/interrupt
  interconnect gp0 ps7/M_AXI_GP0 {riffle_0/s_axi axi_intc_0/s_axi}
  at_address riffle_0/s_axi/reg0 $segment_base $segment_size
  at_address axi_intc_0/S_AXI/Reg $interrupt_base $interrupt_size
  read_master $memory_size
  validate_bd_design
  save_bd_design
}

# The weight stream out of DDR: AXI3 on both sides, so that the interconnect has nothing to convert
proc read_master {memory_size} {
  interconnect hp0 riffle_0/m_axi ps7/S_AXI_HP0
  clocked ps7/S_AXI_HP0_ACLK
  at_address ps7/S_AXI_HP0/HP0_DDR_LOWOCM 0x00000000 $memory_size riffle_0/m_axi
}
