// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/checkpoint.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/tensor/crc32c.h"
#include "server/checkpoint/manifest.h"

namespace conadv {
namespace {

constexpr char kVersionPrefix[] = "version.";
constexpr char kAverage[] = "average";

std::map<std::string, std::string> Metadata(const CheckpointOwner& owner,
                                            const ShardCheckpoint& checkpoint,
                                            const Layout& layout) {
  return {{"version", absl::StrCat(checkpoint.version.value())},
          {"layout_hash", absl::StrCat(absl::Hex(layout.hash(), absl::kZeroPad16))},
          {"shard", absl::StrCat(owner.shard)},
          {"shards", absl::StrCat(owner.shards)},
          {"job", checkpoint.job_name}};
}

std::vector<NamedTensor> WeightTensors(const ShardCheckpoint& checkpoint, const Layout& layout,
                                       uint32_t shard) {
  std::vector<NamedTensor> tensors;
  for (const size_t index : layout.tensors_of(shard)) {
    const Placement& placement = layout.placements()[index];
    const TensorSpec& tensor = placement.tensor;
    tensors.push_back(
        {tensor.name, tensor.shape, checkpoint.weights.subspan(placement.offset, tensor.size())});
  }
  return tensors;
}

std::vector<NamedTensor> OptimizerTensors(const ShardCheckpoint& checkpoint) {
  std::vector<NamedTensor> tensors;
  for (const CheckpointState& state : checkpoint.states) {
    tensors.push_back({state.name, {state.values.size()}, state.values});
  }
  if (!checkpoint.average.empty()) {
    tensors.push_back({kAverage, {checkpoint.average.size()}, checkpoint.average});
  }
  for (const CheckpointVersion& older : checkpoint.older) {
    tensors.push_back({absl::StrCat(kVersionPrefix, older.version.value()),
                       {older.weights.size()},
                       older.weights});
  }
  return tensors;
}

absl::Status WriteTensors(const FileSystem& files, const std::string& directory,
                          const std::string& name, const std::vector<NamedTensor>& tensors,
                          const std::map<std::string, std::string>& metadata, Manifest* manifest) {
  const std::string header = EncodeSafetensorsHeader(tensors, metadata);
  std::vector<absl::string_view> pieces = {header};
  for (const NamedTensor& tensor : tensors) {
    pieces.emplace_back(reinterpret_cast<const char*>(tensor.values.data()),
                        tensor.values.size() * sizeof(float));
  }
  ManifestFile file;
  for (const absl::string_view piece : pieces) {
    file.bytes += piece.size();
    file.crc32c = ExtendCrc32c(file.crc32c, piece.data(), piece.size());
  }
  manifest->files[name] = file;
  return files.WritePieces(absl::StrCat(directory, "/", name), pieces);
}

absl::StatusOr<CheckpointId> WriteFiles(const FileSystem& files, const CheckpointOwner& owner,
                                        const ShardCheckpoint& checkpoint, const Layout& layout) {
  const std::string directory = ShardPath(owner, checkpoint.version);
  // First, so that no manifest speaks of files that are not yet its own.
  CONADV_RETURN_IF_ERROR(files.Remove(directory));
  CONADV_RETURN_IF_ERROR(files.MakeDirectories(directory));
  const auto metadata = Metadata(owner, checkpoint, layout);
  Manifest manifest;
  manifest.version = checkpoint.version;
  manifest.run = checkpoint.run;
  manifest.lineage = checkpoint.lineage;
  manifest.shard = owner.shard;
  manifest.shards = owner.shards;
  manifest.layout_hash = layout.hash();
  manifest.plan = checkpoint.plan;
  manifest.job = checkpoint.job;
  manifest.applied_prefix = checkpoint.applied_prefix;
  manifest.applied_ahead = checkpoint.applied_ahead;
  CONADV_RETURN_IF_ERROR(WriteTensors(files, directory, kWeightsFile,
                                      WeightTensors(checkpoint, layout, owner.shard), metadata,
                                      &manifest));
  CONADV_RETURN_IF_ERROR(WriteTensors(files, directory, kOptimizerFile,
                                      OptimizerTensors(checkpoint), metadata, &manifest));
  CONADV_RETURN_IF_ERROR(
      files.WriteAtomically(absl::StrCat(directory, "/", kManifestFile), EncodeManifest(manifest)));
  return IdOf(manifest);
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("checkpoint file ", path, " ", what));
}

absl::StatusOr<Manifest> ReadManifest(const FileSystem& files, const CheckpointOwner& owner,
                                      Version version) {
  const std::string path = absl::StrCat(ShardPath(owner, version), "/", kManifestFile);
  CONADV_ASSIGN_OR_RETURN(const std::string text, files.Read(path));
  absl::StatusOr<Manifest> manifest = DecodeManifest(text);
  if (!manifest.ok()) return Damaged(path, manifest.status().message());
  if (manifest->version != version || manifest->shard != owner.shard ||
      manifest->shards != owner.shards) {
    return Damaged(path, absl::StrCat("is of version ", manifest->version.value(), ", shard ",
                                      manifest->shard, " of ", manifest->shards));
  }
  return manifest;
}

absl::StatusOr<SafetensorsFile> ReadTensors(const FileSystem& files, const CheckpointOwner& owner,
                                            const Manifest& manifest, const std::string& name) {
  const std::string path = absl::StrCat(ShardPath(owner, manifest.version), "/", name);
  const auto expected = manifest.files.find(name);
  if (expected == manifest.files.end()) return Damaged(path, "is not in the manifest");
  absl::StatusOr<std::string> bytes = files.Read(path);
  if (absl::IsNotFound(bytes.status())) return Damaged(path, "is missing");
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() != expected->second.bytes) {
    return Damaged(path, absl::StrCat("has ", bytes->size(), " bytes where the manifest says ",
                                      expected->second.bytes));
  }
  if (ExtendCrc32c(0, bytes->data(), bytes->size()) != expected->second.crc32c) {
    return Damaged(path, "does not match the manifest's crc32c");
  }
  absl::StatusOr<SafetensorsFile> file = DecodeSafetensors(*std::move(bytes));
  if (!file.ok()) return Damaged(path, file.status().message());
  return file;
}

absl::Status OfAnotherLayout(const RestoredCheckpoint& checkpoint, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat("the checkpoint of version ", checkpoint.id.version.value(),
                   " is of another model or number of shards: ", why,
                   "; give this run a checkpoint directory of its own"));
}

}  // namespace

absl::StatusOr<CheckpointId> WriteCheckpoint(const FileSystem& files, const CheckpointOwner& owner,
                                             const ShardCheckpoint& checkpoint,
                                             const Layout& layout) {
  absl::StatusOr<CheckpointId> id = WriteFiles(files, owner, checkpoint, layout);
  // Half a checkpoint only takes room that a full disk does not have.
  if (!id.ok()) files.Remove(ShardPath(owner, checkpoint.version)).IgnoreError();
  return id;
}

absl::StatusOr<RestoredCheckpoint> ReadCheckpoint(const FileSystem& files,
                                                  const CheckpointOwner& owner, Version version) {
  CONADV_ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(files, owner, version));
  RestoredCheckpoint restored;
  CONADV_ASSIGN_OR_RETURN(restored.weights, ReadTensors(files, owner, manifest, kWeightsFile));
  CONADV_ASSIGN_OR_RETURN(restored.optimizer, ReadTensors(files, owner, manifest, kOptimizerFile));
  for (const NamedTensor& tensor : restored.optimizer.tensors) {
    absl::string_view name = tensor.name;
    uint64_t older = 0;
    if (absl::ConsumePrefix(&name, kVersionPrefix) && absl::SimpleAtoi(name, &older)) {
      restored.older.push_back({Version(older), tensor.values});
    } else if (tensor.name == kAverage) {
      restored.average = tensor.values;
    } else {
      restored.states.push_back({tensor.name, tensor.values});
    }
  }
  restored.id = IdOf(manifest);
  restored.applied_prefix = manifest.applied_prefix;
  restored.applied_ahead = std::move(manifest.applied_ahead);
  restored.plan = std::move(manifest.plan);
  restored.job = std::move(manifest.job);
  return restored;
}

absl::Status PlaceWeights(const RestoredCheckpoint& checkpoint, const Layout& layout,
                          uint32_t shard, absl::Span<float> arena) {
  if (checkpoint.id.layout != layout.hash()) {
    return OfAnotherLayout(
        checkpoint, absl::StrCat("layout hash ", checkpoint.id.layout, ", not ", layout.hash()));
  }
  const absl::Span<const size_t> indices = layout.tensors_of(shard);
  if (checkpoint.weights.tensors.size() != indices.size()) {
    return OfAnotherLayout(checkpoint, "its number of tensors differs");
  }
  std::fill(arena.begin(), arena.end(), 0.0F);
  for (size_t i = 0; i < indices.size(); ++i) {
    const Placement& placement = layout.placements()[indices[i]];
    const NamedTensor& tensor = checkpoint.weights.tensors[i];
    if (tensor.name != placement.tensor.name || tensor.shape != placement.tensor.shape) {
      return OfAnotherLayout(checkpoint, absl::StrCat("tensor ", tensor.name, " differs"));
    }
    std::copy(tensor.values.begin(), tensor.values.end(), arena.begin() + placement.offset);
  }
  return absl::OkStatus();
}

}  // namespace conadv
