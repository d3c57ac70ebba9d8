# ps7.tcl - settings of the processing system for the PYNQ-Z2, since Vivado ships no board files for it
#
# The board's boot image has initialised DDR, pins and clocks before a bitstream is loaded; of what stands here PYNQ then
# applies the clock of the fabric, from the .hwh. The rest makes the design complete for other boot flows.
namespace eval ps7 {
  # 50 MHz crystal: ARM PLL 1300 MHz / 2, DDR PLL 1050 MHz / 2, IO PLL 1000 MHz
  variable clocks {
    PCW_CRYSTAL_PERIPHERAL_FREQMHZ 50
    PCW_APU_PERIPHERAL_FREQMHZ     650
    PCW_UIPARAM_DDR_FREQ_MHZ       525
    PCW_FCLK0_PERIPHERAL_CLKSRC    {IO PLL}
  }
  # 512 MB: one MT41J256M16 of 16 bits
  variable ddr {
    PCW_UIPARAM_DDR_MEMORY_TYPE      {DDR 3}
    PCW_UIPARAM_DDR_PARTNO           {MT41J256M16 RE-125}
    PCW_UIPARAM_DDR_BUS_WIDTH        {16 Bit}
    PCW_UIPARAM_DDR_BOARD_DELAY0     0.223
    PCW_UIPARAM_DDR_BOARD_DELAY1     0.212
    PCW_UIPARAM_DDR_BOARD_DELAY2     0.085
    PCW_UIPARAM_DDR_BOARD_DELAY3     0.092
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_0 0.040
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_1 0.058
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_2 -0.009
    PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_3 -0.033
    PCW_UIPARAM_DDR_TRAIN_DATA_EYE    1
    PCW_UIPARAM_DDR_TRAIN_READ_GATE   1
    PCW_UIPARAM_DDR_TRAIN_WRITE_LEVEL 1
  }
  # what is wired to the processor's own pins
  variable pins {
    PCW_PRESET_BANK0_VOLTAGE     {LVCMOS 3.3V}
    PCW_PRESET_BANK1_VOLTAGE     {LVCMOS 1.8V}
    PCW_QSPI_PERIPHERAL_ENABLE   1
    PCW_QSPI_GRP_SINGLE_SS_ENABLE 1
    PCW_ENET0_PERIPHERAL_ENABLE  1
    PCW_ENET0_ENET0_IO           {MIO 16 .. 27}
    PCW_ENET0_GRP_MDIO_ENABLE    1
    PCW_ENET0_GRP_MDIO_IO        {MIO 52 .. 53}
    PCW_ENET0_RESET_ENABLE       1
    PCW_ENET0_RESET_IO           {MIO 9}
    PCW_SD0_PERIPHERAL_ENABLE    1
    PCW_SD0_SD0_IO               {MIO 40 .. 45}
    PCW_SD0_GRP_CD_ENABLE        1
    PCW_SD0_GRP_CD_IO            {MIO 47}
    PCW_UART0_PERIPHERAL_ENABLE  1
    PCW_UART0_UART0_IO           {MIO 14 .. 15}
    PCW_USB0_PERIPHERAL_ENABLE   1
    PCW_USB0_USB0_IO             {MIO 28 .. 39}
    PCW_USB0_RESET_ENABLE        1
    PCW_USB0_RESET_IO            {MIO 46}
    PCW_GPIO_MIO_GPIO_ENABLE     1
  }

  # Everything that depends on the design: its clock, and which ports to the fabric it uses
  proc ports {clock_mhz hp0} {
    list PCW_FPGA0_PERIPHERAL_FREQMHZ $clock_mhz PCW_EN_CLK0_PORT 1 PCW_EN_RST0_PORT 1 PCW_USE_M_AXI_GP0 1 \
        PCW_USE_S_AXI_HP0 $hp0 {*}[expr {$hp0 ? {PCW_S_AXI_HP0_DATA_WIDTH 64} : {}}] \
        PCW_USE_FABRIC_INTERRUPT 1 PCW_IRQ_F2P_INTR 1
  }

  # All settings as the dictionary that set_property wants
  proc settings {clock_mhz hp0} {
    variable clocks
    variable ddr
    variable pins
    set result {}
    foreach {name value} [concat $clocks $ddr $pins [ports $clock_mhz $hp0]] { lappend result CONFIG.$name $value }
    return $result
  }
}
