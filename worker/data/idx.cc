// SPDX-License-Identifier: Apache-2.0
#include "worker/data/idx.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "worker/data/byte_source.h"

namespace conadv {
namespace {

struct IdxFile {
  std::string path;
  std::vector<uint32_t> extents;
  std::vector<uint8_t> bytes;
};

absl::Status Refuse(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

// Both spellings of a file's name, the plain one first.
absl::StatusOr<std::string> Find(const std::string& directory, const std::string& name) {
  const std::string plain = absl::StrCat(directory, "/", name);
  for (const std::string& path : {plain, plain + ".gz"}) {
    if (FileSystem::Real().Exists(path)) return path;
  }
  return absl::NotFoundError(absl::StrCat(
      "neither ", plain, " nor ", plain,
      ".gz exists; dataset.path must be a directory with the data set's four IDX files"));
}

// `bytes` may be fewer than asked for only at the end.
absl::StatusOr<size_t> ReadSome(const std::string& path, ByteSource* source, uint8_t* out,
                                size_t size) {
  absl::StatusOr<size_t> taken = source->Read(out, size);
  if (!taken.ok())
    return absl::Status(taken.status().code(), absl::StrCat(path, ": ", taken.status().message()));
  return taken;
}

absl::StatusOr<uint32_t> ReadBigEndian(const std::string& path, ByteSource* source) {
  std::array<uint8_t, 4> bytes{};
  CONADV_ASSIGN_OR_RETURN(const size_t taken, ReadSome(path, source, bytes.data(), bytes.size()));
  if (taken < bytes.size()) return Refuse(path, "truncated: it ends in the header");
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// Bytes after the header. The file's own size bounds it, so a header that lies cannot make us
// allocate.
absl::StatusOr<uint64_t> PayloadSize(const std::string& path, const ByteSource& source,
                                     const std::vector<uint32_t>& extents) {
  std::string shape;
  uint64_t size = 1;
  bool fits = true;
  for (const uint32_t extent : extents) {
    absl::StrAppend(&shape, shape.empty() ? "" : " x ", extent);
    if (extent == 0)
      return Refuse(path, absl::StrCat("no examples, or examples without pixels: ",
                                       "a dimension of the header is 0"));
    fits = fits && size <= source.most_left() / extent;
    if (fits) size *= extent;
  }
  if (!fits) {
    return Refuse(path, absl::StrCat("truncated: the header says ", shape,
                                     " bytes, and the file cannot hold so many"));
  }
  return size;
}

absl::StatusOr<std::vector<uint8_t>> ReadPayload(const std::string& path, ByteSource* source,
                                                 uint64_t size) {
  // Memory grows with what is there, not with what the header promises.
  constexpr uint64_t kStep = uint64_t{16} << 20;
  std::vector<uint8_t> bytes;
  while (bytes.size() < size) {
    const size_t had = bytes.size();
    const size_t wanted = static_cast<size_t>(std::min(size - had, kStep));
    bytes.resize(had + wanted);
    CONADV_ASSIGN_OR_RETURN(const size_t taken, ReadSome(path, source, bytes.data() + had, wanted));
    if (taken < wanted) {
      return Refuse(path, absl::StrCat("truncated: the header says ", size, " bytes follow, only ",
                                       had + taken, " do"));
    }
  }
  uint8_t beyond = 0;
  CONADV_ASSIGN_OR_RETURN(const size_t taken, ReadSome(path, source, &beyond, 1));
  if (taken > 0) {
    return Refuse(
        path, absl::StrCat("too long: the header says ", size, " bytes follow, there are more"));
  }
  return bytes;
}

absl::StatusOr<StoredFile> ReadStored(const std::string& directory, const std::string& name) {
  StoredFile stored;
  CONADV_ASSIGN_OR_RETURN(stored.path, Find(directory, name));
  CONADV_ASSIGN_OR_RETURN(stored.bytes, FileSystem::Real().Read(stored.path));
  return stored;
}

absl::StatusOr<IdxFile> DecodeFile(StoredFile stored, uint32_t least_dimensions,
                                   uint32_t most_dimensions) {
  // Two zero bytes, 8 for unsigned bytes, and the number of dimensions.
  constexpr uint32_t kUnsignedBytes = 0x800;
  IdxFile file;
  file.path = std::move(stored.path);
  // Its first two bytes tell, too (RFC 1952, section 2.3.1): an IDX file's are zeros.
  const bool gzip = absl::EndsWith(file.path, ".gz") || absl::StartsWith(stored.bytes, "\x1f\x8b");
  const std::unique_ptr<ByteSource> source =
      gzip ? MakeGzipSource(std::move(stored.bytes)) : MakePlainSource(std::move(stored.bytes));
  CONADV_ASSIGN_OR_RETURN(const uint32_t magic, ReadBigEndian(file.path, source.get()));
  if (magic < kUnsignedBytes + least_dimensions || magic > kUnsignedBytes + most_dimensions) {
    return Refuse(file.path, absl::StrFormat("wrong magic number %#010x, expected %#010x", magic,
                                             kUnsignedBytes + least_dimensions));
  }
  const uint32_t dimensions = magic - kUnsignedBytes;
  for (uint32_t i = 0; i < dimensions; ++i) {
    CONADV_ASSIGN_OR_RETURN(const uint32_t extent, ReadBigEndian(file.path, source.get()));
    file.extents.push_back(extent);
  }
  CONADV_ASSIGN_OR_RETURN(const uint64_t size, PayloadSize(file.path, *source, file.extents));
  CONADV_ASSIGN_OR_RETURN(file.bytes, ReadPayload(file.path, source.get(), size));
  return file;
}

// Labels count from 0. A training set has each of them: a flipped bit must not become a model with
// more classes.
absl::StatusOr<uint32_t> CountClasses(const IdxFile& labels, Split split) {
  std::array<bool, 256> seen{};
  for (const uint8_t label : labels.bytes) seen[label] = true;
  const uint32_t classes =
      uint32_t{*std::max_element(labels.bytes.begin(), labels.bytes.end())} + 1;
  if (split == Split::kTest) return classes;
  for (uint32_t label = 0; label < classes; ++label) {
    if (seen[label]) continue;
    return Refuse(labels.path, absl::StrCat("there is a label ", classes - 1, ", but no label ",
                                            label, "; labels count from 0 without a gap"));
  }
  return classes;
}

}  // namespace

absl::StatusOr<ExampleArrays> DecodeIdx(StoredFile stored_labels, StoredFile stored_images,
                                        Split split, uint64_t limit) {
  CONADV_ASSIGN_OR_RETURN(IdxFile labels, DecodeFile(std::move(stored_labels), 1, 1));
  CONADV_ASSIGN_OR_RETURN(IdxFile images, DecodeFile(std::move(stored_images), 3, 4));
  if (images.extents[0] != labels.extents[0]) {
    return Refuse(images.path, absl::StrCat(images.extents[0], " images, but ", labels.path,
                                            " has ", labels.extents[0], " labels"));
  }
  ExampleArrays arrays;
  const auto sides = images.extents.end() - 2;
  arrays.image_size = {images.extents.size() == 4 ? images.extents[1] : 1, sides[0], sides[1]};
  // Of the whole file: the model does not change with the limit.
  CONADV_ASSIGN_OR_RETURN(arrays.classes, CountClasses(labels, split));
  arrays.pixels = std::move(images.bytes);
  arrays.labels = std::move(labels.bytes);
  if (limit > 0 && limit < arrays.examples()) {
    arrays.labels.resize(static_cast<size_t>(limit));
    arrays.pixels.resize(arrays.labels.size() * arrays.image_size.bytes());
    arrays.pixels.shrink_to_fit();
  }
  return arrays;
}

absl::StatusOr<ExampleArrays> ReadIdx(const std::string& directory, Split split, uint64_t limit) {
  const std::string prefix = split == Split::kTrain ? "train" : "t10k";
  CONADV_ASSIGN_OR_RETURN(StoredFile labels, ReadStored(directory, prefix + "-labels-idx1-ubyte"));
  absl::StatusOr<StoredFile> images = ReadStored(directory, prefix + "-images-idx3-ubyte");
  if (absl::IsNotFound(images.status())) {
    absl::StatusOr<StoredFile> channels = ReadStored(directory, prefix + "-images-idx4-ubyte");
    if (!absl::IsNotFound(channels.status())) images = std::move(channels);
  }
  CONADV_RETURN_IF_ERROR(images.status());
  return DecodeIdx(std::move(labels), *std::move(images), split, limit);
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenIdx(const std::string& directory, Split split,
                                                 uint64_t limit) {
  CONADV_ASSIGN_OR_RETURN(ExampleArrays arrays, ReadIdx(directory, split, limit));
  return std::make_unique<MemoryDataset>(std::move(arrays));
}

}  // namespace conadv
