// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/warnings.h"

#include "absl/strings/str_format.h"

namespace conadv {

std::vector<std::string> WarningsOf(const EvaluationSigns& signs) {
  std::vector<std::string> warnings;
  constexpr double kSame = 1e-4;
  if (signs.pass_difference > kSame) {
    warnings.push_back(
        absl::StrFormat("the model is randomised: two passes of the same images differ by %.2g of "
                        "the logits' norm; "
                        "attacks that do not average over its randomness are too weak",
                        signs.pass_difference));
  }
  if (signs.zero_gradients > 0) {
    warnings.push_back(absl::StrFormat(
        "the cross-entropy has no gradient at all on %d of %d images: attacks along it see nothing "
        "there; masked gradients, or logits too large for float32",
        signs.zero_gradients, signs.examples));
  }
  // In the order of strength: what comes after the first two should find next to nothing.
  constexpr double kNextToNothing = 0.002;
  constexpr size_t kStrongest = 2;
  for (size_t i = kStrongest; i < signs.attacks.size(); ++i) {
    const double found = signs.attacks[i - 1].accuracy - signs.attacks[i].accuracy;
    if (found <= kNextToNothing) continue;
    warnings.push_back(absl::StrFormat(
        "%s, a weaker attack, still lowers the accuracy by %.4f after %s: gradients may be masked, "
        "and the true accuracy be lower",
        signs.attacks[i].name, found, signs.attacks[i - 1].name));
  }
  return warnings;
}

}  // namespace conadv
