// SPDX-License-Identifier: Apache-2.0
// How much each attack of the STANDARD suite may try: as AutoAttack's standard version has it
// (arXiv 2003.01690, section 6; https://github.com/fra31/auto-attack).
#ifndef CONADV_WORKER_EVALUATE_SUITE_BUDGET_H_
#define CONADV_WORKER_EVALUATE_SUITE_BUDGET_H_

#include <cstdint>

namespace conadv {

inline constexpr int kApgdSteps = 100;
// The most likely wrong classes that targeted APGD aims at, each with kApgdSteps.
inline constexpr int64_t kApgdTargets = 9;
inline constexpr int kSquareQueries = 5000;
// The share of the image that Square's first window has.
inline constexpr double kSquareShare = 0.8;

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_SUITE_BUDGET_H_
