// SPDX-License-Identifier: Apache-2.0
// An image is refused with a reason, or has the pixels it says, and the same again; and it can be
// brought to any size.
//   input := flags (1 byte) the file
//   flags := channels: 1, 3 or 4 (2 bits) | height − 1 (3 bits) | width − 1 (3 bits)
#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"
#include "worker/data/image/cover.h"
#include "worker/data/image/decode.h"

namespace conadv::fuzz {
namespace {

// Small: what a few bytes may decode to bounds neither time nor memory well.
constexpr uint64_t kPixels = uint64_t{1} << 16;

void TestImage(uint8_t flags, absl::string_view bytes) {
  constexpr std::array<uint32_t, 4> kChannels = {3, 1, 3, 4};
  const uint32_t channels = kChannels[flags & 3];
  const uint32_t height = (flags >> 2 & 7) + 1, width = (flags >> 5 & 7) + 1;
  const absl::StatusOr<Image> image = DecodeImage(bytes, channels, kPixels);
  if (!image.ok()) {
    RequireRefusal(image.status(), absl::StatusCode::kDataLoss, bytes.size());
    return;
  }
  Require(image->channels == channels && image->height > 0 && image->width > 0, "it has a size");
  Require(uint64_t{image->height} * image->width <= kPixels, "it is not too large");
  Require(image->pixels.size() == size_t{image->height} * image->width * channels,
          "it has the pixels it says");
  const absl::StatusOr<Image> again = DecodeImage(bytes, channels, kPixels);
  Require(again.ok() && again->pixels == image->pixels, "it has the same pixels again");
  std::vector<uint8_t> planes(size_t{channels} * height * width);
  Cover(*image, height, width, absl::MakeSpan(planes));
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  conadv::fuzz::TestImage(data[0],
                          absl::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
