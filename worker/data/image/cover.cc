// SPDX-License-Identifier: Apache-2.0
#include "worker/data/image/cover.h"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "glog/logging.h"

namespace conadv {
namespace {

// side * to_other / other, to the nearest, at least 1 and at most `most`.
uint32_t Proportional(uint32_t side, uint32_t to_other, uint32_t other, uint32_t most) {
  const uint64_t nearest = (uint64_t{side} * to_other + other / 2) / other;
  return static_cast<uint32_t>(std::clamp<uint64_t>(nearest, 1, most));
}

// Threads are the caller's: OpenCV's own would only be in their way.
void TakeNoThreads() {
  static const bool once = [] {
    cv::setNumThreads(1);
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

Crop MiddleOf(uint32_t height, uint32_t width, uint32_t to_height, uint32_t to_width) {
  Crop crop;
  crop.height = Proportional(width, to_height, to_width, height);
  crop.width = Proportional(height, to_width, to_height, width);
  crop.top = (height - crop.height) / 2;
  crop.left = (width - crop.width) / 2;
  return crop;
}

void Cover(const Image& image, uint32_t height, uint32_t width, absl::Span<uint8_t> planes) {
  const size_t plane = size_t{height} * width;
  CHECK_EQ(planes.size(), plane * image.channels);
  TakeNoThreads();
  const Crop crop = MiddleOf(image.height, image.width, height, width);
  const cv::Rect middle(static_cast<int>(crop.left), static_cast<int>(crop.top),
                        static_cast<int>(crop.width), static_cast<int>(crop.height));
  // OpenCV does not write there; its interface is older than const.
  const cv::Mat whole(static_cast<int>(image.height), static_cast<int>(image.width),
                      CV_8UC(static_cast<int>(image.channels)),
                      const_cast<uint8_t*>(image.pixels.data()));
  cv::Mat scaled = whole(middle);
  if (crop.height != height || crop.width != width) {
    const bool shrinks = crop.height > height || crop.width > width;
    cv::resize(whole(middle), scaled, cv::Size(static_cast<int>(width), static_cast<int>(height)),
               0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  }
  for (uint32_t y = 0; y < height; ++y) {
    const uint8_t* const row = scaled.ptr<uint8_t>(static_cast<int>(y));
    for (uint32_t channel = 0; channel < image.channels; ++channel) {
      uint8_t* const out = planes.data() + channel * plane + size_t{y} * width;
      for (uint32_t x = 0; x < width; ++x) out[x] = row[x * image.channels + channel];
    }
  }
}

}  // namespace conadv
