// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/model/builtin/architectures.h"

namespace conadv {

ScriptModule Mlp(int64_t width, const ImageShape& shape) {
  // BatchNorm takes the mean away, so a bias before it would do nothing.
  const Layers make;
  const int64_t inputs = shape.channels * shape.height * shape.width;
  return make.New("Mlp",
                  {{"linear1", make.Linear(inputs, width, /*bias=*/false)},
                   {"norm1", make.BatchNorm(width)},
                   {"linear2", make.Linear(width, width, /*bias=*/false)},
                   {"norm2", make.BatchNorm(width)},
                   {"classify", make.Linear(width, shape.classes, /*bias=*/true)}},
                  "  x = torch.flatten(x, 1)\n"
                  "  x = torch.relu_(self.norm1.forward(self.linear1.forward(x)))\n"
                  "  x = torch.relu_(self.norm2.forward(self.linear2.forward(x)))\n"
                  "  return self.classify.forward(x)\n");
}

// Strides halve the image, not pooling: on a CPU a pass takes a third of the time.
ScriptModule Convnet(int64_t width, const ImageShape& shape) {
  struct Block {
    int64_t filters;
    int64_t kernel;
  };
  const Layers make;
  Layers::Children children;
  std::string body;
  int64_t channels = shape.channels, height = shape.height, columns = shape.width, number = 0;
  for (const Block& block : {Block{width, 5}, Block{2 * width, 3}, Block{4 * width, 3}}) {
    const std::string i = absl::StrCat(++number);
    children.emplace_back(
        "conv" + i, make.Conv2d({channels, block.filters, block.kernel, 2, block.kernel / 2}));
    children.emplace_back("norm" + i, make.BatchNorm(block.filters));
    absl::StrAppend(&body, "  x = torch.relu_(self.norm", i, ".forward(self.conv", i,
                    ".forward(x)))\n");
    channels = block.filters;
    height = (height + 1) / 2;
    columns = (columns + 1) / 2;
  }
  children.emplace_back("classify", make.Linear(channels * height * columns, shape.classes, true));
  return make.New("Convnet", children,
                  absl::StrCat(body, "  return self.classify.forward(torch.flatten(x, 1))\n"));
}

}  // namespace conadv
