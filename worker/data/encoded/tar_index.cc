// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/tar_index.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "worker/data/encoded/tar_header.h"

namespace conadv {
namespace {

// Of a long name or a pax header: much more than any has, much less than memory.
constexpr uint64_t kMostText = uint64_t{1} << 20;

class TarReader {
 public:
  explicit TarReader(const PositionedFile& file) : file_(file) {}

  absl::StatusOr<std::vector<TarMember>> Run() {
    std::vector<TarMember> members;
    for (;;) {
      start_ = at_;
      if (left() < kTarBlock) {
        return Broken(start_ == 0 ? "it is no tar file"
                                  : "it is cut off: a tar file ends in zeros");
      }
      std::array<char, kTarBlock> block{};
      CONADV_RETURN_IF_ERROR(file_.ReadAt(at_, absl::MakeSpan(block)));
      at_ += kTarBlock;
      const absl::string_view bytes(block.data(), block.size());
      if (IsTarEnd(bytes)) return members;
      absl::StatusOr<TarHeader> header = ParseTarHeader(bytes);
      if (!header.ok()) return Broken(Reason(bytes, header.status()));
      CONADV_RETURN_IF_ERROR(Take(*std::move(header), &members));
    }
  }

 private:
  uint64_t left() const { return file_.size() - at_; }

  absl::Status Broken(absl::string_view why) const {
    return absl::InvalidArgumentError(absl::StrCat("at byte ", start_, ": ", why));
  }

  std::string Reason(absl::string_view block, const absl::Status& status) const {
    if (start_ == 0 && absl::StartsWith(block, "\x1f\x8b")) {
      return "it is compressed; images are read by their place, so unpack it with gunzip";
    }
    return std::string(status.message());
  }

  absl::Status Take(TarHeader header, std::vector<TarMember>* members) {
    if (header.type == 'x' || header.type == 'g' || header.type == 'L' || header.type == 'K') {
      return TakeAbout(header);
    }
    if (name_.has_value()) header.name = *std::exchange(name_, std::nullopt);
    if (size_.has_value()) header.size = *std::exchange(size_, std::nullopt);
    while (absl::StartsWith(header.name, "./")) header.name.erase(0, 2);
    switch (header.type) {
      case '0':
      case '\0':
      case '7': {
        TarMember member{std::move(header.name), at_, header.size};
        CONADV_RETURN_IF_ERROR(Skip(member.size));
        members->push_back(std::move(member));
        return absl::OkStatus();
      }
      // Directories, devices and pipes have no bytes of their own, whatever their size says.
      case '3':
      case '4':
      case '5':
      case '6': return absl::OkStatus();
      case '1':
      case '2':
        return Broken(absl::StrCat(Printable(header.name),
                                   " is a link; pack the files themselves (tar --dereference "
                                   "--hard-dereference)"));
      default:
        return Broken(absl::StrCat(Printable(header.name), " is of the type '",
                                   Printable(std::string(1, header.type)),
                                   "', which is not read; pack plain files (tar --format=pax)"));
    }
  }

  // What a header says of the one after it, or of all.
  absl::Status TakeAbout(const TarHeader& header) {
    if (header.size > kMostText) return Broken("a name or a pax header of more than 1 MiB");
    if (header.size > left()) return Broken("it is cut off in a name or a pax header");
    std::string text(static_cast<size_t>(header.size), '\0');
    CONADV_RETURN_IF_ERROR(file_.ReadAt(at_, absl::MakeSpan(&text[0], text.size())));
    CONADV_RETURN_IF_ERROR(Skip(header.size));
    if (header.type == 'K') return absl::OkStatus();  // where a link leads
    if (header.type == 'L') {
      name_ = text.substr(0, text.find('\0'));
      return absl::OkStatus();
    }
    absl::StatusOr<PaxOverride> pax = ParsePax(text);
    if (!pax.ok()) return Broken(pax.status().message());
    if (pax->sparse) return Broken("a sparse file is not read; pack without --sparse");
    if (header.type == 'g' && (pax->name.has_value() || pax->size.has_value())) {
      return Broken("a pax header gives all members one name or size");
    }
    if (pax->name.has_value()) name_ = *std::move(pax->name);
    if (pax->size.has_value()) size_ = pax->size;
    return absl::OkStatus();
  }

  // Bytes, and what fills their last block.
  absl::Status Skip(uint64_t size) {
    if (size > left()) return Broken("it is cut off in a member's bytes");
    const uint64_t over = size % kTarBlock;
    const uint64_t filling = over == 0 ? 0 : kTarBlock - over;
    if (filling > left() - size) return Broken("it is cut off after a member's bytes");
    at_ += size + filling;
    return absl::OkStatus();
  }

  const PositionedFile& file_;
  uint64_t at_ = 0;
  uint64_t start_ = 0;  // of the header at hand, for messages
  // Of the next member, if they were said before it.
  std::optional<std::string> name_;
  std::optional<uint64_t> size_;
};

}  // namespace

absl::StatusOr<std::vector<TarMember>> ReadTarIndex(const PositionedFile& file) {
  return TarReader(file).Run();
}

}  // namespace conadv
