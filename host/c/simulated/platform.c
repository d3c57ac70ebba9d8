/* The board as a PC has it: the library that tools/build_model.py makes, and an interrupt that is looked at when waiting.
 * An access beside the accelerator ends the program, as it does on the board; what the accelerator refuses does not. */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>

#include "riffle_registers.h"
#include "xil_io.h"

typedef struct Model Model;
Model *riffle_new(uint32_t seed);
int riffle_read(Model *model, uint32_t offset, uint32_t *data);
int riffle_write(Model *model, uint32_t offset, uint32_t data, uint32_t strobes);
int riffle_run(Model *model, uint64_t cycles);

enum { CYCLES_AT_A_TIME = 1000 };

static void (*interrupt_handler)(void *);
static void *interrupt_data;

static Model *model(void) {
  static Model *only;
  if (!only) only = riffle_new(1);
  return only;
}

static uint32_t offset_of(uintptr_t address) {
  if (address % 4 || address < RIFFLE_BASE || address - RIFFLE_BASE >= RIFFLE_SIZE) {
    fprintf(stderr, "data abort: access to 0x%08lx\n", (unsigned long)address);
    exit(2);
  }
  return (uint32_t)(address - RIFFLE_BASE);
}

static void check(int response, uintptr_t address) {
  if (!response) return;
  fprintf(stderr, "data abort: response %d at 0x%08lx\n", response, (unsigned long)address);
  exit(2);
}

uint32_t Xil_In32(uintptr_t address) {
  uint32_t value;
  check(riffle_read(model(), offset_of(address), &value), address);
  return value;
}

void Xil_Out32(uintptr_t address, uint32_t value) {
  check(riffle_write(model(), offset_of(address), value, 0xF), address);
}

void platform_interrupt(void (*handler)(void *), void *data) {
  interrupt_handler = handler;
  interrupt_data = data;
}

void platform_wait(void) {
  if (riffle_run(model(), CYCLES_AT_A_TIME) && interrupt_handler) interrupt_handler(interrupt_data);
}
