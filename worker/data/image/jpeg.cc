// SPDX-License-Identifier: Apache-2.0
#include "worker/data/image/jpeg.h"

#include <turbojpeg.h>

#include <memory>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "worker/data/image/pixels.h"

namespace conadv {
namespace {

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Decompressor = std::unique_ptr<std::remove_pointer_t<tjhandle>, Destroy>;

constexpr uint32_t kInks = 4;  // cyan, magenta, yellow, black

// The exact transform, the same on every CPU.
constexpr int kFlags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;

// OK too where it is only a warning of what lies idle between its parts.
absl::Status StatusOf(const Decompressor& decompressor, int failed) {
  const bool is_warning = tjGetErrorCode(decompressor.get()) == TJERR_WARNING;
  if (failed == 0 || (is_warning && absl::StrContains(tjGetErrorStr2(decompressor.get()),
                                                      "extraneous bytes before marker"))) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat("broken JPEG: ", tjGetErrorStr2(decompressor.get())));
}

absl::Status Decompress(const Decompressor& decompressor, absl::string_view bytes, int format,
                        Image* image) {
  image->pixels.resize(size_t{image->height} * image->width * image->channels);
  const int failed =
      tjDecompress2(decompressor.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), image->pixels.data(), static_cast<int>(image->width), 0,
                    static_cast<int>(image->height), format, kFlags);
  return StatusOf(decompressor, failed);
}

// Of inks as Adobe's programs store them, where 255 is none; the only ones that are common.
Image FromInks(const Image& inks, uint32_t channels) {
  Image image{channels, inks.height, inks.width, {}};
  image.pixels.reserve(size_t{inks.height} * inks.width * channels);
  for (size_t at = 0; at < inks.pixels.size(); at += kInks) {
    const uint32_t black = inks.pixels[at + 3];
    const auto light = [&](size_t ink) { return (inks.pixels[at + ink] * black + 127) / 255; };
    AppendPixel(light(0), light(1), light(2), 255, channels, &image.pixels);
  }
  return image;
}

}  // namespace

absl::StatusOr<Image> DecodeJpeg(absl::string_view bytes, uint32_t channels, uint64_t most_pixels) {
  const Decompressor decompressor(tjInitDecompress());
  if (decompressor == nullptr) return absl::ResourceExhaustedError("no memory for libjpeg");
  int width = 0, height = 0, sampling = 0, colours = 0;
  const int failed =
      tjDecompressHeader3(decompressor.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                          bytes.size(), &width, &height, &sampling, &colours);
  CONADV_RETURN_IF_ERROR(StatusOf(decompressor, failed));
  // Tables alone are a JPEG file too.
  if (width == 0) return absl::DataLossError("broken JPEG: it ends before its image begins");
  Image image{channels, static_cast<uint32_t>(height), static_cast<uint32_t>(width), {}};
  CONADV_RETURN_IF_ERROR(CheckPixels(image.height, image.width, most_pixels));
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
    image.channels = kInks;
    CONADV_RETURN_IF_ERROR(Decompress(decompressor, bytes, TJPF_CMYK, &image));
    return FromInks(image, channels);
  }
  const int format = channels == 1 ? TJPF_GRAY : channels == 3 ? TJPF_RGB : TJPF_RGBA;
  CONADV_RETURN_IF_ERROR(Decompress(decompressor, bytes, format, &image));
  return image;
}

}  // namespace conadv
