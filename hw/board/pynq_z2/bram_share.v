// bram_share - one port of a block RAM for three cores
//
// Computes   memory = the port of the core that is enabled, the lowest first; every core sees the data
// Contract   cores run one at a time: an enabled core hides those above it
// Timing     combinational
module bram_share (
    (* X_INTERFACE_MODE = "slave" *)
    (* X_INTERFACE_PARAMETER = "MASTER_TYPE BRAM_CTRL, MEM_SIZE 262144, MEM_WIDTH 32" *)
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core0 ADDR" *)
    input  wire [31:0] core0_addr,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core0 CLK" *)
    input  wire        core0_clk,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core0 DIN" *)
    input  wire [31:0] core0_din,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core0 DOUT" *)
    output wire [31:0] core0_dout,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core0 EN" *)
    input  wire        core0_en,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core0 RST" *)
    input  wire        core0_rst,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core0 WE" *)
    input  wire [ 3:0] core0_we,
    (* X_INTERFACE_MODE = "slave" *)
    (* X_INTERFACE_PARAMETER = "MASTER_TYPE BRAM_CTRL, MEM_SIZE 262144, MEM_WIDTH 32" *)
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core1 ADDR" *)
    input  wire [31:0] core1_addr,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core1 CLK" *)
    input  wire        core1_clk,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core1 DIN" *)
    input  wire [31:0] core1_din,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core1 DOUT" *)
    output wire [31:0] core1_dout,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core1 EN" *)
    input  wire        core1_en,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core1 RST" *)
    input  wire        core1_rst,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core1 WE" *)
    input  wire [ 3:0] core1_we,
    (* X_INTERFACE_MODE = "slave" *)
    (* X_INTERFACE_PARAMETER = "MASTER_TYPE BRAM_CTRL, MEM_SIZE 262144, MEM_WIDTH 32" *)
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core2 ADDR" *)
    input  wire [31:0] core2_addr,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core2 CLK" *)
    input  wire        core2_clk,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core2 DIN" *)
    input  wire [31:0] core2_din,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core2 DOUT" *)
    output wire [31:0] core2_dout,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core2 EN" *)
    input  wire        core2_en,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core2 RST" *)
    input  wire        core2_rst,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 core2 WE" *)
    input  wire [ 3:0] core2_we,
    (* X_INTERFACE_MODE = "master" *)
    (* X_INTERFACE_PARAMETER = "MASTER_TYPE BRAM_CTRL, MEM_SIZE 262144, MEM_WIDTH 32" *)
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 memory ADDR" *)
    output wire [31:0] memory_addr,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 memory CLK" *)
    output wire        memory_clk,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 memory DIN" *)
    output wire [31:0] memory_din,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 memory DOUT" *)
    input  wire [31:0] memory_dout,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 memory EN" *)
    output wire        memory_en,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 memory RST" *)
    output wire        memory_rst,
    (* X_INTERFACE_INFO = "xilinx.com:interface:bram:1.0 memory WE" *)
    output wire [ 3:0] memory_we
);
  assign memory_clk  = core0_clk;
  assign memory_rst  = core0_rst;
  assign memory_en   = core0_en | core1_en | core2_en;
  assign memory_addr = core0_en ? core0_addr : core1_en ? core1_addr : core2_addr;
  assign memory_din  = core0_en ? core0_din : core1_en ? core1_din : core2_din;
  assign memory_we   = core0_en ? core0_we : core1_en ? core1_we : core2_en ? core2_we : 4'b0000;
  assign core0_dout  = memory_dout;
  assign core1_dout  = memory_dout;
  assign core2_dout  = memory_dout;
endmodule
