/* Classifies the images of riffle_example.h, the first half by interrupt, the others by polling. Runs on the board with
 * Xilinx' standalone library (connect the handler to IRQ_F2P[0]), and on a PC against the Verilated model. */
#include <stdio.h>

#include "platform.h"
#include "riffle.h"
#include "riffle_example.h"

static riffle_device device;

static void handler(void *data) { riffle_interrupt((riffle_device *)data); }

static int fail(const char *what, riffle_status status) {
  printf("%s: status %d, error 0x%04x\n", what, (int)status, (unsigned)riffle_error(&device));
  return 1;
}

int main(void) {
  riffle_status status = riffle_open(&device, RIFFLE_BASE);
  if (status) return fail("open", status);
  status = riffle_load(&device, &riffle_example);
  if (status) return fail("load", status);
  platform_interrupt(handler, &device);
  for (unsigned i = 0; i < RIFFLE_EXAMPLE_IMAGES; ++i) {
    int polling = i >= RIFFLE_EXAMPLE_IMAGES / 2;
    riffle_write_image(&device, riffle_example_images[i]);
    status = riffle_start(&device);
    if (status) return fail("start", status);
    if (polling) {
      status = riffle_poll(&device, 100000);
    } else {
      while ((status = riffle_finished(&device)) == RIFFLE_RUNNING) platform_wait();
    }
    if (status) return fail("run", status);
    int32_t scores[RIFFLE_EXAMPLE_CLASSES];
    unsigned best = (unsigned)riffle_scores(&device, scores);
    printf("%s %u %u", polling ? "poll" : "irq", best, (unsigned)riffle_cycles(&device));
    for (unsigned c = 0; c < RIFFLE_EXAMPLE_CLASSES; ++c) printf(" %ld", (long)scores[c]);
    printf("\n");
  }
  return 0;
}
