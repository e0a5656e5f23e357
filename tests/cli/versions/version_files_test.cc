// SPDX-License-Identifier: Apache-2.0
#include "cli/versions/version_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "common/tensor/safetensors.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

Weights Version(uint64_t version) {
  Layout layout = Layout::Create({{"a", {3}, TensorKind::kWeight, Branch::kShared, 0}}, 1).value();
  auto values = std::make_shared<Arena>(layout.arena_size(0));
  for (float& value : values->span()) value = static_cast<float>(version);
  return Weights{"job", conadv::Version(version), std::move(layout), std::move(values)};
}

class VersionFilesTest : public ::testing::Test {
 protected:
  std::vector<std::string> Names() const { return FileSystem::Real().List(out_).value(); }
  nlohmann::json Latest() const { return nlohmann::json::parse(ReadFile(out_ + "/latest.json")); }

  const TempDir directory_;
  const std::string out_ = directory_ / "new" + "/versions";
};

TEST_F(VersionFilesTest, KeepsTheNewestThatItHasWrittenAndTouchesNothingElse) {
  VersionFiles files = *VersionFiles::In(out_, 2, &FileSystem::Real());
  WriteFile(out_ + "/version-1.safetensors", "somebody else's");
  for (const uint64_t version : {10, 20, 20, 30}) {
    ASSERT_TRUE(files.Write(Version(version)).ok());
  }
  EXPECT_THAT(Names(), ElementsAre("latest.json", "version-1.safetensors", "version-20.safetensors",
                                   "version-30.safetensors"));
  EXPECT_EQ(Latest()["version"], 30);
  EXPECT_EQ(Latest()["out"], "version-30.safetensors");
}

TEST_F(VersionFilesTest, WhatLatestNamesIsThereWheneverTheDiskFails) {
  for (int changes = 1; changes < 12; ++changes) {
    const FaultFileSystem disk(changes);
    const std::string out = directory_ / std::to_string(changes);
    absl::StatusOr<VersionFiles> files = VersionFiles::In(out, 1, &disk);
    if (!files.ok()) continue;
    absl::Status status;
    for (uint64_t version = 1; status.ok() && version < 6; ++version) {
      status = files->Write(Version(version)).status();
    }
    if (!FileSystem::Real().Exists(out + "/latest.json")) continue;
    const auto latest = nlohmann::json::parse(ReadFile(out + "/latest.json"));
    const auto file = DecodeSafetensors(ReadFile(out + "/" + latest["out"].get<std::string>()));
    ASSERT_TRUE(file.ok()) << changes << ": " << file.status();
    EXPECT_EQ(file->metadata.at("version"), std::to_string(latest["version"].get<int>()));
  }
}

TEST_F(VersionFilesTest, AFileWhereTheDirectoryShouldBeIsRefused) {
  WriteFile(directory_ / "f", "");
  EXPECT_FALSE(VersionFiles::In(directory_ / "f", 0, &FileSystem::Real()).ok());
}

}  // namespace
}  // namespace conadv
