// Every HLS directive of this library as a macro, so that one source serves Vitis HLS, Bambu and a plain C++ compiler.
//
// Vitis    gets the pragma. The spelling, with mode= and type=, is that of AMD's manuals since 2021.
// Bambu    gets nothing: it takes a pipeline inside a loop and the modes bram and s_axilite for errors, makes memory
//          ports of `x[N]` by itself and unrolls short loops of constant length. Its functions are inlined by
//          attribute.
// g++      gets the pragma and ignores it (-Wno-unknown-pragmas).
#ifndef RIFFLE_PRAGMAS_HPP
#define RIFFLE_PRAGMAS_HPP

#if defined(__BAMBU__)
#define RIFFLE_PRAGMA(text)
#define RIFFLE_FUNCTION inline __attribute__((always_inline))
#else
#define RIFFLE_PRAGMA_TEXT(text) _Pragma(#text)
#define RIFFLE_PRAGMA(text) RIFFLE_PRAGMA_TEXT(text)
#define RIFFLE_FUNCTION inline
#endif

// Ports. An array becomes one port of a block RAM; `latency` is what the memory takes from address to data.
#define RIFFLE_BRAM(name) RIFFLE_PRAGMA(HLS interface mode=bram port=name storage_type=ram_1p)
#define RIFFLE_MEMORY(name, cycles) \
  RIFFLE_PRAGMA(HLS interface mode=ap_memory port=name storage_type=ram_1p latency=cycles)
#define RIFFLE_FIFO(name) RIFFLE_PRAGMA(HLS interface mode=ap_fifo port=name)
#define RIFFLE_WIRE(name) RIFFLE_PRAGMA(HLS interface mode=ap_none port=name)
#define RIFFLE_RESULT(name) RIFFLE_PRAGMA(HLS interface mode=ap_vld port=name)
#define RIFFLE_REGISTER(name) RIFFLE_PRAGMA(HLS interface mode=s_axilite port=name bundle=control)
#define RIFFLE_HANDSHAKE RIFFLE_PRAGMA(HLS interface mode=ap_ctrl_hs port=return)
#define RIFFLE_ONE_WORD(name) RIFFLE_PRAGMA(HLS aggregate variable=name compact=byte)

// Loops
#define RIFFLE_PIPELINE(interval) RIFFLE_PRAGMA(HLS pipeline II=interval)
#define RIFFLE_UNROLL RIFFLE_PRAGMA(HLS unroll)
#define RIFFLE_TRIPS(least, most) RIFFLE_PRAGMA(HLS loop_tripcount min=least max=most)

// Functions and arrays
#define RIFFLE_MULTIPLIERS(most) RIFFLE_PRAGMA(HLS allocation operation instances=mul limit=most)
#define RIFFLE_INLINE RIFFLE_PRAGMA(HLS inline)
#define RIFFLE_REGISTERS(name) RIFFLE_PRAGMA(HLS array_partition variable=name type=complete dim=0)
#define RIFFLE_SPLIT(name, dimension) RIFFLE_PRAGMA(HLS array_partition variable=name type=complete dim=dimension)

#endif
