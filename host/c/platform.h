/* What an example needs of its surroundings besides Xil_In32 and Xil_Out32. */
#ifndef PLATFORM_H
#define PLATFORM_H

/* Call `handler(data)` on every interrupt of the accelerator. */
void platform_interrupt(void (*handler)(void *), void *data);
/* Sleep until something happens. */
void platform_wait(void);

#endif
