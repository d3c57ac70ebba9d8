#include "riffle.h"

#include "xil_io.h"

enum { LANE_BYTES = 64, ABORT_LOOKS = 1000, IMAGE_ROW = RIFFLE_IMAGE_PITCH, REFUSED = 1 << 8 };

static uint32_t get(const riffle_device *device, uint32_t offset) { return Xil_In32(device->base + offset); }

static void put(const riffle_device *device, uint32_t offset, uint32_t value) {
  Xil_Out32(device->base + offset, value);
}

static void put_all(const riffle_device *device, uint32_t offset, const uint32_t *values, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) put(device, offset + 4 * i, values[i]);
}

/* Idle, whatever was before. */
static riffle_status make_ready(const riffle_device *device) {
  if (!(get(device, RIFFLE_CTRL) & RIFFLE_CTRL_IDLE_MASK)) {
    put(device, RIFFLE_CTRL, RIFFLE_CTRL_ABORT_MASK);
    for (int looks = 0; !(get(device, RIFFLE_CTRL) & RIFFLE_CTRL_IDLE_MASK); ++looks)
      if (looks == ABORT_LOOKS) return RIFFLE_STUCK;
  }
  put(device, RIFFLE_ISR, RIFFLE_ISR_DONE_MASK | RIFFLE_ISR_ERROR_MASK);
  return RIFFLE_OK;
}

/* Whether ERROR tells of an access that was refused: with BUS.SLVERR 0 nothing else does. START does not clear it. */
static int refused(const riffle_device *device) {
  return (get(device, RIFFLE_ERROR) & RIFFLE_ERROR_CODE_MASK) >= RIFFLE_ERROR_BUS_UNMAPPED;
}

riffle_status riffle_open(riffle_device *device, uintptr_t base) {
  device->base = base;
  device->program = NULL;
  device->finished = 0;
  if (get(device, RIFFLE_ID) != RIFFLE_ID_VALUE) return RIFFLE_NOT_THERE;
  if (get(device, RIFFLE_SPEC_HASH) != RIFFLE_EXPECTED_SPEC_HASH) return RIFFLE_OTHER_SPEC;
  riffle_status status = make_ready(device);
  put(device, RIFFLE_IER, RIFFLE_IER_DONE_MASK | RIFFLE_IER_ERROR_MASK);
  put(device, RIFFLE_GIER, RIFFLE_GIER_ENABLE_MASK);
  return status;
}

riffle_status riffle_load(riffle_device *device, const riffle_program *program) {
  uint32_t caps = get(device, RIFFLE_CAPS), depths = get(device, RIFFLE_DEPTHS);
  uint32_t rows = (caps & RIFFLE_CAPS_ROWS_MASK) >> RIFFLE_CAPS_ROWS_SHIFT;
  uint32_t columns = (caps & RIFFLE_CAPS_COLUMNS_MASK) >> RIFFLE_CAPS_COLUMNS_SHIFT;
  uint32_t weights = (depths & RIFFLE_DEPTHS_WEIGHTS_MASK) >> RIFFLE_DEPTHS_WEIGHTS_SHIFT;
  device->program = NULL;
  if (rows != program->rows || columns != program->columns || program->stream_words > weights ||
      program->descriptor_count > RIFFLE_DESCRIPTORS)
    return RIFFLE_NO_FIT;
  riffle_status status = make_ready(device);
  if (status) return status;
  put(device, RIFFLE_ERROR, 0);
  put(device, RIFFLE_PROGRAM_ID, 0); /* a Python handle that has loaded another program loads it again */
  put_all(device, RIFFLE_PROGRAM_WINDOW, program->descriptors, program->descriptor_count * RIFFLE_DESCRIPTOR_WORDS);
  put_all(device, RIFFLE_WEIGHTS_WINDOW, program->stream, program->stream_words * (RIFFLE_STREAM_BYTES / 4));
  put(device, RIFFLE_PROGRAM_FIRST, 0);
  put(device, RIFFLE_PROGRAM_LENGTH, program->descriptor_count);
  put(device, RIFFLE_STREAM_SOURCE, RIFFLE_STREAM_SOURCE_RESIDENT);
  put(device, RIFFLE_STREAM_BASE, 0);
  put(device, RIFFLE_STREAM_LENGTH, program->stream_words);
  put(device, RIFFLE_LANE, 0);
  put(device, RIFFLE_WATCHDOG, program->watchdog);
  put(device, RIFFLE_IMAGE, (uint32_t)program->image_base << RIFFLE_IMAGE_BASE_SHIFT |
                                (uint32_t)program->image_log2s << RIFFLE_IMAGE_LOG2S_SHIFT);
  if (refused(device)) return RIFFLE_REFUSED;
  device->program = program;
  return RIFFLE_OK;
}

void riffle_write_image(const riffle_device *device, const uint32_t *pixels) {
  const riffle_program *program = device->program;
  for (uint32_t y = 0; y < program->height; ++y)
    put_all(device, RIFFLE_IMAGE_WINDOW + y * IMAGE_ROW, pixels + y * program->width, program->width);
}

riffle_status riffle_start(riffle_device *device) {
  riffle_status status = make_ready(device);
  if (status) return status;
  device->finished = 0;
  put(device, RIFFLE_CTRL, RIFFLE_CTRL_START_MASK);
  return RIFFLE_OK;
}

void riffle_interrupt(riffle_device *device) {
  uint32_t status = get(device, RIFFLE_ISR);
  if (!status) return; /* spurious */
  put(device, RIFFLE_ISR, status);
  device->finished = (int)status | (refused(device) ? REFUSED : 0);
}

riffle_status riffle_finished(const riffle_device *device) {
  if (!device->finished) return RIFFLE_RUNNING;
  if ((uint32_t)device->finished & RIFFLE_ISR_ERROR_MASK) return RIFFLE_STOPPED;
  return device->finished & REFUSED ? RIFFLE_REFUSED : RIFFLE_OK;
}

riffle_status riffle_poll(riffle_device *device, uint32_t looks) {
  while (looks--) {
    riffle_interrupt(device);
    riffle_status status = riffle_finished(device);
    if (status != RIFFLE_RUNNING) return status;
  }
  return make_ready(device) ? RIFFLE_STUCK : RIFFLE_TIMEOUT;
}

uint32_t riffle_scores(const riffle_device *device, int32_t *scores) {
  uint32_t best = 0;
  for (uint32_t c = 0; c < device->program->classes; ++c) {
    uint32_t word = 0; /* lane 0 of four banks, a byte in each */
    for (uint32_t bank = 0; bank < RIFFLE_BANKS; ++bank) {
      uint32_t place = ((device->program->result_base + c) * RIFFLE_BANKS + bank) * LANE_BYTES;
      word |= (get(device, RIFFLE_ACTIVATIONS_WINDOW + place) & 0xFFu) << 8 * bank;
    }
    scores[c] = (int32_t)word;
    if (scores[c] > scores[best]) best = c;
  }
  return best;
}

uint32_t riffle_cycles(const riffle_device *device) { return get(device, RIFFLE_CYCLES); }

uint32_t riffle_error(const riffle_device *device) {
  uint32_t where = refused(device) ? 0x1FFFFFu : 0xFFu;
  uint32_t error = (get(device, RIFFLE_ERROR) & RIFFLE_ERROR_CODE_MASK) | (get(device, RIFFLE_ERROR_INFO) & where) << 8;
  put(device, RIFFLE_ERROR, 0);
  return error;
}
