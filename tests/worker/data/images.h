// SPDX-License-Identifier: Apache-2.0
// Image files made for a test. Pure functions.
#ifndef CONADV_TESTS_WORKER_DATA_IMAGES_H_
#define CONADV_TESTS_WORKER_DATA_IMAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "worker/data/image/image.h"

namespace conadv {

// Every pixel has these values, one for each channel.
Image Flat(uint32_t height, uint32_t width, const std::vector<uint8_t>& pixel);
// No two pixels beside each other are alike.
Image Checked(uint32_t height, uint32_t width, uint32_t channels);

std::string Png(const Image& image);   // of 1, 3 or 4 channels
std::string Jpeg(const Image& image);  // of 1 or 3 channels
// Of 4 inks, where 255 is none.
std::string InkJpeg(const Image& image);

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_DATA_IMAGES_H_
