// SPDX-License-Identifier: Apache-2.0
#include "worker/data/byte_source.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(std::string bytes) : bytes_(std::move(bytes)) {}

  absl::StatusOr<size_t> Read(uint8_t* out, size_t size) override {
    const size_t taken = std::min(size, bytes_.size() - offset_);
    if (taken > 0) std::memcpy(out, bytes_.data() + offset_, taken);
    offset_ += taken;
    return taken;
  }
  uint64_t most_left() const override { return bytes_.size() - offset_; }

 private:
  const std::string bytes_;
  size_t offset_ = 0;
};

class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(std::string compressed) : compressed_(std::move(compressed)) {
    // 16 asks for gzip's header and checksum rather than zlib's.
    ready_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK;
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  absl::StatusOr<size_t> Read(uint8_t* out, size_t size) override {
    if (!ready_) return absl::ResourceExhaustedError("no memory for zlib");
    size_t filled = 0;
    while (filled < size && !(ended_ && left() == 0)) {
      if (ended_) NextMember();
      const size_t space = std::min(size - filled, kMostAtOnce);
      const size_t input = std::min(left(), kMostAtOnce);
      stream_.next_out = out + filled;
      stream_.avail_out = static_cast<uInt>(space);
      // zlib does not write there; its interface is older than const.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed_.data() + offset_));
      stream_.avail_in = static_cast<uInt>(input);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      filled += space - stream_.avail_out;
      offset_ += input - stream_.avail_in;
      if (result == Z_STREAM_END) {
        ended_ = true;
      } else if (result == Z_BUF_ERROR) {
        return absl::InvalidArgumentError("the gzip stream ends early");
      } else if (result != Z_OK) {
        return absl::InvalidArgumentError(absl::StrCat(
            "the gzip stream is broken: ", stream_.msg == nullptr ? zError(result) : stream_.msg));
      }
    }
    return filled;
  }

  uint64_t most_left() const override {
    // Deflate cannot do better than 1032 to 1 (https://zlib.net/zlib_tech.html); its window may
    // hold some more.
    constexpr uint64_t kBestRatio = 1032;
    constexpr uint64_t kWindow = 32768;
    return left() * kBestRatio + kWindow;
  }

 private:
  static constexpr size_t kMostAtOnce = size_t{1} << 30;  // what zlib's 32-bit counters hold

  size_t left() const { return compressed_.size() - offset_; }

  // A gzip file may be several, one after the other (RFC 1952, section 2.2).
  void NextMember() {
    inflateReset(&stream_);
    ended_ = false;
  }

  const std::string compressed_;
  size_t offset_ = 0;
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> MakePlainSource(std::string bytes) {
  return std::make_unique<PlainSource>(std::move(bytes));
}

std::unique_ptr<ByteSource> MakeGzipSource(std::string compressed) {
  return std::make_unique<GzipSource>(std::move(compressed));
}

}  // namespace conadv
