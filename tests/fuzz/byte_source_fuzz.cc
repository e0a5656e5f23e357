// SPDX-License-Identifier: Apache-2.0
// A source gives the same bytes and the same error in reads of any size, never more than it said
// there could be, and what was compressed comes out as it was.
//   input := size of a read (1 byte) bytes
// where the bytes are taken for a gzip stream, and for what one is made of.
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/gzip.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"
#include "worker/data/byte_source.h"

namespace conadv::fuzz {
namespace {

struct Result {
  std::string bytes;  // before the end, or the error
  absl::Status status;
};

// REQUIRES: piece > 0.
Result ReadAll(ByteSource* source, size_t piece) {
  Result result;
  const uint64_t most = source->most_left();
  std::vector<uint8_t> buffer(piece);
  size_t taken = piece;
  while (taken == piece) {
    const absl::StatusOr<size_t> read = source->Read(buffer.data(), piece);
    result.status = read.status();
    if (!read.ok()) return result;
    taken = *read;
    Require(taken <= piece, "a read gives no more than was asked for");
    result.bytes.append(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(taken));
    Require(result.bytes.size() <= most, "there is no more than the source said");
  }
  const absl::StatusOr<size_t> beyond = source->Read(buffer.data(), piece);
  Require(beyond.ok() && *beyond == 0, "the end is the end", beyond.status().ToString());
  return result;
}

void RequireReads(std::unique_ptr<ByteSource> source, size_t piece, absl::string_view bytes) {
  const Result result = ReadAll(source.get(), piece);
  Require(result.status.ok(), "a good stream is read", result.status.ToString());
  Require(result.bytes == bytes, "what was stored is read");
}

void TestStream(const std::string& bytes, size_t piece) {
  constexpr size_t kAtOnce = size_t{1} << 13;
  const Result whole = ReadAll(MakeGzipSource(bytes).get(), kAtOnce);
  const Result in_pieces = ReadAll(MakeGzipSource(bytes).get(), piece);
  Require(whole.status == in_pieces.status, "the size of reads does not change what is refused",
          in_pieces.status.ToString());
  if (whole.status.ok()) {
    Require(whole.bytes == in_pieces.bytes, "the size of reads does not change what is read");
  } else {
    RequireRefusal(whole.status, absl::StatusCode::kInvalidArgument, bytes.size());
  }

  RequireReads(MakePlainSource(bytes), piece, bytes);
  const std::string member = Gzip(bytes);
  RequireReads(MakeGzipSource(member), piece, bytes);
  RequireReads(MakeGzipSource(member + member), piece, bytes + bytes);
}

void RequireLittleMemory(const std::string& bytes) {
  constexpr size_t kWindow = size_t{32} << 10;
  constexpr size_t kRestOfZlib = size_t{32} << 10;
  std::vector<uint8_t> buffer(256);
  const AllocationMeter meter;
  const std::unique_ptr<ByteSource> source = MakeGzipSource(bytes);
  absl::StatusOr<size_t> read = buffer.size();
  while (read.ok() && *read == buffer.size()) read = source->Read(buffer.data(), buffer.size());
  RequireBounded(meter, 4096 + kWindow + kRestOfZlib + 2 * bytes.size());
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  conadv::fuzz::TestStream(bytes, size_t{data[0]} + 1);
  conadv::fuzz::RequireLittleMemory(bytes);
  return 0;
}
