// SPDX-License-Identifier: Apache-2.0
#include "worker/device/cpu_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tests/worker/data/generated_dataset.h"
#include "worker/data/memory_dataset.h"
#include "worker/device/inputs.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<Arena> Filled(size_t size, float value) {
  auto arena = std::make_shared<Arena>(size);
  std::fill(arena->span().begin(), arena->span().end(), value);
  return arena;
}

TEST(CpuDevice, PlacedWeightsAreTheArenaItself) {
  const auto device = MakeCpuDevice();
  auto weights = Filled(48, 3);
  const auto placed = device->PlaceWeights(weights);
  EXPECT_EQ(placed->values().data_ptr<float>(), weights->data());
  EXPECT_EQ(placed->values().sizes(), torch::IntArrayRef({48}));
}

TEST(CpuDevice, AVersionStaysAsLongAsItsHandleOrATensorOfIt) {
  const auto device = MakeCpuDevice();
  auto weights = Filled(48, 3);
  const std::weak_ptr<Arena> watch = weights;
  auto placed = device->PlaceWeights(std::move(weights));
  EXPECT_FALSE(watch.expired());
  torch::Tensor part = placed->values().narrow(0, 8, 4);
  placed.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(part.sum().item<float>(), 12);
  part.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(CpuDevice, GradientsGatherInThePushArenaItself) {
  const auto device = MakeCpuDevice();
  auto arena = Filled(8, 5);
  const std::vector<ArenaRange> ranges = {{1, 2}, {6, 1}};
  auto gradients = device->OpenGradients(arena, ranges);
  EXPECT_EQ(gradients->values().data_ptr<float>(), arena->data());
  EXPECT_THAT(arena->span(), ElementsAre(5, 0, 0, 5, 5, 5, 0, 5));
  gradients->values()[2] = 7;
  EXPECT_EQ(arena->data()[2], 7);
  gradients->StartCopy();
  gradients->FinishCopy();
  EXPECT_THAT(arena->span(), ElementsAre(5, 0, 7, 5, 5, 5, 0, 5));
  gradients.reset();
  EXPECT_EQ(arena.use_count(), 1);
}

TEST(CpuDevice, TensorsOfTheHostAreUsedWhereTheyAre) {
  const auto device = MakeCpuDevice();
  const torch::Tensor host = torch::ones({3});
  EXPECT_EQ(device->Place(host).data_ptr(), host.data_ptr());
  EXPECT_EQ(device->PlaceConstant(host).data_ptr(), host.data_ptr());
  const HostBatch batch = device->NewBatch({2, 1, 1, 1});
  EXPECT_EQ(device->PlaceInputs(batch).labels.data_ptr(), batch.labels.data_ptr());
}

TEST(LoadExamples, TakesThemInTheOrderAskedFor) {
  ExampleArrays arrays;
  arrays.image_size = {1, 1, 2};
  arrays.classes = 3;
  arrays.pixels = {0, 255, 51, 102, 128, 1};
  arrays.labels = {2, 0, 1};
  const auto device = MakeCpuDevice();
  const auto batch = LoadExamples(MemoryDataset(arrays), {1, 0, 1}, *device);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(batch->image_bytes(), ElementsAre(51, 102, 0, 255, 51, 102));
  EXPECT_THAT(batch->label_values(), ElementsAre(0, 2, 0));
  const Inputs inputs = device->PlaceInputs(*batch);
  const float* images = inputs.images.data_ptr<float>();
  EXPECT_THAT(std::vector<float>(images, images + 6),
              ElementsAre(0.2F, 0.4F, 0.0F, 1.0F, 0.2F, 0.4F));
}

TEST(LoadExamples, SaysWhatCannotBeRead) {
  GeneratedOptions options;
  options.unreadable = 8;
  EXPECT_EQ(LoadExamples(GeneratedDataset(options), {7, 8}, *MakeCpuDevice()).status(),
            absl::NotFoundError("example 8: the file is gone"));
}

}  // namespace
}  // namespace conadv
