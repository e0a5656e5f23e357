// SPDX-License-Identifier: Apache-2.0
// The oracle: every rule once more, in plain double arithmetic, element by element, from the
// papers' formulas.
#ifndef CONADV_TESTS_SERVER_OPTIMIZE_SCALAR_OPTIMIZER_H_
#define CONADV_TESTS_SERVER_OPTIMIZE_SCALAR_OPTIMIZER_H_

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/tensor/layout.h"
#include "server/optimize/optimizer.h"
#include "tests/server/optimize/shard_model.h"

namespace conadv {

class ScalarOptimizer {
 public:
  using Vector = std::vector<double>;

  explicit ScalarOptimizer(const OptimizerOptions& options) : options_(options) {}

  // Moves `weights` of the tensors.
  void Apply(const std::vector<TensorSpec>& tensors, const Gradients& in,
             std::map<std::string, Vector>* weights) {
    ++t_;
    for (const TensorSpec& tensor : tensors) {
      Vector& w = (*weights)[tensor.name];
      const bool clean = in.has_clean && tensor.branch != Branch::kAuxiliary;
      const bool adversarial = in.has_adversarial && tensor.branch != Branch::kMain;
      const TensorRule rule = RuleOf(tensor);
      if ((!clean && !adversarial) || rule.frozen) continue;
      const auto at = [&](const Values& values, size_t i) -> double {
        return values.at(tensor.name)[i];
      };
      Vector g(w.size());
      for (size_t i = 0; i < w.size(); ++i) {
        if (tensor.kind == TensorKind::kStatistic) {
          const double sum =
              (clean ? at(in.clean, i) : 0) + (adversarial ? at(in.adversarial, i) : 0);
          const double count = (clean ? in.clean_contributions : 0) +
                               (adversarial ? in.adversarial_contributions : 0);
          const double part = tensor.momentum > 0
                                  ? tensor.momentum
                                  : 1.0 / (static_cast<double>(tensor.batches) + t_);
          w[i] += part * (sum / count - w[i]);
          continue;
        }
        if (clean) g[i] += in.clean_weight * at(in.clean, i) / in.clean_contributions;
        if (adversarial) {
          g[i] += in.adversarial_weight * at(in.adversarial, i) / in.adversarial_contributions;
        }
        if (in.compensation > 0) g[i] += in.compensation * g[i] * g[i] * (w[i] - at(in.used, i));
      }
      if (tensor.kind == TensorKind::kStatistic) continue;
      const double norm = Norm(g);
      if (options_.clip_norm > 0 && norm > options_.clip_norm) {
        for (double& x : g) x *= options_.clip_norm / norm;
      }
      rate_ = static_cast<double>(in.rate) * in.step_scale;
      decay_ = rule.weight_decay;
      has_ratio_ = rule.trust_ratio.value_or(tensor.kind == TensorKind::kWeight);
      is_weight_ = tensor.kind == TensorKind::kWeight;
      Vector& m = first_[tensor.name];
      Vector& v = second_[tensor.name];
      m.resize(w.size());
      v.resize(w.size());
      std::visit([&](const auto& move) { Move(move, g, &w, &m, &v); }, options_.rule);
    }
  }

 private:
  // Only whole names, here.
  TensorRule RuleOf(const TensorSpec& tensor) const {
    const std::string prefix = "auxiliary.";
    const bool twin = tensor.branch == Branch::kAuxiliary;
    const std::string name = twin ? tensor.name.substr(prefix.size()) : tensor.name;
    for (const TensorRule& rule : options_.tensors) {
      if (rule.pattern == name) return rule;
    }
    return {};
  }
  template <class Options>
  double DecayOf(const Options& o) const {
    return decay_.value_or(is_weight_ ? o.weight_decay : 0);
  }

  static double Norm(const Vector& x) {
    double sum = 0;
    for (const double value : x) sum += value * value;
    return std::sqrt(sum);
  }

  void Move(const SgdOptions& o, const Vector& g, Vector* w, Vector* m, Vector*) const {
    for (size_t i = 0; i < g.size(); ++i) {
      const double d = g[i] + DecayOf(o) * (*w)[i];
      (*m)[i] = o.momentum * (*m)[i] + d;
      (*w)[i] -= rate_ * (o.nesterov ? d + o.momentum * (*m)[i] : (*m)[i]);
    }
  }

  void Move(const LarsOptions& o, const Vector& g, Vector* w, Vector* m, Vector*) const {
    const double decay = DecayOf(o);
    double ratio = 1;
    if (has_ratio_ && Norm(*w) > 0 && Norm(g) > 0) {
      ratio = o.trust * Norm(*w) / (Norm(g) + decay * Norm(*w));
    }
    for (size_t i = 0; i < g.size(); ++i) {
      (*m)[i] = o.momentum * (*m)[i] + rate_ * ratio * (g[i] + decay * (*w)[i]);
      (*w)[i] -= (*m)[i];
    }
  }

  template <class Options>
  Vector AdamStep(const Options& o, const Vector& g, Vector* m, Vector* v) const {
    const double beta1 = o.beta1;
    const double beta2 = o.beta2;
    Vector step(g.size());
    for (size_t i = 0; i < g.size(); ++i) {
      (*m)[i] = beta1 * (*m)[i] + (1 - beta1) * g[i];
      (*v)[i] = beta2 * (*v)[i] + (1 - beta2) * g[i] * g[i];
      const double corrected_m = (*m)[i] / (1 - std::pow(beta1, t_));
      const double corrected_v = (*v)[i] / (1 - std::pow(beta2, t_));
      step[i] = corrected_m / (std::sqrt(corrected_v) + o.epsilon);
    }
    return step;
  }

  void Move(const AdamWOptions& o, const Vector& g, Vector* w, Vector* m, Vector* v) const {
    const Vector step = AdamStep(o, g, m, v);
    for (size_t i = 0; i < g.size(); ++i) {
      (*w)[i] -= rate_ * (DecayOf(o) * (*w)[i] + step[i]);
    }
  }

  void Move(const LambOptions& o, const Vector& g, Vector* w, Vector* m, Vector* v) const {
    Vector step = AdamStep(o, g, m, v);
    for (size_t i = 0; i < g.size(); ++i) step[i] += DecayOf(o) * (*w)[i];
    double ratio = 1;
    if (has_ratio_ && Norm(*w) > 0 && Norm(step) > 0) ratio = Norm(*w) / Norm(step);
    for (size_t i = 0; i < g.size(); ++i) (*w)[i] -= rate_ * ratio * step[i];
  }

  const OptimizerOptions options_;
  int t_ = 0;
  double rate_ = 0;
  // Of the tensor in hand.
  std::optional<float> decay_;
  bool has_ratio_ = false;
  bool is_weight_ = false;
  std::map<std::string, Vector> first_;
  std::map<std::string, Vector> second_;
};

// The largest |got − expected| relative to the tensor's largest value.
inline double WorstError(const Values& got,
                         const std::map<std::string, std::vector<double>>& expected) {
  double worst = 0;
  for (const auto& [name, values] : expected) {
    double largest = 1e-30;
    for (const double value : values) largest = std::max(largest, std::fabs(value));
    for (size_t i = 0; i < values.size(); ++i) {
      const double error = std::fabs(got.at(name)[i] - values[i]) / largest;
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
  }
  return worst;
}

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_OPTIMIZE_SCALAR_OPTIMIZER_H_
