/* Riffle from bare metal: a small driver over Xil_In32 and Xil_Out32.
 *
 * riffle_load() once, then for each image riffle_write_image(), riffle_start() and either riffle_poll() or the interrupt
 * (call riffle_interrupt() from its handler), then riffle_scores(). `python -m riffle.export.c_header` writes programs. */
#ifndef RIFFLE_H
#define RIFFLE_H

#include <stddef.h>
#include <stdint.h>

#include "riffle_registers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  RIFFLE_OK = 0,
  RIFFLE_NOT_THERE = -1,   /* ID is wrong: no bitstream, or another address */
  RIFFLE_OTHER_SPEC = -2,  /* hardware and riffle_registers.h are of different versions */
  RIFFLE_NO_FIT = -3,      /* the program is for another lattice, or larger than the memories */
  RIFFLE_STUCK = -4,       /* the engine does not become idle */
  RIFFLE_TIMEOUT = -5,     /* the run did not end in time and was aborted */
  RIFFLE_STOPPED = -6,     /* the engine stopped the run: see riffle_error */
  RIFFLE_REFUSED = -7,     /* the hardware has refused an access, which was answered all the same: see riffle_error */
  RIFFLE_RUNNING = 1       /* not finished yet */
} riffle_status;

/* A compiled network. */
typedef struct {
  const uint32_t *descriptors; /* [descriptor_count][RIFFLE_DESCRIPTOR_WORDS] */
  uint32_t descriptor_count;
  const uint32_t *stream; /* [stream_words][4] */
  uint32_t stream_words;
  uint8_t rows, columns; /* of the lattice */
  uint16_t image_base, height, width;
  uint8_t image_log2s;
  uint16_t result_base, classes;
  uint32_t watchdog; /* cycles */
} riffle_program;

typedef struct {
  uintptr_t base;
  const riffle_program *program;
  volatile int finished; /* set by riffle_interrupt */
} riffle_device;

/* Find the hardware and make it ready; writes nothing before it is known to be the right one. */
riffle_status riffle_open(riffle_device *device, uintptr_t base);
/* Write a program and its weights; RIFFLE_REFUSED where a write was refused. */
riffle_status riffle_load(riffle_device *device, const riffle_program *program);
/* Write an image, [height][width], each pixel 0x00BBGGRR. */
void riffle_write_image(const riffle_device *device, const uint32_t *pixels);
/* Start the loaded program. */
riffle_status riffle_start(riffle_device *device);
/* Handler of the accelerator's interrupt: ends the run for riffle_finished(). */
void riffle_interrupt(riffle_device *device);
/* After an interrupt: RIFFLE_RUNNING, RIFFLE_OK, RIFFLE_STOPPED, or RIFFLE_REFUSED where an access since riffle_load()
 * was refused. */
riffle_status riffle_finished(const riffle_device *device);
/* Look at ISR until the run is over, at most `looks` times. */
riffle_status riffle_poll(riffle_device *device, uint32_t looks);
/* Scores of the classes, [program->classes], and the best of them. */
uint32_t riffle_scores(const riffle_device *device, int32_t *scores);
/* Cycles of the last run. */
uint32_t riffle_cycles(const riffle_device *device);
/* What stopped the last run: code in bits 7:0, descriptor in 15:8; or which access was refused: code in bits 7:0, byte
 * offset in 28:8. Clears it. */
uint32_t riffle_error(const riffle_device *device);

#ifdef __cplusplus
}
#endif
#endif
