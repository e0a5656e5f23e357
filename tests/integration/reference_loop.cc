// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/reference_loop.h"

#include <algorithm>
#include <utility>

namespace conadv::reference {
namespace {

bool IsStatistic(const std::string& name) { return name.find("running_") != std::string::npos; }
bool IsNorm(const std::string& name) { return name.find("norm") != std::string::npos; }

// The mlp: flatten, (linear, BatchNorm, relu) twice, linear. `branch` is "" or "auxiliary.".
torch::Tensor Forward(const Weights& weights, const Options& options, const std::string& branch,
                      const torch::Tensor& images, bool training, Weights* batch_statistics) {
  torch::Tensor x = ((images - options.mean) / options.deviation).flatten(1);
  for (const std::string layer : {"1", "2"}) {
    x = torch::matmul(x, weights.at("linear" + layer + ".weight").t());
    const std::string norm = branch + "norm" + layer;
    if (training) {
      (*batch_statistics)[norm + ".running_mean"] = x.detach().mean(0);
      (*batch_statistics)[norm + ".running_var"] = x.detach().var(0, /*unbiased=*/true);
    }
    x = torch::batch_norm(x, weights.at(norm + ".weight"), weights.at(norm + ".bias"),
                          weights.at(norm + ".running_mean").clone(),
                          weights.at(norm + ".running_var").clone(), training, 0.1, 1e-5, false);
    x = torch::relu(x);
  }
  return torch::matmul(x, weights.at("classify.weight").t()) + weights.at("classify.bias");
}

torch::Tensor Attack(const Weights& weights, const Options& options, const std::string& branch,
                     const Examples& examples) {
  const torch::Tensor x = examples.images.clone().requires_grad_(true);
  const torch::Tensor loss = torch::nll_loss(
      torch::log_softmax(Forward(weights, options, branch, x, /*training=*/false, nullptr), 1),
      examples.labels, {}, at::Reduction::Sum);
  torch::Tensor step = torch::autograd::grad({loss}, {x})[0];
  if (options.attack == "SIGN") step = step.sign();
  if (options.attack == "L2") step = step / step.flatten(1).norm(2, 1).view({-1, 1, 1, 1});
  return (examples.images + options.step_size * step).clamp(0, 1).detach();
}

// Adds the pass's mean gradients to `gradients` and its statistics to `statistics`.
void AddPass(const Weights& weights, const Options& options, const std::string& branch,
             const Examples& examples, Weights* gradients, Weights* statistics,
             std::map<std::string, int>* passes) {
  Weights leaves;
  std::vector<std::string> names;
  std::vector<torch::Tensor> inputs;
  for (const auto& [name, tensor] : weights) {
    leaves[name] = tensor.detach().clone();
    const bool auxiliary = name.rfind("auxiliary.", 0) == 0;
    const bool takes_part = IsNorm(name) ? auxiliary == !branch.empty() : true;
    if (IsStatistic(name) || !takes_part) continue;
    leaves[name].requires_grad_(true);
    names.push_back(name);
    inputs.push_back(leaves[name]);
  }
  Weights batch;
  const torch::Tensor logits = Forward(leaves, options, branch, examples.images, true, &batch);
  const torch::Tensor loss = torch::nll_loss(torch::log_softmax(logits, 1), examples.labels);
  const auto grads = torch::autograd::grad({loss}, inputs);
  for (size_t i = 0; i < names.size(); ++i) {
    torch::Tensor& sum = (*gradients)[names[i]];
    sum = sum.defined() ? sum + grads[i] : grads[i];
  }
  for (const auto& [name, value] : batch) {
    torch::Tensor& sum = (*statistics)[name];
    sum = sum.defined() ? sum + value : value;
    ++(*passes)[name];
  }
}

// arXiv 1708.03888 (LARS), or SGD with momentum as PyTorch documents it.
void Update(const Options& options, const Weights& gradients, Weights* weights, Weights* momentum) {
  for (const auto& [name, sum] : gradients) {
    torch::Tensor& w = weights->at(name);
    torch::Tensor& m = (*momentum)[name];
    if (!m.defined()) m = torch::zeros_like(w);
    const bool decays = !IsNorm(name) && name.find("bias") == std::string::npos;
    const double decay = decays ? options.weight_decay : 0;
    const torch::Tensor g = sum / options.slots;
    if (options.lars) {
      const double w_norm = w.norm().item<double>();
      const double g_norm = g.norm().item<double>();
      const double ratio = decays && w_norm > 0 && g_norm > 0
                               ? options.trust * w_norm / (g_norm + options.weight_decay * w_norm)
                               : 1;
      m = options.momentum * m + options.rate * ratio * (g + decay * w);
      w = w - m;
    } else {
      m = options.momentum * m + g + decay * w;
      w = w - options.rate * m;
    }
  }
}

}  // namespace

Weights Train(const Weights& initial, const std::vector<std::vector<Examples>>& slots,
              const Options& options) {
  std::vector<Weights> versions = {initial};
  Weights momentum;
  const std::string branch = options.mixture ? "auxiliary." : "";
  for (int step = 0; step < options.steps; ++step) {
    const Weights& current = versions[step];
    const Weights& stale = versions[std::max(0, step - options.tau)];
    Weights gradients;
    Weights statistics;
    std::map<std::string, int> passes;
    for (const Examples& examples : slots[step]) {
      AddPass(current, options, "", examples, &gradients, &statistics, &passes);
      if (!options.adversarial) continue;
      const Examples attacked{Attack(stale, options, branch, examples), examples.labels};
      AddPass(current, options, branch, attacked, &gradients, &statistics, &passes);
    }
    Weights next = current;
    Update(options, gradients, &next, &momentum);
    for (const auto& [name, sum] : statistics) {
      next[name] = current.at(name) + 0.1 * (sum / passes[name] - current.at(name));
    }
    versions.push_back(std::move(next));
  }
  return versions.back();
}

}  // namespace conadv::reference
