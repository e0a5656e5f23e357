// SPDX-License-Identifier: Apache-2.0
// An image out of a file's bytes. A pure function of them; thread-safe.
#ifndef CONADV_WORKER_DATA_IMAGE_DECODE_H_
#define CONADV_WORKER_DATA_IMAGE_DECODE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/image/image.h"

namespace conadv {

// A photograph of 13,000 x 13,000; what takes more is an attack or a mistake.
constexpr uint64_t kMostPixels = uint64_t{170} << 20;

// JPEG or PNG, which its first bytes tell, whatever its name. 1 channel is grey, 3 RGB, 4 RGB and
// opacity; opacity is dropped or 255 where only one side has it. EXIF's orientation is not looked
// at. DATA_LOSS says what is wrong with it. Allocates in proportion to its pixels, never to more
// than `most_pixels`. REQUIRES: channels is 1, 3 or 4.
absl::StatusOr<Image> DecodeImage(absl::string_view bytes, uint32_t channels,
                                  uint64_t most_pixels = kMostPixels);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IMAGE_DECODE_H_
