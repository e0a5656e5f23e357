// SPDX-License-Identifier: Apache-2.0
// PNG, through libpng. A pure function; thread-safe.
#ifndef CONADV_WORKER_DATA_IMAGE_PNG_H_
#define CONADV_WORKER_DATA_IMAGE_PNG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/image/image.h"

namespace conadv {

// `channels` as DecodeImage() has them; of 16 bits the upper 8 are taken, palettes are looked up,
// and gamma is left alone. DATA_LOSS: it is broken or cut off, or has more than `most_pixels`.
absl::StatusOr<Image> DecodePng(absl::string_view bytes, uint32_t channels, uint64_t most_pixels);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IMAGE_PNG_H_
