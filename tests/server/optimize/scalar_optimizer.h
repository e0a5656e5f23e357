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
    std::map<std::string, Vector> gradients;
    double square = 0;
    for (const TensorSpec& tensor : tensors) {
      const Vector& w = weights->at(tensor.name);
      const bool clean = in.has_clean && tensor.branch != Branch::kAuxiliary;
      const bool adversarial = in.has_adversarial && tensor.branch != Branch::kMain;
      if ((!clean && !adversarial) || RuleOf(tensor).frozen) continue;
      if (tensor.kind == TensorKind::kStatistic) {
        MoveStatistic(tensor, in, clean, adversarial, &weights->at(tensor.name));
        continue;
      }
      Vector& g = gradients[tensor.name];
      g.resize(w.size());
      for (size_t i = 0; i < w.size(); ++i) {
        if (clean) g[i] += in.clean_weight * At(in.clean, tensor, i) / in.clean_contributions;
        if (adversarial) {
          g[i] +=
              in.adversarial_weight * At(in.adversarial, tensor, i) / in.adversarial_contributions;
        }
        if (in.compensation > 0) {
          g[i] += in.compensation * g[i] * g[i] * (w[i] - At(in.used, tensor, i));
        }
      }
      square += Norm(g) * Norm(g);
    }
    for (const TensorSpec& tensor : tensors) {
      if (gradients.count(tensor.name) == 0) continue;
      Vector& g = gradients[tensor.name];
      if (options_.clip_norm > 0) ScaleDown(Norm(g), options_.clip_norm, &g);
      if (options_.global_clip_norm > 0) {
        ScaleDown(std::sqrt(square), options_.global_clip_norm, &g);
      }
      rate_ = static_cast<double>(in.rate) * in.step_scale;
      const TensorRule rule = RuleOf(tensor);
      decay_ = rule.weight_decay;
      has_ratio_ = rule.trust_ratio.value_or(tensor.kind == TensorKind::kWeight);
      is_weight_ = tensor.kind == TensorKind::kWeight;
      Vector& w = (*weights)[tensor.name];
      Vector& m = first_[tensor.name];
      Vector& v = second_[tensor.name];
      m.resize(w.size());
      v.resize(w.size());
      std::visit([&](const auto& move) { Move(move, g, &w, &m, &v); }, options_.rule);
    }
  }

 private:
  static double At(const Values& values, const TensorSpec& tensor, size_t i) {
    return values.at(tensor.name)[i];
  }

  static void ScaleDown(double norm, double most, Vector* g) {
    if (norm <= most) return;
    for (double& x : *g) x *= most / norm;
  }

  void MoveStatistic(const TensorSpec& tensor, const Gradients& in, bool clean, bool adversarial,
                     Vector* w) const {
    for (size_t i = 0; i < w->size(); ++i) {
      const double sum =
          (clean ? At(in.clean, tensor, i) : 0) + (adversarial ? At(in.adversarial, tensor, i) : 0);
      const double count =
          (clean ? in.clean_contributions : 0) + (adversarial ? in.adversarial_contributions : 0);
      const double part =
          tensor.momentum > 0 ? tensor.momentum : 1.0 / (static_cast<double>(tensor.batches) + t_);
      (*w)[i] += part * (sum / count - (*w)[i]);
    }
  }

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
