// SPDX-License-Identifier: Apache-2.0
// A writer for the gzip reader under test. Pure function.
#ifndef CONADV_TESTS_FUZZ_GZIP_H_
#define CONADV_TESTS_FUZZ_GZIP_H_

#include <zlib.h>

#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/property.h"

namespace conadv::fuzz {

// One gzip member that holds `bytes`.
inline std::string Gzip(absl::string_view bytes) {
  // The smallest window and memory: the quickest to set up. 16 asks for gzip's header.
  constexpr int kWindowBits = 16 + 9;
  constexpr int kMemoryLevel = 1;
  z_stream stream{};
  Require(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kWindowBits, kMemoryLevel,
                       Z_DEFAULT_STRATEGY) == Z_OK,
          "zlib can be set up");
  std::string compressed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  Require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib compresses");
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

}  // namespace conadv::fuzz

#endif  // CONADV_TESTS_FUZZ_GZIP_H_
