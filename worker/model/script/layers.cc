// SPDX-License-Identifier: Apache-2.0
#include "worker/model/script/layers.h"

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

void AddParameter(ScriptModule* module, const std::string& name, torch::IntArrayRef shape,
                  float value) {
  module->register_parameter(name, torch::full(shape, value).set_requires_grad(true),
                             /*is_buffer=*/false);
}

std::string Twice(int64_t value) { return absl::StrCat("[", value, ", ", value, "]"); }

}  // namespace

ScriptModule Layers::New(const std::string& name) const {
  ScriptModule module("__torch__.conadv." + name, types_, /*shouldMangle=*/true);
  module.register_attribute("training", c10::BoolType::get(), true);
  return module;
}

ScriptModule Layers::New(const std::string& name, const Children& children,
                         const std::string& body) const {
  ScriptModule module = New(name);
  for (const auto& [child, child_module] : children) module.register_module(child, child_module);
  module.define(absl::StrCat("def forward(self, x):\n", body));
  return module;
}

ScriptModule Layers::Sequential(const std::vector<ScriptModule>& children) const {
  Children named;
  std::string body;
  for (size_t i = 0; i < children.size(); ++i) {
    named.emplace_back(absl::StrCat(i), children[i]);
    absl::StrAppend(&body, "  x = getattr(self, \"", i, "\").forward(x)\n");
  }
  return New("Sequential", named, absl::StrCat(body, "  return x\n"));
}

ScriptModule Layers::Conv2d(const Conv2dOptions& options) const {
  ScriptModule module = New("Conv2d");
  AddParameter(&module, "weight", {options.out, options.in, options.kernel, options.kernel}, 0);
  module.define(absl::StrCat("def forward(self, x):\n  return torch.conv2d(x, self.weight, None, ",
                             Twice(options.stride), ", ", Twice(options.padding), ")\n"));
  return module;
}

ScriptModule Layers::BatchNorm(int64_t features, float weight) const {
  ScriptModule module = New("BatchNorm");
  AddParameter(&module, "weight", {features}, weight);
  AddParameter(&module, "bias", {features}, 0);
  module.register_buffer("running_mean", torch::zeros({features}));
  module.register_buffer("running_var", torch::ones({features}));
  module.register_buffer("num_batches_tracked", torch::zeros({}, torch::kInt64));
  module.define(R"(
def forward(self, x):
  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, 0.1, 1e-5, True)
)");
  return module;
}

ScriptModule Layers::Linear(int64_t in, int64_t out, bool bias) const {
  ScriptModule module = New("Linear");
  AddParameter(&module, "weight", {out, in}, 0);
  if (bias) AddParameter(&module, "bias", {out}, 0);
  module.define(absl::StrCat("def forward(self, x):\n  return torch.linear(x, self.weight, ",
                             bias ? "self.bias" : "None", ")\n"));
  return module;
}

}  // namespace conadv
