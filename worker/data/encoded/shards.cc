// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/shards.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "worker/data/encoded/positioned_file.h"
#include "worker/data/encoded/shard_keys.h"
#include "worker/data/encoded/tar_index.h"
#include "worker/data/fingerprint.h"

namespace conadv {
namespace {

struct StoredExample {
  std::string key;
  uint32_t shard = 0;
  uint32_t label = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
};

class ShardExamples final : public EncodedExamples {
 public:
  ShardExamples(std::vector<std::string> shards, std::vector<StoredExample> examples,
                uint32_t classes, std::vector<std::string> names)
      : shards_(std::move(shards)),
        examples_(std::move(examples)),
        classes_(classes),
        names_(std::move(names)) {}

  uint64_t examples() const override { return examples_.size(); }
  uint32_t classes() const override { return classes_; }
  const std::vector<std::string>& class_names() const override { return names_; }
  int64_t Label(uint64_t index) const override { return examples_[index].label; }
  std::string Name(uint64_t index) const override {
    return Printable(absl::StrCat(shards_[examples_[index].shard], ": ", examples_[index].key));
  }

  // Opened each time: there may be more shards than a process may have files open.
  absl::StatusOr<std::string> Read(uint64_t index) const override {
    const StoredExample& example = examples_[index];
    CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<PositionedFile> file,
                            PositionedFile::Open(shards_[example.shard]));
    std::string bytes(static_cast<size_t>(example.size), '\0');
    CONADV_RETURN_IF_ERROR(file->ReadAt(example.offset, absl::MakeSpan(&bytes[0], bytes.size())));
    return bytes;
  }

  uint32_t Fingerprint() const override {
    uint32_t crc = 0;
    for (const StoredExample& example : examples_) {
      crc = ExtendWithText(crc, example.key);
      crc = ExtendWithNumber(crc, example.size);
      crc = ExtendWithNumber(crc, example.label);
    }
    return crc;
  }

 private:
  const std::vector<std::string> shards_;
  const std::vector<StoredExample> examples_;
  const uint32_t classes_;
  const std::vector<std::string> names_;
};

absl::Status In(const std::string& shard, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(Printable(shard), ": ", status.message()));
}

absl::StatusOr<std::vector<std::string>> ShardsOf(const std::string& path,
                                                  absl::string_view prefix) {
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> names, FileSystem::Real().List(path));
  std::vector<std::string> shards;
  for (const std::string& name : names) {
    if (absl::StartsWith(name, prefix) && absl::EndsWith(name, ".tar")) {
      shards.push_back(absl::StrCat(path, "/", name));
    }
  }
  std::sort(shards.begin(), shards.end());
  return shards;
}

absl::StatusOr<std::vector<std::string>> ShardsOf(const std::string& path, Split split) {
  const auto missing = [&path](absl::string_view what) {
    return absl::NotFoundError(absl::StrCat("there is no ", what, " in ", Printable(path),
                                            "; dataset.path must be a directory with train-*.tar "
                                            "and test-*.tar (or val-*.tar)"));
  };
  if (split == Split::kTrain) {
    CONADV_ASSIGN_OR_RETURN(std::vector<std::string> train, ShardsOf(path, "train-"));
    if (train.empty()) return missing("train-*.tar");
    return train;
  }
  CONADV_ASSIGN_OR_RETURN(std::vector<std::string> test, ShardsOf(path, "test-"));
  CONADV_ASSIGN_OR_RETURN(std::vector<std::string> val, ShardsOf(path, "val-"));
  if (!test.empty() && !val.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(path),
                     ": it has both test-*.tar and val-*.tar, and there is one "
                     "test split; move one elsewhere"));
  }
  if (test.empty() && val.empty()) return missing("test-*.tar or val-*.tar");
  return test.empty() ? val : test;
}

absl::StatusOr<uint32_t> ReadClass(const PositionedFile& file, const TarMember& member) {
  constexpr uint64_t kMostDigits = 32;  // and blanks
  std::string text(static_cast<size_t>(std::min(member.size, kMostDigits)), '\0');
  CONADV_RETURN_IF_ERROR(file.ReadAt(member.offset, absl::MakeSpan(&text[0], text.size())));
  const absl::StatusOr<uint32_t> label = ParseClass(text);
  if (label.ok() && member.size <= kMostDigits) return label;
  return absl::InvalidArgumentError(
      absl::StrCat("member ", Printable(member.name), " ", ParseClass("").status().message()));
}

absl::Status AppendShard(const std::string& path, uint32_t shard,
                         std::vector<StoredExample>* examples) {
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<PositionedFile> file, PositionedFile::Open(path));
  absl::StatusOr<std::vector<TarMember>> members = ReadTarIndex(*file);
  if (!members.ok()) return In(path, members.status());
  absl::StatusOr<std::vector<ShardExample>> pairs = PairMembers(*std::move(members));
  if (!pairs.ok()) return In(path, pairs.status());
  for (ShardExample& pair : *pairs) {
    const absl::StatusOr<uint32_t> label = ReadClass(*file, pair.label);
    if (!label.ok()) return In(path, label.status());
    examples->push_back({std::move(pair.key), shard, *label, pair.image.offset, pair.image.size});
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(const std::vector<std::string>& shards,
                         const std::vector<StoredExample>& examples, uint32_t classes) {
  for (const StoredExample& example : examples) {
    if (example.label < classes) continue;
    return In(shards[example.shard],
              absl::InvalidArgumentError(absl::StrCat(Printable(example.key), " has the label ",
                                                      example.label, ", and classes.txt has ",
                                                      classes, " lines; labels count from 0")));
  }
  return absl::OkStatus();
}

// Without names a flipped bit must not become a model with more classes.
absl::StatusOr<uint32_t> CountClasses(const std::string& path,
                                      const std::vector<StoredExample>& examples, Split split) {
  uint64_t classes = 0;
  for (const StoredExample& example : examples) {
    classes = std::max(classes, uint64_t{example.label} + 1);
  }
  const auto refuse = [&path, classes](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(path), ": there is a label ", classes - 1, ", but ", what,
                     "; labels count from 0 without a gap, or classes.txt names all classes"));
  };
  if (classes > UINT32_MAX) return refuse("no model has so many classes");
  if (split == Split::kTest) return static_cast<uint32_t>(classes);
  if (classes > examples.size()) return refuse(absl::StrCat(examples.size(), " examples"));
  std::vector<bool> seen(static_cast<size_t>(classes));
  for (const StoredExample& example : examples) seen[example.label] = true;
  const auto gap = std::find(seen.begin(), seen.end(), false);
  if (gap != seen.end()) return refuse(absl::StrCat("no label ", gap - seen.begin()));
  return static_cast<uint32_t>(classes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EncodedExamples>> OpenShards(const std::string& path, Split split,
                                                            uint64_t limit,
                                                            std::vector<std::string> names) {
  CONADV_ASSIGN_OR_RETURN(std::vector<std::string> shards, ShardsOf(path, split));
  std::vector<StoredExample> examples;
  for (uint32_t shard = 0; shard < shards.size(); ++shard) {
    CONADV_RETURN_IF_ERROR(AppendShard(shards[shard], shard, &examples));
  }
  if (examples.empty()) {
    return In(shards[0], absl::InvalidArgumentError("neither it nor another shard of its split has "
                                                    "an image"));
  }
  // Of all of them: the model does not change with the limit.
  uint32_t classes = static_cast<uint32_t>(names.size());
  if (classes > 0) {
    CONADV_RETURN_IF_ERROR(CheckLabels(shards, examples, classes));
  } else {
    CONADV_ASSIGN_OR_RETURN(classes, CountClasses(path, examples, split));
  }
  if (limit > 0 && limit < examples.size()) {
    examples.resize(static_cast<size_t>(limit));
    examples.shrink_to_fit();
  }
  return std::make_unique<ShardExamples>(std::move(shards), std::move(examples), classes,
                                         std::move(names));
}

}  // namespace conadv
