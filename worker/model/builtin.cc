// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "worker/model/network.h"

namespace conadv {
namespace {

namespace nn = torch::nn;

// The convnet's three blocks each halve the image.
constexpr int64_t kLeastConvnetImage = 8;

// A chain of layers behind the normalisation of pixels.
class SequentialNetwork : public Network {
 public:
  SequentialNetwork(nn::Sequential layers, float mean, float deviation)
      : layers_(std::move(layers)), scale_(1 / deviation), shift_(-mean / deviation) {
    for (const auto& layer : layers_->named_children()) {
      const auto* norm2d = layer.value()->as<nn::BatchNorm2d>();
      const auto* norm1d = layer.value()->as<nn::BatchNorm1d>();
      const bool batch_norm = norm2d != nullptr || norm1d != nullptr;
      for (const auto& parameter : layer.value()->named_parameters()) {
        const bool decays = !batch_norm && parameter.key() != "bias";
        tensors_.push_back({Name(layer.key(), parameter.key()), parameter.value(), batch_norm,
                            /*statistic=*/false, decays, /*momentum=*/0});
      }
      if (!batch_norm) continue;
      const double momentum =
          norm2d != nullptr ? *norm2d->options.momentum() : *norm1d->options.momentum();
      for (const auto& buffer : layer.value()->named_buffers()) {
        // It counts passes and has no part in them while the momentum is a constant.
        if (buffer.key() == "num_batches_tracked") continue;
        tensors_.push_back({Name(layer.key(), buffer.key()), buffer.value(), batch_norm,
                            /*statistic=*/true, /*decays=*/false, momentum});
      }
    }
  }

  torch::Tensor Forward(const torch::Tensor& images) override {
    return layers_->forward(images * scale_ + shift_);
  }
  const std::vector<NetworkTensor>& tensors() const override { return tensors_; }
  void SetTraining(bool training) override { layers_->train(training); }

 private:
  static std::string Name(const std::string& layer, const std::string& tensor) {
    return absl::StrCat(layer, ".", tensor);
  }

  nn::Sequential layers_;
  const float scale_;
  const float shift_;
  std::vector<NetworkTensor> tensors_;
};

nn::ReLU Relu() { return nn::ReLU(nn::ReLUOptions().inplace(true)); }

nn::Sequential Mlp(int64_t width, const ImageShape& shape) {
  nn::Sequential layers;
  int64_t inputs = shape.channels * shape.height * shape.width;
  layers->push_back("flatten", nn::Flatten());
  for (const char* i : {"1", "2"}) {
    // BatchNorm takes the mean away, so a bias before it would do nothing.
    layers->push_back(absl::StrCat("linear", i),
                      nn::Linear(nn::LinearOptions(inputs, width).bias(false)));
    layers->push_back(absl::StrCat("norm", i), nn::BatchNorm1d(width));
    layers->push_back(absl::StrCat("relu", i), Relu());
    inputs = width;
  }
  layers->push_back("classify", nn::Linear(inputs, shape.classes));
  return layers;
}

// Strides halve the image, not pooling: on a CPU a pass takes a third of the time.
nn::Sequential Convnet(int64_t width, const ImageShape& shape) {
  struct Block {
    int64_t filters;
    int64_t kernel;
  };
  nn::Sequential layers;
  int64_t channels = shape.channels;
  int64_t height = shape.height;
  int64_t columns = shape.width;
  int64_t number = 0;
  for (const Block& block : {Block{width, 5}, Block{2 * width, 3}, Block{4 * width, 3}}) {
    const std::string i = absl::StrCat(++number);
    layers->push_back("conv" + i,
                      nn::Conv2d(nn::Conv2dOptions(channels, block.filters, block.kernel)
                                     .stride(2)
                                     .padding(block.kernel / 2)
                                     .bias(false)));
    layers->push_back("norm" + i, nn::BatchNorm2d(block.filters));
    layers->push_back("relu" + i, Relu());
    channels = block.filters;
    height = (height + 1) / 2;
    columns = (columns + 1) / 2;
  }
  layers->push_back("flatten", nn::Flatten());
  layers->push_back("classify", nn::Linear(channels * height * columns, shape.classes));
  return layers;
}

// He's uniform initialisation (arXiv 1502.01852, eq. 10) for weights, the usual constants for the
// rest. Our own numbers, not LibTorch's: no other use of its generator moves them, and no
// mathematical library is in them.
void Initialize(Network& network, uint64_t seed) {
  torch::NoGradGuard no_grad;
  uint64_t index = 0;
  for (const NetworkTensor& to : network.tensors()) {
    torch::Tensor tensor = to.tensor;
    if (to.decays) {
      const double fan_in = static_cast<double>(tensor.numel() / tensor.size(0));
      const auto bound = static_cast<float>(std::sqrt(6.0 / fan_in));
      Random random(seed, Purpose::kInitialWeights, index);
      float* values = tensor.data_ptr<float>();
      for (int64_t i = 0; i < tensor.numel(); ++i) values[i] = (2 * random.NextFloat() - 1) * bound;
    } else if (!to.batch_norm) {
      tensor.zero_();
    }
    ++index;
  }
}

}  // namespace

absl::StatusOr<NetworkFactory> BuiltinFactory(const ModelOptions& model,
                                              const DatasetOptions& dataset,
                                              const ImageShape& shape, uint64_t seed) {
  nn::Sequential (*make)(int64_t, const ImageShape&) = nullptr;
  int64_t least = 1;
  if (model.builtin == "mlp") {
    make = Mlp;
  } else if (model.builtin == "convnet") {
    make = Convnet;
    least = kLeastConvnetImage;
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.builtin: there is no model \"", model.builtin, "\"; choose \"convnet\" or \"mlp\""));
  }
  if (shape.height < least || shape.width < least || shape.channels < 1 || shape.classes < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.builtin: \"", model.builtin, "\" needs images of at least ", least, "x", least,
        " pixels, 1 channel and 1 class; the data set has ", shape.height, "x", shape.width,
        " pixels, ", shape.channels, " channels and ", shape.classes, " classes"));
  }
  return NetworkFactory([=, width = static_cast<int64_t>(model.width), mean = dataset.mean,
                         deviation = dataset.deviation]() -> std::unique_ptr<Network> {
    auto network = std::make_unique<SequentialNetwork>(make(width, shape), mean, deviation);
    Initialize(*network, seed);
    return network;
  });
}

}  // namespace conadv
