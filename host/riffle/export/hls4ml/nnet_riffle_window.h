// 3x3 windows over maps for nnet_riffle.h: convolutions and pools with padding 1 and stride 1 or 2.
#ifndef NNET_RIFFLE_WINDOW_H_
#define NNET_RIFFLE_WINDOW_H_

#include "nnet_riffle.h"

namespace nnet {

// What is made of a window, [9][channels]; `w` and `b` are unused by pools
struct riffle_depthwise {
    template <typename CONFIG_T, class X, class R, class W, class B> static void pixel(const X &x, R &r, W w, B b) {
        RIFFLE_INLINE
        riffle::depthwise_pixel<CONFIG_T::n_out, typename CONFIG_T::accum_t>(x, r, w, b);
    }
};
struct riffle_convolution {
    template <typename CONFIG_T, class X, class R, class W, class B> static void pixel(const X &x, R &r, W w, B b) {
        RIFFLE_INLINE
        riffle::convolution_pixel<CONFIG_T::n_in, CONFIG_T::n_out, typename CONFIG_T::accum_t>(x, r, w, b);
    }
};
struct riffle_sum {
    template <typename CONFIG_T, class X, class R, class W, class B> static void pixel(const X &x, R &r, W, B) {
        RIFFLE_INLINE
        riffle::sum_pixel<CONFIG_T::n_out, typename CONFIG_T::accum_t>(x, r, CONFIG_T::start);
    }
};
struct riffle_maximum {
    template <typename CONFIG_T, class X, class R, class W, class B> static void pixel(const X &x, R &r, W, B) {
        RIFFLE_INLINE
        riffle::maximum_pixel<CONFIG_T::n_out>(x, r);
    }
};

// A map that lies in memory: each window is gathered
template <class OP, class data_T, class res_T, typename CONFIG_T, class W, class B>
void riffle_slide(data_T *data, res_T *res, W w, B b) {
Row:
    for (unsigned y = 0; y < CONFIG_T::height; y += CONFIG_T::stride) {
    Column:
        for (unsigned x = 0; x < CONFIG_T::width; x += CONFIG_T::stride) {
            RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
            data_T window[riffle::kTaps][CONFIG_T::n_in];
            RIFFLE_REGISTERS(window)
        Tap:
            for (unsigned t = 0; t < riffle::kTaps; t++) {
                RIFFLE_UNROLL
                const int ty = int(y + t / 3) - 1, tx = int(x + t % 3) - 1;
                const bool inside = ty >= 0 && ty < int(CONFIG_T::height) && tx >= 0 && tx < int(CONFIG_T::width);
            Channel:
                for (unsigned c = 0; c < CONFIG_T::n_in; c++) {
                    RIFFLE_UNROLL
                    const unsigned at = (ty * CONFIG_T::width + tx) * CONFIG_T::n_in + c;
                    window[t][c] = inside ? data[at] : data_T(CONFIG_T::fill);
                }
            }
            OP::template pixel<CONFIG_T>(window, res, w, b);
            res += CONFIG_T::n_out;
        }
    }
}

// A map that comes pixel by pixel: two rows are kept. The loops run one pixel beyond the map, which is then filled.
template <class OP, class data_T, class res_T, typename CONFIG_T, class W, class B>
void riffle_slide(hls::stream<data_T> &data, hls::stream<res_T> &res, W w, B b) {
    data_T upper[CONFIG_T::width], middle[CONFIG_T::width], window[riffle::kTaps], around;
    RIFFLE_REGISTERS(window)
Fill:
    for (unsigned c = 0; c < CONFIG_T::n_in; c++) {
        RIFFLE_UNROLL
        around[c] = CONFIG_T::fill;
    }
Row:
    for (unsigned y = 0; y <= CONFIG_T::height; y++) {
    Column:
        for (unsigned x = 0; x <= CONFIG_T::width; x++) {
            RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
            const bool within = x < CONFIG_T::width;
            data_T lowest = around;
            if (within && y < CONFIG_T::height) lowest = data.read();
        Shift:
            for (unsigned row = 0; row < 3; row++) {
                RIFFLE_UNROLL
                window[3 * row] = x == 0 ? around : window[3 * row + 1];
                window[3 * row + 1] = x == 0 ? around : window[3 * row + 2];
            }
            window[2] = within && y >= 2 ? upper[x] : around;
            window[5] = within && y >= 1 ? middle[x] : around;
            window[8] = lowest;
            if (within) {
                upper[x] = middle[x];
                middle[x] = lowest;
            }
            if (y >= 1 && x >= 1 && (y - 1) % CONFIG_T::stride == 0 && (x - 1) % CONFIG_T::stride == 0) {
                res_T r;
                OP::template pixel<CONFIG_T>(window, r, w, b);
                res.write(r);
            }
        }
    }
}

template <class data_T, class res_T, typename CONFIG_T, class X, class R>
void riffle_depthwise3x3(X &data, R &res, typename CONFIG_T::weight_t w[riffle::kTaps * CONFIG_T::n_out],
                         typename CONFIG_T::bias_t b[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
    riffle_slide<riffle_depthwise, data_T, res_T, CONFIG_T>(data, res, w, b);
}

template <class data_T, class res_T, typename CONFIG_T, class X, class R>
void riffle_convolution3x3(X &data, R &res,
                           typename CONFIG_T::weight_t w[riffle::kTaps * CONFIG_T::n_in * CONFIG_T::n_out],
                           typename CONFIG_T::bias_t b[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
    riffle_slide<riffle_convolution, data_T, res_T, CONFIG_T>(data, res, w, b);
}

template <class data_T, class res_T, typename CONFIG_T, class X, class R> void riffle_sum3x3(X &data, R &res) {
    riffle_slide<riffle_sum, data_T, res_T, CONFIG_T>(data, res, 0, 0);
}

template <class data_T, class res_T, typename CONFIG_T, class X, class R> void riffle_maximum3x3(X &data, R &res) {
    riffle_slide<riffle_maximum, data_T, res_T, CONFIG_T>(data, res, 0, 0);
}

} // namespace nnet
#endif
