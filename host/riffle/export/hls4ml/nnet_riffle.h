// What the layers of riffle.export.hls4ml call: the templates of the HLS library in hls4ml's calling convention.
//
// Maps are channels last; in io_stream one nnet::array is one pixel with all its channels. Values are the integer
// network's own: int8 with its zero point, sums exact. CONFIG_T holds sizes, what lies around a map (fill) and the
// shuffle.
#ifndef NNET_RIFFLE_H_
#define NNET_RIFFLE_H_

#include "convolution.hpp"
#include "grouped_pointwise.hpp"
#include "hls_stream.h"
#include "nnet_common.h"
#include "nnet_types.h"
#include "pools.hpp"
#include "shuffle.hpp"

namespace nnet {

struct riffle_config {
    static const unsigned n_pixels = 1, height = 1, width = 1, n_in = 1, n_out = 1, groups = 1, stride = 1;
    static const unsigned modulus = 1, step_low = 1, step_high = 1, reuse_factor = 1, multiplier_limit = 1;
    static const int fill = 0, zero_point = 0, start = 0;
    typedef ap_int<25> accum_t;
    typedef ap_int<8> weight_t;
    typedef ap_int<25> bias_t;
    typedef ap_uint<17> multiplier_t;
    typedef ap_uint<5> shift_t;
};

template <typename CONFIG_T>
struct riffle_map : riffle::ShuffleMap<CONFIG_T::n_out, CONFIG_T::modulus, CONFIG_T::step_low, CONFIG_T::step_high> {};

// ------------------------------------------------------------------------------------------------ one pixel at a time
template <typename CONFIG_T, class X, class R, class W, class B>
void riffle_pointwise_pixel(const X &x, R &r, W w, B b) {
    RIFFLE_INLINE
    riffle::grouped_pointwise_pixel<CONFIG_T::n_in, CONFIG_T::n_out, CONFIG_T::groups, riffle_map<CONFIG_T>,
                                    typename CONFIG_T::accum_t>(x, r, w, b);
}

template <class data_T, class res_T, typename CONFIG_T>
void riffle_grouped_pointwise(data_T data[CONFIG_T::n_pixels * CONFIG_T::n_in],
                              res_T res[CONFIG_T::n_pixels * CONFIG_T::n_out],
                              typename CONFIG_T::weight_t w[CONFIG_T::n_in / CONFIG_T::groups * CONFIG_T::n_out],
                              typename CONFIG_T::bias_t b[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
        res_T *r = res + p * CONFIG_T::n_out;
        const data_T *x = data + p * CONFIG_T::n_in;
        riffle_pointwise_pixel<CONFIG_T>(x, r, w, b);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void riffle_grouped_pointwise(hls::stream<data_T> &data, hls::stream<res_T> &res,
                              typename CONFIG_T::weight_t w[CONFIG_T::n_in / CONFIG_T::groups * CONFIG_T::n_out],
                              typename CONFIG_T::bias_t b[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
        const data_T x = data.read();
        res_T r;
        riffle_pointwise_pixel<CONFIG_T>(x, r, w, b);
        res.write(r);
    }
}

template <typename CONFIG_T, class X, class R> void riffle_shuffle_pixel(const X &x, R &r) {
    RIFFLE_INLINE
Channel:
    for (unsigned c = 0; c < CONFIG_T::n_out; c++) {
        RIFFLE_UNROLL
        r[riffle_map<CONFIG_T>::position(c)] = x[c];
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void riffle_channel_shuffle(data_T data[CONFIG_T::n_pixels * CONFIG_T::n_out],
                            res_T res[CONFIG_T::n_pixels * CONFIG_T::n_out]) {
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(1)
        res_T *r = res + p * CONFIG_T::n_out;
        const data_T *x = data + p * CONFIG_T::n_out;
        riffle_shuffle_pixel<CONFIG_T>(x, r);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void riffle_channel_shuffle(hls::stream<data_T> &data, hls::stream<res_T> &res) {
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(1)
        const data_T x = data.read();
        res_T r;
        riffle_shuffle_pixel<CONFIG_T>(x, r);
        res.write(r);
    }
}

// ------------------------------------------------------------------------------------------------ per-channel
// requantisation
struct riffle_zero_point {}; // what is added where there is no residual

template <typename CONFIG_T> int riffle_added(const riffle_zero_point &, unsigned) { return CONFIG_T::zero_point; }
template <typename CONFIG_T, class Z> int riffle_added(const Z &z, unsigned c) { return z[c].to_int(); }

template <typename CONFIG_T, class X, class Z, class R, class M, class S>
void riffle_requantise_pixel(const X &x, const Z &z, R &r, M multiplier, S shift) {
    RIFFLE_INLINE
Channel:
    for (unsigned c = 0; c < CONFIG_T::n_out; c++) {
        RIFFLE_UNROLL
        const riffle::Scale scale = {0, multiplier[c].to_uint(), shift[c].to_uint()};
        r[riffle_map<CONFIG_T>::position(c)] = riffle::scaled(x[c].to_int(), scale, riffle_added<CONFIG_T>(z, c));
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void riffle_requantise(data_T data[CONFIG_T::n_pixels * CONFIG_T::n_out],
                       res_T res[CONFIG_T::n_pixels * CONFIG_T::n_out],
                       typename CONFIG_T::multiplier_t m[CONFIG_T::n_out],
                       typename CONFIG_T::shift_t s[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
        res_T *r = res + p * CONFIG_T::n_out;
        const data_T *x = data + p * CONFIG_T::n_out;
        riffle_requantise_pixel<CONFIG_T>(x, riffle_zero_point(), r, m, s);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void riffle_requantise(hls::stream<data_T> &data, hls::stream<res_T> &res,
                       typename CONFIG_T::multiplier_t m[CONFIG_T::n_out],
                       typename CONFIG_T::shift_t s[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
        const data_T x = data.read();
        res_T r;
        riffle_requantise_pixel<CONFIG_T>(x, riffle_zero_point(), r, m, s);
        res.write(r);
    }
}

// The same with a residual, which has the output's scale and zero point
template <class data_T, class old_T, class res_T, typename CONFIG_T>
void riffle_requantise_add(data_T data[CONFIG_T::n_pixels * CONFIG_T::n_out],
                           old_T old[CONFIG_T::n_pixels * CONFIG_T::n_out],
                           res_T res[CONFIG_T::n_pixels * CONFIG_T::n_out],
                           typename CONFIG_T::multiplier_t m[CONFIG_T::n_out],
                           typename CONFIG_T::shift_t s[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
        res_T *r = res + p * CONFIG_T::n_out;
        const data_T *x = data + p * CONFIG_T::n_out;
        const old_T *z = old + p * CONFIG_T::n_out;
        riffle_requantise_pixel<CONFIG_T>(x, z, r, m, s);
    }
}

template <class data_T, class old_T, class res_T, typename CONFIG_T>
void riffle_requantise_add(hls::stream<data_T> &data, hls::stream<old_T> &old, hls::stream<res_T> &res,
                           typename CONFIG_T::multiplier_t m[CONFIG_T::n_out],
                           typename CONFIG_T::shift_t s[CONFIG_T::n_out]) {
    RIFFLE_MULTIPLIERS(CONFIG_T::multiplier_limit)
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(CONFIG_T::reuse_factor)
        const data_T x = data.read();
        const old_T z = old.read();
        res_T r;
        riffle_requantise_pixel<CONFIG_T>(x, z, r, m, s);
        res.write(r);
    }
}

// ------------------------------------------------------------------------------------------------ global average
template <class data_T, class res_T, typename CONFIG_T>
void riffle_global_sum(data_T data[CONFIG_T::n_pixels * CONFIG_T::n_out], res_T res[CONFIG_T::n_out]) {
    typename CONFIG_T::accum_t sum[CONFIG_T::n_out];
    RIFFLE_REGISTERS(sum)
Begin:
    for (unsigned c = 0; c < CONFIG_T::n_out; c++) {
        RIFFLE_UNROLL
        sum[c] = CONFIG_T::start;
    }
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(1)
        const data_T *x = data + p * CONFIG_T::n_out;
        riffle::accumulate_pixel<CONFIG_T::n_out>(x, sum);
    }
End:
    for (unsigned c = 0; c < CONFIG_T::n_out; c++) {
        RIFFLE_UNROLL
        res[c] = sum[c];
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void riffle_global_sum(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    res_T sum;
Begin:
    for (unsigned c = 0; c < CONFIG_T::n_out; c++) {
        RIFFLE_UNROLL
        sum[c] = CONFIG_T::start;
    }
Pixel:
    for (unsigned p = 0; p < CONFIG_T::n_pixels; p++) {
        RIFFLE_PIPELINE(1)
        const data_T x = data.read();
        riffle::accumulate_pixel<CONFIG_T::n_out>(x, sum);
    }
    res.write(sum);
}

} // namespace nnet
#endif
