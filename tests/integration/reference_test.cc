// SPDX-License-Identifier: Apache-2.0
// The whole system, in processes, against the reference loop.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/integration/local_run.h"
#include "tests/integration/reference_loop.h"
#include "worker/data/batch.h"
#include "worker/data/open.h"
#include "worker/data/permutation.h"

namespace conadv {
namespace {

constexpr int kSlots = 4;
constexpr int kSlotSize = 16;
constexpr uint64_t kSeed = 3;

std::vector<std::vector<reference::Examples>> UnitsOf(const std::string& data, int steps) {
  DatasetOptions options;
  options.path = data;
  const std::unique_ptr<Dataset> dataset = *OpenDataset(options, Split::kTrain, 0);
  const ImageSize size = dataset->image_size();
  std::vector<std::vector<reference::Examples>> units(steps);
  for (int step = 0; step < steps; ++step) {
    for (int slot = 0; slot < kSlots; ++slot) {
      const std::vector<uint64_t> indices =
          UnitExamples(kSeed, dataset->examples(), kSlots, kSlotSize, {Step(step), Slot(slot)});
      const torch::Tensor bytes =
          torch::empty({kSlotSize, size.channels, size.height, size.width}, torch::kUInt8);
      const torch::Tensor labels = torch::empty({kSlotSize}, torch::kInt64);
      const absl::Status loaded =
          LoadBatch(*dataset, indices, {bytes.data_ptr<uint8_t>(), kSlotSize * size.bytes()},
                    {labels.data_ptr<int64_t>(), kSlotSize});
      EXPECT_TRUE(loaded.ok()) << loaded;
      units[step].push_back({bytes.to(torch::kFloat32) / 255, labels});
    }
  }
  return units;
}

void AddTensors(const SafetensorsFile& file, reference::Weights* weights) {
  for (const NamedTensor& tensor : file.tensors) {
    const std::vector<int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    (*weights)[tensor.name] =
        torch::from_blob(const_cast<float*>(tensor.values.data()), shape).clone();
  }
}

struct Case {
  std::string algorithm;
  int tau;
  std::string attack;
  bool mixture;
  bool lars;

  std::string Name() const {
    return absl::StrCat(algorithm, "_tau", tau, "_", attack, "_", lars ? "lars" : "sgd", "_",
                        mixture ? "mixture" : "oneBatchNorm");
  }
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.Name(); }
};

class Reference : public ::testing::TestWithParam<Case> {};

TEST_P(Reference, TheSystemComputesWhatTheReferenceLoopDoes) {
  const Case& c = GetParam();
  std::vector<std::string> settings = {
      absl::StrCat("training.algorithm=", c.algorithm), absl::StrCat("attack.step=", c.attack),
      absl::StrCat("training.mixture_batch_norm=", c.mixture ? "true" : "false")};
  settings.push_back(absl::StrCat("training.tau=", c.tau));
  if (c.lars) {
    settings.push_back("optimizer.lars.trust=0.02");
    settings.push_back("optimizer.lars.weight_decay=0.001");
  }
  LocalRun run(SharedData(), {2, 2, settings, ""});
  run.Finish();

  reference::Options options;
  options.adversarial = c.algorithm != "VANILLA";
  options.tau = c.tau;
  options.attack = c.attack;
  options.mixture = c.mixture && options.adversarial;
  options.lars = c.lars;
  reference::Weights initial;
  for (const SafetensorsFile& file : run.InitialWeights()) AddTensors(file, &initial);
  const reference::Weights expected =
      reference::Train(initial, UnitsOf(SharedData(), options.steps), options);
  reference::Weights actual;
  AddTensors(run.Weights(), &actual);

  // The sign of a component near zero may flip with the last bit.
  const double tolerance = c.attack == "SIGN" ? 1e-3 : 1e-5;
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(actual.count(name)) << name;
    const double error = (actual[name] - tensor).norm().item<double>();
    const double moved = (tensor - initial[name]).norm().item<double>();
    EXPECT_LE(error, tolerance * tensor.norm().item<double>()) << name;
    EXPECT_GT(moved, 100 * error) << name << " has hardly moved: the comparison says nothing";
  }
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) { return info.param.Name(); }

INSTANTIATE_TEST_SUITE_P(
    Cases, Reference,
    ::testing::Values(Case{"VANILLA", 0, "RAW", true, false}, Case{"VANILLA", 0, "RAW", true, true},
                      Case{"CONADV", 0, "RAW", true, false}, Case{"CONADV", 0, "L2", false, true},
                      Case{"CONADV", 1, "RAW", true, true}, Case{"CONADV", 1, "L2", true, false},
                      Case{"CONADV", 1, "RAW", false, false}, Case{"CONADV", 1, "SIGN", true, true},
                      Case{"CONADV", 3, "RAW", true, false}, Case{"CONADV", 3, "L2", true, true},
                      Case{"CONADV", 3, "RAW", false, true},
                      Case{"CONADV", 3, "SIGN", false, false},
                      Case{"DISADV", 0, "RAW", true, false}),
    NameOf);

}  // namespace
}  // namespace conadv
