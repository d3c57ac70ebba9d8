# catalogue.tcl - what the stand-in knows of Vivado's IPs: properties, pins and buses. Whatever is not here is refused.
#
# pins     name kind; kinds: clock reset in out clock_out reset_out. A pin with `if` exists where that property is not 0.
#          One with `for` exists as often as that property says: * counts 0, 1, ..., ** 00, 01, ...
# buses    name mode, mode master or slave; with the clock and reset pin that belong to it
# segments address segments of slaves; spaces: address spaces of masters

proc pins_of {cell} { expand [ip_of $cell] pins $cell }
proc buses_of {cell} { expand [ip_of $cell] buses $cell }

set ip(xilinx.com:ip:processing_system7) {
  versions 5.5
  properties {
    PCW_CRYSTAL_PERIPHERAL_FREQMHZ PCW_APU_PERIPHERAL_FREQMHZ PCW_UIPARAM_DDR_FREQ_MHZ PCW_FCLK0_PERIPHERAL_CLKSRC
    PCW_UIPARAM_DDR_MEMORY_TYPE PCW_UIPARAM_DDR_PARTNO PCW_UIPARAM_DDR_BUS_WIDTH
    PCW_UIPARAM_DDR_BOARD_DELAY0 PCW_UIPARAM_DDR_BOARD_DELAY1 PCW_UIPARAM_DDR_BOARD_DELAY2 PCW_UIPARAM_DDR_BOARD_DELAY3
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_0 PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_1 PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_2
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_3 PCW_UIPARAM_DDR_TRAIN_DATA_EYE PCW_UIPARAM_DDR_TRAIN_READ_GATE
    PCW_UIPARAM_DDR_TRAIN_WRITE_LEVEL PCW_PRESET_BANK0_VOLTAGE PCW_PRESET_BANK1_VOLTAGE PCW_QSPI_PERIPHERAL_ENABLE
    PCW_QSPI_GRP_SINGLE_SS_ENABLE PCW_ENET0_PERIPHERAL_ENABLE PCW_ENET0_ENET0_IO PCW_ENET0_GRP_MDIO_ENABLE
    PCW_ENET0_GRP_MDIO_IO PCW_ENET0_RESET_ENABLE PCW_ENET0_RESET_IO PCW_SD0_PERIPHERAL_ENABLE PCW_SD0_SD0_IO
    PCW_SD0_GRP_CD_ENABLE PCW_SD0_GRP_CD_IO PCW_UART0_PERIPHERAL_ENABLE PCW_UART0_UART0_IO PCW_USB0_PERIPHERAL_ENABLE
    PCW_USB0_USB0_IO PCW_USB0_RESET_ENABLE PCW_USB0_RESET_IO PCW_GPIO_MIO_GPIO_ENABLE PCW_FPGA0_PERIPHERAL_FREQMHZ
    PCW_EN_CLK0_PORT PCW_EN_RST0_PORT PCW_USE_M_AXI_GP0 PCW_USE_S_AXI_HP0 PCW_S_AXI_HP0_DATA_WIDTH
    PCW_USE_FABRIC_INTERRUPT PCW_IRQ_F2P_INTR
  }
  pins {
    FCLK_CLK0 {clock_out if PCW_EN_CLK0_PORT} FCLK_RESET0_N {reset_out if PCW_EN_RST0_PORT}
    M_AXI_GP0_ACLK {clock if PCW_USE_M_AXI_GP0} S_AXI_HP0_ACLK {clock if PCW_USE_S_AXI_HP0}
    IRQ_F2P {in if PCW_IRQ_F2P_INTR}
  }
  buses {DDR port FIXED_IO port M_AXI_GP0 {master if PCW_USE_M_AXI_GP0} S_AXI_HP0 {slave if PCW_USE_S_AXI_HP0}}
  segments {S_AXI_HP0/HP0_DDR_LOWOCM}
  spaces {Data}
}
set ip(xilinx.com:ip:proc_sys_reset) {
  versions 5.0
  properties {}
  pins {
    slowest_sync_clk clock ext_reset_in reset_in peripheral_aresetn reset_out interconnect_aresetn reset_out
  }
  buses {} segments {} spaces {}
}
set ip(xilinx.com:ip:axi_interconnect) {
  versions {2.1 1.7}
  properties {NUM_SI NUM_MI}
  pins {ACLK clock ARESETN reset S00_ACLK clock S00_ARESETN reset M**_ACLK {clock for NUM_MI} M**_ARESETN {reset for NUM_MI}}
  buses {S00_AXI slave M**_AXI {master for NUM_MI}}
  segments {} spaces {}
}
set ip(xilinx.com:ip:axi_intc) {
  versions {4.1 4.10 4.9}
  properties {
    C_KIND_OF_INTR C_KIND_OF_EDGE C_IRQ_CONNECTION C_KIND_OF_INTR.VALUE_SRC C_KIND_OF_EDGE.VALUE_SRC
  }
  pins {s_axi_aclk clock s_axi_aresetn reset intr in irq out}
  buses {s_axi slave}
  segments {S_AXI/Reg} spaces {}
}
set ip(xilinx.com:ip:xlconcat) {
  versions 2.1
  properties {NUM_PORTS}
  pins {In* {in for NUM_PORTS} dout out}
  buses {} segments {} spaces {}
}
set ip(xilinx.com:ip:axi_bram_ctrl) {
  versions 4.1
  properties {SINGLE_PORT_BRAM DATA_WIDTH}
  pins {s_axi_aclk clock s_axi_aresetn reset}
  buses {S_AXI slave BRAM_PORTA master}
  segments {S_AXI/Mem0} spaces {}
}
set ip(xilinx.com:ip:blk_mem_gen) {
  versions 8.4
  properties {Memory_Type use_bram_block}
  pins {}
  buses {BRAM_PORTA slave BRAM_PORTB slave}
  segments {} spaces {}
}
foreach core {grouped_pointwise depthwise channel_shuffle} {
  set ip(xilinx.com:hls:$core) {
    versions 1.0
    properties {}
    pins {ap_clk clock ap_rst_n reset interrupt out}
    buses {s_axi_control slave source_PORTA master target_PORTA master}
    segments {s_axi_control/Reg} spaces {}
  }
}
set module(bram_share) {
  versions {} properties {} pins {} segments {} spaces {}
  buses {core0 slave core1 slave core2 slave memory master}
}
