// SPDX-License-Identifier: Apache-2.0
// JPEG, through libjpeg-turbo. A pure function; thread-safe.
#ifndef CONADV_WORKER_DATA_IMAGE_JPEG_H_
#define CONADV_WORKER_DATA_IMAGE_JPEG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/image/image.h"

namespace conadv {

// `channels` as DecodeImage() has them. DATA_LOSS: it is broken, or cut off, where other readers
// would fill the rest with grey; or it has more than `most_pixels`. What lies idle between its
// parts is no damage, as cameras and editors leave it there.
absl::StatusOr<Image> DecodeJpeg(absl::string_view bytes, uint32_t channels, uint64_t most_pixels);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IMAGE_JPEG_H_
