// What test_hls_library.py calls of the templates in hls/include/riffle.
#include "riffle/requantise.hpp"
#include "riffle/shuffle.hpp"

template <class Map, unsigned Channels>
void list(unsigned* position, unsigned* channel) {
  static_assert(Map::channel(Map::position(Channels - 1)) == Channels - 1, "a map is known at compile time");
  for (unsigned i = 0; i < Channels; i++) {
    position[i] = Map::position(i);
    channel[i] = Map::channel(i);
  }
}

extern "C" {

// Positions of channels and channels of positions, of the maps that the test names, one after the other
void maps(unsigned* position, unsigned* channel) {
  list<riffle::PaperShuffle<12, 3>, 12>(position, channel);
  list<riffle::InverseShuffle<12, 4>, 12>(position + 12, channel + 12);
  list<riffle::PaperShuffle<8, 8>, 8>(position + 24, channel + 24);
  list<riffle::InverseShuffle<25, 5>, 25>(position + 32, channel + 32);
  list<riffle::PaperShuffle<60, 1>, 60>(position + 57, channel + 57);
  list<riffle::ShuffleMap<60, 4, 1, 4>, 60>(position + 117, channel + 117);
}

void scale(int count, const int* sum, const unsigned* multiplier, const unsigned* shift, const int* added,
           signed char* out) {
  for (int i = 0; i < count; i++) {
    const riffle::Scale scale = {0, multiplier[i], shift[i]};
    out[i] = riffle::scaled(sum[i], scale, added[i]);
  }
}

}  // extern "C"
