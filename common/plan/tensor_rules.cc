// SPDX-License-Identifier: Apache-2.0
#include "common/plan/tensor_rules.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

size_t FirstMatch(const OptimizerOptions& options, const TensorSpec& tensor) {
  const absl::string_view name = MainName(tensor);
  const auto matches = [name](const TensorRule& rule) {
    return MatchesPattern(rule.pattern, name);
  };
  return static_cast<size_t>(std::find_if(options.tensors.begin(), options.tensors.end(), matches) -
                             options.tensors.begin());
}

// What a pattern finds.
struct Found {
  bool any = false;
  bool first = false;      // some tensor that no earlier pattern matches
  bool parameter = false;  // one of these is no statistic
};

std::vector<Found> Find(const OptimizerOptions& options, absl::Span<const TensorSpec> tensors) {
  std::vector<Found> found(options.tensors.size());
  for (const TensorSpec& tensor : tensors) {
    bool taken = false;
    for (size_t i = 0; i < found.size(); ++i) {
      if (!MatchesPattern(options.tensors[i].pattern, MainName(tensor))) continue;
      found[i].any = true;
      if (std::exchange(taken, true)) continue;
      found[i].first = true;
      found[i].parameter = found[i].parameter || tensor.kind != TensorKind::kStatistic;
    }
  }
  return found;
}

// Letters to insert, drop or replace until the name matches (Levenshtein, where * takes any text
// for nothing).
size_t Distance(absl::string_view pattern, absl::string_view name) {
  std::vector<size_t> row(name.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (const char letter : pattern) {
    size_t diagonal = row[0];
    if (letter != '*') ++row[0];
    for (size_t n = 1; n <= name.size(); ++n) {
      const size_t above = row[n];
      if (letter == '*') {
        row[n] = std::min(above, row[n - 1]);
      } else {
        const size_t replaced = diagonal + (letter == '?' || letter == name[n - 1] ? 0 : 1);
        row[n] = std::min({replaced, above + 1, row[n - 1] + 1});
      }
      diagonal = above;
    }
  }
  return row[name.size()];
}

absl::string_view NearestName(absl::string_view pattern, absl::Span<const TensorSpec> tensors) {
  absl::string_view nearest;
  size_t least = std::numeric_limits<size_t>::max();
  for (const TensorSpec& tensor : tensors) {
    const size_t distance = Distance(pattern, MainName(tensor));
    if (distance >= least) continue;
    least = distance;
    nearest = MainName(tensor);
  }
  return nearest;
}

}  // namespace

bool MatchesPattern(absl::string_view pattern, absl::string_view name) {
  size_t p = 0;
  size_t n = 0;
  // Where the last star stands, and how far its text goes by now.
  size_t star = absl::string_view::npos;
  size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == absl::string_view::npos;
}

absl::string_view MainName(const TensorSpec& tensor) {
  absl::string_view name = tensor.name;
  if (tensor.branch == Branch::kShared || tensor.branch == Branch::kMain) return name;
  return name.substr(name.find('.') + 1);
}

TensorTreatment TreatmentOf(const OptimizerOptions& options, const TensorSpec& tensor) {
  TensorTreatment treatment;
  if (tensor.kind == TensorKind::kWeight) {
    treatment.weight_decay =
        std::visit([](const auto& rule) { return rule.weight_decay; }, options.rule);
    treatment.trust_ratio = true;
  }
  const size_t index = FirstMatch(options, tensor);
  if (index == options.tensors.size()) return treatment;
  const TensorRule& rule = options.tensors[index];
  treatment.frozen = rule.frozen;
  if (tensor.kind == TensorKind::kStatistic) return treatment;
  treatment.weight_decay = rule.weight_decay.value_or(treatment.weight_decay);
  treatment.trust_ratio = rule.trust_ratio.value_or(treatment.trust_ratio);
  return treatment;
}

absl::Status CheckTensorRules(const OptimizerOptions& options,
                              absl::Span<const TensorSpec> tensors) {
  const std::vector<Found> found = Find(options, tensors);
  for (size_t i = 0; i < found.size(); ++i) {
    const TensorRule& rule = options.tensors[i];
    const auto refused = [&rule, i](absl::string_view why) {
      return absl::InvalidArgumentError(
          absl::StrCat("optimizer.tensors[", i, "].pattern: \"", rule.pattern, "\" ", why));
    };
    if (!found[i].any) {
      return refused(absl::StrCat("matches no tensor of the model; the nearest is ",
                                  NearestName(rule.pattern, tensors)));
    }
    if (!found[i].first) return refused("matches no tensor that an earlier pattern does not match");
    if (!found[i].parameter && (rule.weight_decay.has_value() || rule.trust_ratio.has_value())) {
      return refused("matches only statistics, which neither decay nor have a trust ratio");
    }
  }
  const bool trains = std::any_of(tensors.begin(), tensors.end(), [&](const TensorSpec& tensor) {
    return tensor.kind != TensorKind::kStatistic && !TreatmentOf(options, tensor).frozen;
  });
  if (!trains && !options.tensors.empty()) {
    return absl::InvalidArgumentError("optimizer.tensors: every parameter of the model is frozen");
  }
  return absl::OkStatus();
}

}  // namespace conadv
