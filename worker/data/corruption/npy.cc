// SPDX-License-Identifier: Apache-2.0
#include "worker/data/corruption/npy.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr absl::string_view kMagic = "\x93NUMPY";
// NumPy's own limit is 32.
constexpr size_t kMostDimensions = 32;

absl::Status Refuse(absl::string_view why) { return absl::InvalidArgumentError(why); }

// The header's Python dictionary, from left to right.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : rest_(text) {}

  bool Take(absl::string_view token) {
    SkipSpaces();
    return absl::ConsumePrefix(&rest_, token);
  }
  std::optional<absl::string_view> TakeQuoted() {
    SkipSpaces();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    const size_t end = rest_.find(rest_[0], 1);
    if (end == absl::string_view::npos) return std::nullopt;
    const absl::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::optional<uint64_t> TakeNumber() {
    SkipSpaces();
    size_t digits = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') ++digits;
    uint64_t number = 0;
    if (digits == 0 || !absl::SimpleAtoi(rest_.substr(0, digits), &number)) return std::nullopt;
    rest_.remove_prefix(digits);
    return number;
  }
  bool AtEnd() {
    SkipSpaces();
    return rest_.empty();
  }

 private:
  void SkipSpaces() {
    const size_t spaces = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(spaces == absl::string_view::npos ? rest_.size() : spaces);
  }

  absl::string_view rest_;
};

struct Fields {
  std::optional<absl::string_view> type;
  std::optional<bool> fortran;
  bool shaped = false;
  std::vector<uint64_t> shape;
};

// (), (3,), (3, 4).
bool TakeShape(Scanner* scanner, std::vector<uint64_t>* shape) {
  shape->clear();
  if (!scanner->Take("(")) return false;
  while (!scanner->Take(")")) {
    const std::optional<uint64_t> extent = scanner->TakeNumber();
    if (!extent.has_value() || shape->size() == kMostDimensions) return false;
    shape->push_back(*extent);
    if (!scanner->Take(",")) return scanner->Take(")");
  }
  return true;
}

bool TakeField(Scanner* scanner, Fields* fields) {
  const std::optional<absl::string_view> name = scanner->TakeQuoted();
  if (!name.has_value() || !scanner->Take(":")) return false;
  if (*name == "descr") return (fields->type = scanner->TakeQuoted()).has_value();
  if (*name == "shape") return fields->shaped = TakeShape(scanner, &fields->shape);
  if (*name != "fortran_order") return false;
  fields->fortran = scanner->Take("True");
  return *fields->fortran || scanner->Take("False");
}

absl::StatusOr<Fields> ParseFields(absl::string_view header) {
  Fields fields;
  Scanner scanner(header);
  bool sound = scanner.Take("{");
  while (sound && !scanner.Take("}")) {
    sound = TakeField(&scanner, &fields);
    if (!sound || scanner.Take(",")) continue;
    sound = scanner.Take("}");
    break;
  }
  if (!sound || !scanner.AtEnd() || !fields.type.has_value() || !fields.fortran.has_value() ||
      !fields.shaped) {
    return Refuse("its header is not NumPy's: it is damaged, or of an array of another kind");
  }
  return fields;
}

absl::StatusOr<NpyType> TypeOf(absl::string_view name) {
  if (name == "|u1" || name == "u1") return NpyType::kUint8;
  if (name == "<i8") return NpyType::kInt64;
  if (name == "<i4") return NpyType::kInt32;
  return Refuse(absl::StrCat("has values of type '", Printable(name.substr(0, 16)),
                             "'; uint8 is read, and for labels int32 and int64"));
}

// The number of bytes that the values take; nothing if it is past 2^64.
std::optional<uint64_t> BytesOf(const NpyHeader& header) {
  uint64_t bytes = SizeOf(header.type);
  for (const uint64_t extent : header.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace

size_t SizeOf(NpyType type) {
  switch (type) {
    case NpyType::kUint8: return 1;
    case NpyType::kInt32: return 4;
    case NpyType::kInt64: return 8;
  }
  return 0;
}

uint64_t NpyHeader::values() const {
  uint64_t values = 1;
  for (const uint64_t extent : shape) values *= extent;
  return values;
}

absl::StatusOr<NpyHeader> DecodeNpyHeader(absl::string_view beginning, uint64_t file_size) {
  constexpr size_t kVersion = 6;
  constexpr size_t kLength = 8;
  if (!absl::ConsumePrefix(&beginning, kMagic)) return Refuse("is no .npy file of NumPy's");
  if (beginning.size() < kLength - kVersion) return Refuse("truncated: it ends in the header");
  const int major = static_cast<uint8_t>(beginning[0]);
  if (major < 1 || major > 3) {
    return Refuse(absl::StrCat("has version ", major, " of NumPy's format; 1 to 3 are read"));
  }
  beginning.remove_prefix(kLength - kVersion);
  const size_t width = major == 1 ? 2 : 4;
  if (beginning.size() < width) return Refuse("truncated: it ends in the header");
  uint64_t length = 0;
  for (size_t i = width; i-- > 0;) length = length << 8 | static_cast<uint8_t>(beginning[i]);
  beginning.remove_prefix(width);
  NpyHeader header;
  header.offset = kLength + width + length;
  if (length > beginning.size()) {
    return Refuse(header.offset > file_size ? "truncated: it ends in the header"
                                            : "its header is longer than NumPy writes them");
  }
  CONADV_ASSIGN_OR_RETURN(Fields fields,
                          ParseFields(beginning.substr(0, static_cast<size_t>(length))));
  CONADV_ASSIGN_OR_RETURN(header.type, TypeOf(*fields.type));
  header.shape = std::move(fields.shape);
  if (*fields.fortran && header.shape.size() > 1) {
    return Refuse("is in Fortran's order; write it with numpy.save(…, numpy.ascontiguousarray(…))");
  }
  const std::optional<uint64_t> bytes = BytesOf(header);
  if (!bytes.has_value() || *bytes != file_size - header.offset) {
    return Refuse(absl::StrCat(
        !bytes.has_value() || *bytes > file_size - header.offset ? "truncated" : "too long",
        ": the header says ", bytes.has_value() ? absl::StrCat(*bytes) : "more than 2^64",
        " bytes follow, ", file_size - header.offset, " do"));
  }
  return header;
}

}  // namespace conadv
