// SPDX-License-Identifier: Apache-2.0
// A whole run on this machine, as a user starts it: `conadv train` in a directory of its own, on a
// made-up data set. One thread at a time.
#ifndef CONADV_TESTS_INTEGRATION_LOCAL_RUN_H_
#define CONADV_TESTS_INTEGRATION_LOCAL_RUN_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/tensor/safetensors.h"
#include "tests/support/children.h"
#include "tests/support/idx_files.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {

// For what a program does sooner or later.
inline constexpr absl::Duration kPatience = absl::Minutes(4);

// Where the programs are.
std::string BinaryPath(const std::string& name);

// A job on the made-up data set: an mlp, SYNC, 4 slots of 16, ConAdv with τ = 1, plain SGD.
// Settings change it.
std::string SmallJob(const std::string& data_directory);

class LocalRun {
 public:
  struct Options {
    int servers = 1;
    int workers = 1;
    std::vector<std::string> settings;    // of --set
    std::string job;                      // text; empty: SmallJob
    std::vector<std::string> flags = {};  // of train, besides
  };
  // Starts; `data` is a directory of WriteSyntheticIdx.
  LocalRun(const std::string& data, const Options& options);

  // Waits for the end; the test fails if it is not a success.
  void Finish();
  // The coordinator's address, once it listens.
  std::string Coordinator();
  // Returns once it is published.
  void AwaitVersion(int version);
  Process& process() { return *process_; }

  // After Finish.
  const nlohmann::json& summary() const { return summary_; }
  std::string crc() const { return summary_.value("weights_crc32c", ""); }
  SafetensorsFile Weights() const;
  // Of version 0, all shards' files together.
  std::vector<SafetensorsFile> InitialWeights() const;
  // Lines of metrics.jsonl that have `kind` ("step", "evaluation").
  std::vector<nlohmann::json> Metrics(const std::string& kind) const;
  std::string out() const { return directory_ / "out"; }

 private:
  TempDir directory_;
  std::string coordinator_;  // once it is known
  std::unique_ptr<Process> process_;
  nlohmann::json summary_;
};

// A data set that all tests of a program share: written once.
const std::string& SharedData();

}  // namespace conadv

#endif  // CONADV_TESTS_INTEGRATION_LOCAL_RUN_H_
