// SPDX-License-Identifier: Apache-2.0
// Small networks, their layouts and weights, for tests of what runs on replicas.
#ifndef CONADV_TESTS_WORKER_MODEL_REPLICAS_H_
#define CONADV_TESTS_WORKER_MODEL_REPLICAS_H_

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "worker/device/cpu_device.h"
#include "worker/model/network.h"
#include "worker/model/replica.h"
#include "worker/model/source/open_model.h"

namespace conadv {

inline constexpr ImageShape kSmallImages{1, 8, 8, 3};

// The one that tests compute on if they do not say.
inline Device& TestDevice() {
  static const auto& device = *new std::shared_ptr<Device>(MakeCpuDevice());
  return *device;
}

inline NetworkFactory SmallFactory(const std::string& builtin, uint64_t seed = 1,
                                   const ImageShape& shape = kSmallImages) {
  ModelOptions model;
  model.builtin = builtin;
  model.width = 4;
  DatasetOptions dataset;
  dataset.mean = {0.25};
  dataset.deviation = {0.5};
  auto opened = OpenModel(model, dataset, shape, seed);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened->factory;
}

inline std::shared_ptr<const Layout> LayoutOf(const Network& network, bool mixture,
                                              uint32_t shards = 1) {
  auto layout = Layout::Create(
      TensorsOf(network, mixture ? std::vector<Branch>{Branch::kAuxiliary} : std::vector<Branch>{}),
      shards);
  EXPECT_TRUE(layout.ok()) << layout.status();
  return std::make_shared<const Layout>(*std::move(layout));
}

inline std::shared_ptr<Arena> InitialWeights(const Network& network, const Layout& layout) {
  auto weights = std::make_shared<Arena>(layout.total_size());
  CopyInitialWeights(network, layout, weights->span());
  return weights;
}

inline std::shared_ptr<Arena> Copy(const Arena& from) {
  auto copy = std::make_shared<Arena>(from.size());
  std::copy(from.span().begin(), from.span().end(), copy->span().begin());
  return copy;
}

inline std::shared_ptr<Arena> Filled(size_t size, float value) {
  auto arena = std::make_shared<Arena>(size);
  std::fill(arena->span().begin(), arena->span().end(), value);
  return arena;
}

inline const Placement& PlacementOf(const Layout& layout, const std::string& name) {
  for (const Placement& placement : layout.placements()) {
    if (placement.tensor.name == name) return placement;
  }
  ADD_FAILURE() << "no tensor " << name;
  return layout.placements()[0];
}

// A tensor's values in an arena: the storage itself, so writing to it writes to the arena.
inline torch::Tensor InArena(const Layout& layout, Arena& arena, const std::string& name) {
  const Placement& placement = PlacementOf(layout, name);
  std::vector<int64_t> shape(placement.tensor.shape.begin(), placement.tensor.shape.end());
  return torch::from_blob(arena.data() + layout.global_offset(placement), shape);
}

inline bool SameBits(const torch::Tensor& a, const torch::Tensor& b) { return torch::equal(a, b); }
inline bool SameBits(const Arena& a, const Arena& b) {
  return std::equal(a.span().begin(), a.span().end(), b.span().begin(), b.span().end());
}

struct Examples {
  torch::Tensor images;  // in [0, 1]
  torch::Tensor labels;
};

inline Examples RandomExamples(int64_t n, uint64_t seed = 7,
                               const ImageShape& shape = kSmallImages) {
  auto generator = torch::make_generator<torch::CPUGeneratorImpl>(seed);
  return {torch::rand({n, shape.channels, shape.height, shape.width}, generator),
          torch::randint(shape.classes, {n}, generator, torch::kInt64)};
}

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_MODEL_REPLICAS_H_
