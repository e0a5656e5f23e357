// SPDX-License-Identifier: Apache-2.0
#include "worker/data/image/png.h"

#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "worker/data/image/pixels.h"

namespace conadv {
namespace {

constexpr uint32_t kStored = 4;  // red, green, blue, opacity: what every PNG is read as

// libpng leaves with longjmp(), which runs no destructor: what is between a setjmp() and it has
// none, and a function that calls setjmp() does nothing else of weight.
class PngReader {
 public:
  explicit PngReader(absl::string_view bytes) : left_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, Fail, Ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ != nullptr) png_set_read_fn(png_, this, Take);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool ready() const { return info_ != nullptr; }
  const std::string& why() const { return why_; }
  uint32_t height() const { return png_get_image_height(png_, info_); }
  uint32_t width() const { return png_get_image_width(png_, info_); }

  bool ReadHeader() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_info(png_, info_);
    return true;
  }

  // Rows into [height][width][kStored].
  bool ReadRows(uint8_t* pixels) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_add_alpha(png_, 255, PNG_FILLER_AFTER);
    const int passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    const size_t row = size_t{width()} * kStored;
    if (png_get_rowbytes(png_, info_) != row) png_error(png_, "rows of another length");
    for (int pass = 0; pass < passes; ++pass) {
      for (uint32_t y = 0; y < height(); ++y) png_read_row(png_, pixels + y * row, nullptr);
    }
    png_read_end(png_, nullptr);
    return true;
  }

 private:
  [[noreturn]] static void Fail(png_structp png, png_const_charp why) {
    static_cast<PngReader*>(png_get_error_ptr(png))->why_ = why;
    png_longjmp(png, 1);
  }
  static void Ignore(png_structp /*png*/, png_const_charp /*why*/) {}
  static void Take(png_structp png, png_bytep out, size_t size) {
    absl::string_view& left = static_cast<PngReader*>(png_get_io_ptr(png))->left_;
    if (size > left.size()) png_error(png, "the file ends early");
    std::memcpy(out, left.data(), size);
    left.remove_prefix(size);
  }

  absl::string_view left_;
  std::string why_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

absl::StatusOr<Image> DecodePng(absl::string_view bytes, uint32_t channels, uint64_t most_pixels) {
  PngReader reader(bytes);
  if (!reader.ready()) return absl::ResourceExhaustedError("no memory for libpng");
  const auto damage = [&reader] {
    return absl::DataLossError(absl::StrCat("broken PNG: ", Printable(reader.why())));
  };
  if (!reader.ReadHeader()) return damage();
  Image stored{kStored, reader.height(), reader.width(), {}};
  CONADV_RETURN_IF_ERROR(CheckPixels(stored.height, stored.width, most_pixels));
  stored.pixels.resize(size_t{stored.height} * stored.width * kStored);
  if (!reader.ReadRows(stored.pixels.data())) return damage();
  if (channels == kStored) return stored;
  Image image{channels, stored.height, stored.width, {}};
  image.pixels.reserve(stored.pixels.size() / kStored * channels);
  for (size_t at = 0; at < stored.pixels.size(); at += kStored) {
    const uint8_t* const pixel = stored.pixels.data() + at;
    AppendPixel(pixel[0], pixel[1], pixel[2], pixel[3], channels, &image.pixels);
  }
  return image;
}

}  // namespace conadv
