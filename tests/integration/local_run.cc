// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/local_run.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace conadv {
std::string BinaryPath(const std::string& name) { return absl::StrCat(CONADV_BIN_DIR, "/", name); }

std::string SmallJob(const std::string& data_directory) {
  return absl::StrCat(R"(
    name: "small" seed: 3
    model { builtin: "mlp" width: 24 }
    dataset { path: ")",
                      data_directory, R"(" mean: 0.3 deviation: 0.4 }
    training { algorithm: CONADV tau: 1 global_batch: 64 slots: 4 steps: 10 }
    attack { step: RAW step_size: 0.1 epsilon: 0 }
    optimizer { sgd { momentum: 0.9 weight_decay: 0.001 } }
    schedule { peak: 0.05 }
    server { lease_seconds: 3 }
    evaluation { attack_steps: 0 }
  )");
}

LocalRun::LocalRun(const std::string& data, const Options& options) {
  const std::string job = directory_ / "job.textproto";
  WriteFile(job, options.job.empty() ? SmallJob(data) : options.job);
  std::vector<std::string> arguments = {BinaryPath("conadv"),
                                        "train",
                                        "--json",
                                        absl::StrCat("--job=", job),
                                        absl::StrCat("--servers=", options.servers),
                                        absl::StrCat("--workers=", options.workers),
                                        "--threads=1",
                                        absl::StrCat("--out=", out())};
  arguments.insert(arguments.end(), options.flags.begin(), options.flags.end());
  for (const std::string& setting : options.settings) {
    arguments.push_back("--set");
    arguments.push_back(setting);
  }
  process_ = std::make_unique<Process>(std::move(arguments));
}

void LocalRun::Finish() {
  const absl::StatusOr<ExitStatus> status = process_->Wait(kPatience);
  ASSERT_TRUE(status.ok()) << status.status();
  ASSERT_TRUE(status->ok()) << process_->error() << process_->output();
  const std::vector<std::string> lines =
      absl::StrSplit(process_->output(), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 1U) << process_->output();
  summary_ = nlohmann::json::parse(lines.back());
}

std::string LocalRun::Coordinator() {
  if (!coordinator_.empty()) return coordinator_;
  const absl::StatusOr<std::string> address = process_->ReadErrorAfter("coordinator: ", kPatience);
  EXPECT_TRUE(address.ok()) << address.status();
  return coordinator_ = address.value_or("");
}

void LocalRun::AwaitVersion(int version) {
  Process pull({BinaryPath("conadv"), "pull", "--server=" + Coordinator(),
                absl::StrCat("--version=", version), "--out=" + out() + "/pulled"});
  EXPECT_TRUE(pull.Wait(kPatience).ok());
}

SafetensorsFile LocalRun::Weights() const {
  absl::StatusOr<SafetensorsFile> file =
      DecodeSafetensors(ReadFile(absl::StrCat(out(), "/weights.safetensors")));
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

std::vector<SafetensorsFile> LocalRun::InitialWeights() const {
  std::vector<SafetensorsFile> files;
  const std::string version = absl::StrCat(out(), "/checkpoints/000000000000");
  for (const auto& shard : std::filesystem::directory_iterator(version)) {
    absl::StatusOr<SafetensorsFile> file =
        DecodeSafetensors(ReadFile(shard.path().string() + "/weights.safetensors"));
    EXPECT_TRUE(file.ok()) << file.status();
    files.push_back(*std::move(file));
  }
  return files;
}

std::vector<nlohmann::json> LocalRun::Metrics(const std::string& kind) const {
  std::vector<nlohmann::json> records;
  const std::string text = ReadFile(absl::StrCat(out(), "/metrics.jsonl"));
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const nlohmann::json record = nlohmann::json::parse(line);
    if (record.contains(kind)) records.push_back(record[kind]);
  }
  return records;
}

const std::string& SharedData() {
  static const TempDir directory;
  static const std::string path = [] {
    const absl::Status status = WriteSyntheticIdx(directory.path(), SyntheticOptions());
    EXPECT_TRUE(status.ok()) << status;
    return directory.path();
  }();
  return path;
}

}  // namespace conadv
