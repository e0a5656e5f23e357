// SPDX-License-Identifier: Apache-2.0
// The built-in architectures, as TorchScript modules without initial weights: one kind of model,
// whoever made it, and one file format that it leaves. Pixels come normalised.
#ifndef CONADV_WORKER_MODEL_BUILTIN_ARCHITECTURES_H_
#define CONADV_WORKER_MODEL_BUILTIN_ARCHITECTURES_H_

#include <cstdint>

#include "common/job/job.h"
#include "worker/model/network.h"
#include "worker/model/script/layers.h"

namespace conadv {

// Two hidden layers of `width` units with BatchNorm.
ScriptModule Mlp(int64_t width, const ImageShape& shape);
// Three convolutions that each halve the image, `width` channels in the first. REQUIRES: images of
// 8 × 8 pixels or more.
ScriptModule Convnet(int64_t width, const ImageShape& shape);

// He et al. 2015 (arXiv 1512.03385), section 4.2: three stages of three basic blocks, shortcuts
// without parameters (option A). `width` is 16 in the paper.
ScriptModule ResNet20(int64_t width, const ImageShape& shape);
// The same paper's table 1, tensors named and shaped as torchvision's; `width` is 64 there. The
// CIFAR stem is one 3 × 3 convolution and no pooling. A bottleneck's stride is that of its 3 × 3
// convolution ("v1.5"; Goyal et al. 2017, arXiv 1706.02677, section 5.1).
ScriptModule ResNet18(int64_t width, Stem stem, const ImageShape& shape);
ScriptModule ResNet50(int64_t width, Stem stem, const ImageShape& shape);
// He et al. 2016 (arXiv 1603.05027), as Rice et al. 2020 (arXiv 2002.11569) train it on CIFAR, with
// their names; `width` is 64 there.
ScriptModule PreActResNet18(int64_t width, const ImageShape& shape);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_BUILTIN_ARCHITECTURES_H_
