// SPDX-License-Identifier: Apache-2.0
#include "worker/data/image/decode.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "worker/data/image/jpeg.h"
#include "worker/data/image/png.h"

namespace conadv {

absl::StatusOr<Image> DecodeImage(absl::string_view bytes, uint32_t channels,
                                  uint64_t most_pixels) {
  if (absl::StartsWith(bytes, "\xff\xd8")) return DecodeJpeg(bytes, channels, most_pixels);
  if (absl::StartsWith(bytes, "\x89PNG\r\n\x1a\n")) return DecodePng(bytes, channels, most_pixels);
  return absl::DataLossError(bytes.empty() ? "it is empty" : "it is neither a JPEG nor a PNG file");
}

}  // namespace conadv
