// SPDX-License-Identifier: Apache-2.0
#include "tests/worker/data/images.h"

#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>

namespace conadv {
namespace {

std::string Compress(const Image& image, int format, int sampling) {
  constexpr int kQuality = 95;
  const tjhandle compressor = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): as the library has it
  EXPECT_EQ(tjCompress2(compressor, image.pixels.data(), static_cast<int>(image.width), 0,
                        static_cast<int>(image.height), format, &bytes, &size, sampling, kQuality,
                        TJFLAG_ACCURATEDCT),
            0);
  std::string text(reinterpret_cast<const char*>(bytes), size);
  tjFree(bytes);
  tjDestroy(compressor);
  return text;
}

}  // namespace

Image Flat(uint32_t height, uint32_t width, const std::vector<uint8_t>& pixel) {
  Image image{static_cast<uint32_t>(pixel.size()), height, width, {}};
  for (uint32_t i = 0; i < height * width; ++i) {
    image.pixels.insert(image.pixels.end(), pixel.begin(), pixel.end());
  }
  return image;
}

Image Checked(uint32_t height, uint32_t width, uint32_t channels) {
  Image image{channels, height, width, {}};
  for (uint32_t i = 0; i < height * width * channels; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(37 * i + 11));
  }
  return image;
}

std::string Png(const Image& image) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = image.width;
  png.height = image.height;
  png.format = image.channels == 1   ? PNG_FORMAT_GRAY
               : image.channels == 3 ? PNG_FORMAT_RGB
                                     : PNG_FORMAT_RGBA;
  png_alloc_size_t size = 0;
  EXPECT_NE(png_image_write_to_memory(&png, nullptr, &size, 0, image.pixels.data(), 0, nullptr), 0);
  std::string text(size, '\0');
  EXPECT_NE(png_image_write_to_memory(&png, &text[0], &size, 0, image.pixels.data(), 0, nullptr),
            0);
  text.resize(size);
  return text;
}

std::string Jpeg(const Image& image) {
  return image.channels == 1 ? Compress(image, TJPF_GRAY, TJSAMP_GRAY)
                             : Compress(image, TJPF_RGB, TJSAMP_444);
}

std::string InkJpeg(const Image& image) { return Compress(image, TJPF_CMYK, TJSAMP_444); }

}  // namespace conadv
