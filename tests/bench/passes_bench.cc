// SPDX-License-Identifier: Apache-2.0
// One thread's clean pass and attack of built-in models on the CPU: in both precisions, with
// channels first and last. For ratios: --benchmark_enable_random_interleaving=true
// --benchmark_repetitions=5 --benchmark_time_unit=ms.
#include <benchmark/benchmark.h>
#include <glog/logging.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "worker/attack/attack.h"
#include "worker/compute/gradients.h"
#include "worker/device/cpu_device.h"
#include "worker/model/builtin/builtin.h"
#include "worker/model/script/script_network.h"

namespace conadv {
namespace {

struct Subject {
  std::string builtin;
  uint32_t width = 0;
  ImageShape shape;
  bool chosen = false;  // whether conadv would take channels last
};

constexpr int64_t kBatch = 64;

std::unique_ptr<Replica> MakeReplica(Subject* subject, Pass pass, Precision precision,
                                     bool channels_last, Device* device) {
  ModelOptions options;
  options.builtin = subject->builtin;
  options.width = subject->width;
  options.stem = Stem::kCifar;
  const ScriptModule module = MakeBuiltin(options, subject->shape, 1).value();
  ScriptTraits traits = ProbeScript(module, subject->shape).value();
  subject->chosen = traits.channels_last;
  traits.channels_last = channels_last;
  const NetworkFactory factory = ScriptFactory(module, traits, {{0.5F}, {0.5F}});
  auto network = factory();
  const auto layout =
      std::make_shared<const Layout>(Layout::Create(TensorsOf(*network, {}), 1).value());
  auto weights = std::make_shared<Arena>(layout->total_size());
  CopyInitialWeights(*network, *layout, weights->span());
  auto replica = std::make_unique<Replica>(std::move(network), layout, pass, device, precision);
  replica->BindWeights(std::move(weights));
  return replica;
}

void Run(benchmark::State& state, Subject subject, Pass pass, Precision precision,
         bool channels_last) {
  const auto device = MakeCpuDevice();
  device->PrepareThread();
  const ImageShape& shape = subject.shape;
  const torch::Tensor images = torch::rand({kBatch, shape.channels, shape.height, shape.width});
  const torch::Tensor labels = torch::randint(shape.classes, {kBatch}, torch::kInt64);
  const auto replica = MakeReplica(&subject, pass, precision, channels_last, device.get());
  const auto gradients = std::make_shared<Arena>(replica->layout().total_size());
  AttackOptions attack;
  attack.step_size = attack.epsilon = 4.0F / 255;
  attack.steps = 1;
  for (auto _ : state) {
    if (pass == Pass::kAttack) {
      benchmark::DoNotOptimize(
          MakeAdversarial(*replica, images, labels, shape.classes, attack, 0, AttackSeed()));
    } else {
      benchmark::DoNotOptimize(ComputeGradients(*replica, images, labels, 0, gradients).loss);
    }
  }
  state.counters["images"] = benchmark::Counter(static_cast<double>(state.iterations() * kBatch),
                                                benchmark::Counter::kIsRate);
  state.SetLabel(subject.chosen == channels_last ? "conadv's order" : "");
}

void Register() {
  const ImageShape cifar{3, 32, 32, 10}, mnist{1, 28, 28, 10};
  for (const Subject& subject : {Subject{"resnet20", 16, cifar}, Subject{"resnet20", 32, cifar},
                                 Subject{"resnet18", 16, cifar}, Subject{"resnet18", 64, cifar},
                                 Subject{"convnet", 16, mnist}, Subject{"mlp", 128, mnist}}) {
    for (const Pass pass : {Pass::kClean, Pass::kAttack}) {
      for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
        for (const bool channels_last : {false, true}) {
          benchmark::RegisterBenchmark(
              absl::StrCat(subject.builtin, "/", subject.width,
                           pass == Pass::kClean ? "/clean" : "/attack",
                           precision == Precision::kFp32 ? "/fp32" : "/bf16",
                           channels_last ? "/channels_last" : "/channels_first")
                  .c_str(),
              [=](benchmark::State& state) { Run(state, subject, pass, precision, channels_last); })
              ->Unit(benchmark::kMillisecond);
        }
      }
    }
  }
}

const bool kRegistered = (Register(), true);

}  // namespace
}  // namespace conadv
