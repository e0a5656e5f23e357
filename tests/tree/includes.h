// SPDX-License-Identifier: Apache-2.0
// Who uses a library's name includes the header that has it: what a library's own headers include
// besides changes from one release to the next. One of our headers may do it for the files that
// include that one. Pure functions, thread-safe.
#ifndef CONADV_TESTS_TREE_INCLUDES_H_
#define CONADV_TESTS_TREE_INCLUDES_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/tree/rules.h"

namespace conadv::tree {

// Headers, the first of them the one to take, that each promise all of these names; a name that
// ends with * stands for all that begin so.
struct Home {
  const char* headers;
  const char* names;
};

inline constexpr Home kHomes[] = {
    {"absl/base/thread_annotations.h",
     "ABSL_GUARDED_BY ABSL_PT_GUARDED_BY ABSL_EXCLUSIVE_LOCKS_REQUIRED ABSL_LOCKS_EXCLUDED "
     "ABSL_NO_THREAD_SAFETY_ANALYSIS ABSL_SCOPED_LOCKABLE ABSL_LOCKABLE"},
    {"absl/cleanup/cleanup.h", "absl::Cleanup"},
    {"absl/container/flat_hash_map.h", "absl::flat_hash_map"},
    {"absl/container/flat_hash_set.h", "absl::flat_hash_set"},
    {"absl/flags/flag.h", "ABSL_FLAG absl::GetFlag absl::SetFlag"},
    {"absl/hash/hash.h", "absl::Hash absl::HashOf"},
    {"absl/numeric/int128.h", "absl::uint128 absl::int128"},
    {"absl/status/status.h absl/status/statusor.h",
     "absl::Status absl::StatusCode* absl::OkStatus absl::AbortedError absl::AlreadyExistsError "
     "absl::CancelledError absl::DataLossError absl::DeadlineExceededError absl::InternalError "
     "absl::FailedPreconditionError absl::InvalidArgumentError absl::NotFoundError "
     "absl::OutOfRangeError absl::PermissionDeniedError absl::ResourceExhaustedError "
     "absl::UnavailableError absl::UnimplementedError absl::UnknownError absl::Is*"},
    {"absl/status/statusor.h", "absl::StatusOr"},
    {"absl/strings/ascii.h",
     "absl::Ascii* absl::ascii_* absl::StripAsciiWhitespace absl::StripLeadingAsciiWhitespace "
     "absl::StripTrailingAsciiWhitespace"},
    {"absl/strings/escaping.h", "absl::CEscape absl::CHexEscape absl::Utf8SafeCEscape"},
    {"absl/strings/match.h",
     "absl::StrContains absl::StartsWith absl::EndsWith absl::EqualsIgnoreCase"},
    {"absl/strings/numbers.h", "absl::SimpleAto* absl::SimpleHexAtoi"},
    {"absl/strings/str_cat.h", "absl::StrCat absl::StrAppend absl::Hex absl::Dec absl::AlphaNum"},
    {"absl/strings/str_format.h", "absl::StrFormat absl::StrAppendFormat"},
    {"absl/strings/str_join.h", "absl::StrJoin"},
    {"absl/strings/str_replace.h", "absl::StrReplaceAll"},
    {"absl/strings/str_split.h",
     "absl::StrSplit absl::SkipEmpty absl::SkipWhitespace absl::MaxSplits absl::ByAnyChar"},
    {"absl/strings/string_view.h", "absl::string_view"},
    {"absl/strings/strip.h",
     "absl::ConsumePrefix absl::ConsumeSuffix absl::StripPrefix absl::StripSuffix"},
    {"absl/time/clock.h", "absl::Now"},
    {"absl/time/time.h",
     "absl::Duration absl::Time absl::Nanoseconds absl::Microseconds absl::Milliseconds "
     "absl::Seconds absl::Minutes absl::Hours absl::ZeroDuration absl::InfiniteDuration "
     "absl::InfiniteFuture absl::InfinitePast absl::ToDouble* absl::ToInt64* absl::ToUnix* "
     "absl::FromUnix* absl::FormatDuration absl::FormatTime"},
    {"absl/types/span.h", "absl::Span absl::MakeSpan absl::MakeConstSpan"},
    {"glog/logging.h", "LOG LOG_IF LOG_EVERY_N VLOG CHECK CHECK_* DCHECK DCHECK_*"},
    {"algorithm",
     "std::adjacent_find std::all_of std::any_of std::binary_search std::clamp std::copy "
     "std::copy_n std::count std::count_if std::equal std::equal_range std::fill std::fill_n "
     "std::find std::find_if std::find_if_not std::for_each std::generate std::includes "
     "std::is_sorted std::lower_bound std::max std::max_element std::min std::min_element "
     "std::minmax std::minmax_element std::mismatch std::none_of std::nth_element std::partition "
     "std::remove_if std::replace std::reverse std::rotate std::search std::shuffle std::sort "
     "std::stable_sort std::swap_ranges std::transform std::unique std::upper_bound"},
    {"array", "std::array"},
    {"atomic", "std::atomic* std::memory_order*"},
    {"cerrno errno.h", "errno"},
    {"chrono", "std::chrono"},
    {"cmath",
     "std::abs std::ceil std::cos std::exp std::fabs std::floor std::fmod std::frexp std::hypot "
     "std::isfinite std::isinf std::isnan std::ldexp std::log std::log10 std::log2 std::lround "
     "std::nextafter std::pow std::round std::sin std::sqrt std::tanh"},
    {"condition_variable", "std::condition_variable* std::cv_status"},
    {"csignal", "std::signal std::raise"},
    {"cstdint",
     "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t intptr_t"},
    {"cstdio",
     "std::fclose std::fflush std::fopen std::fprintf std::fputs std::fwrite std::perror "
     "std::printf std::puts std::rename std::snprintf std::FILE"},
    {"cstdlib", "std::_Exit std::abort std::exit std::free std::getenv std::malloc std::strtod"},
    {"cstring",
     "std::memchr std::memcmp std::memcpy std::memmove std::memset std::strcmp std::strerror "
     "std::strlen std::strncmp"},
    {"deque", "std::deque"},
    {"exception", "std::exception* std::current_exception std::rethrow_exception"},
    {"filesystem", "std::filesystem"},
    {"fstream", "std::fstream std::ifstream std::ofstream"},
    {"functional", "std::function std::greater std::less std::plus std::ref std::cref"},
    {"future", "std::async std::future* std::packaged_task std::promise"},
    {"initializer_list", "std::initializer_list"},
    {"iomanip", "std::setfill std::setprecision std::setw"},
    {"ios iostream fstream sstream", "std::ios std::streamsize"},
    {"iostream", "std::cerr std::cin std::clog std::cout"},
    {"iterator",
     "std::advance std::back_inserter std::distance std::inserter std::istreambuf_iterator "
     "std::make_move_iterator std::next std::prev"},
    {"limits", "std::numeric_limits"},
    {"list", "std::list"},
    {"map", "std::map std::multimap"},
    {"memory",
     "std::make_shared std::make_unique std::shared_ptr std::unique_ptr std::weak_ptr "
     "std::enable_shared_from_this std::static_pointer_cast std::dynamic_pointer_cast"},
    {"mutex",
     "std::call_once std::lock_guard std::mutex std::once_flag std::scoped_lock std::unique_lock"},
    {"new", "std::align_val_t std::bad_alloc std::nothrow*"},
    {"numeric", "std::accumulate std::gcd std::inner_product std::iota"},
    {"optional", "std::make_optional std::nullopt* std::optional"},
    {"ostream iostream fstream sstream", "std::ostream"},
    {"queue", "std::priority_queue std::queue"},
    {"random",
     "std::bernoulli_distribution std::minstd_rand* std::mt19937* std::normal_distribution "
     "std::random_device std::uniform_*"},
    {"set", "std::multiset std::set"},
    {"sstream", "std::istringstream std::ostringstream std::stringstream"},
    {"stdexcept", "std::invalid_argument std::logic_error std::runtime_error"},
    {"string", "std::getline std::stoi std::string std::to_string"},
    {"string_view", "std::string_view"},
    {"system_error filesystem", "std::errc std::error_code"},
    {"thread", "std::this_thread std::thread"},
    {"tuple", "std::forward_as_tuple std::make_tuple std::tie std::tuple*"},
    {"type_traits",
     "std::conditional* std::decay* std::enable_if* std::invoke_result* std::is_same* "
     "std::is_trivially* std::remove_cv* std::remove_reference*"},
    {"unordered_map", "std::unordered_map"},
    {"unordered_set", "std::unordered_set"},
    {"utility",
     "std::declval std::exchange std::forward std::index_sequence* std::make_pair std::move "
     "std::pair std::swap"},
    {"variant", "std::get_if std::holds_alternative std::monostate std::variant* std::visit"},
    {"vector", "std::vector"},
};

// The home of a name, or null.
inline const Home* HomeOf(const std::string& name) {
  static const auto* const kHomeOf = [] {
    auto* homes = new std::map<std::string, const Home*>;
    for (const Home& home : kHomes) {
      for (const absl::string_view each : absl::StrSplit(home.names, ' ')) {
        homes->emplace(std::string(each), &home);
      }
    }
    return homes;
  }();
  const auto found = kHomeOf->find(name);
  if (found != kHomeOf->end()) return found->second;
  for (size_t n = name.size(); n > 0; --n) {
    const auto star = kHomeOf->find(absl::StrCat(name.substr(0, n), "*"));
    if (star != kHomeOf->end()) return star->second;
  }
  return nullptr;
}

// `std::move` of `std::move(x)`, `absl::Span` of `absl::Span<int>::iterator`, `LOG` of `LOG(INFO)`.
inline std::vector<std::string> NamesIn(absl::string_view code) {
  const auto is_part = [](char c) { return absl::ascii_isalnum(c) || c == '_'; };
  std::vector<std::string> names;
  for (size_t i = 0; i < code.size();) {
    if (!is_part(code[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < code.size() && (is_part(code[end]) || code.substr(end, 2) == "::")) {
      end += is_part(code[end]) ? 1 : 2;
    }
    const std::vector<std::string> parts = absl::StrSplit(code.substr(i, end - i), "::");
    const bool library = parts[0] == "std" || parts[0] == "absl";
    if (parts.size() == 1) names.push_back(parts[0]);
    if (parts.size() > 1 && library) names.push_back(absl::StrCat(parts[0], "::", parts[1]));
    i = end;
  }
  return names;
}

// Path from the root of the tree → text.
using Texts = std::map<std::string, std::string>;

inline std::vector<std::string> IncludesOf(absl::string_view text) {
  std::vector<std::string> headers;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "#include ") || line.size() < 2) continue;
    headers.emplace_back(line.substr(1, line.find(line[0] == '<' ? '>' : '"', 1) - 1));
  }
  return headers;
}

// What `path` includes, and what the files of the tree among that include in their turn.
inline std::set<std::string> Given(const Texts& texts, const std::string& path) {
  std::set<std::string> given;
  std::vector<std::string> todo = {path};
  while (!todo.empty()) {
    const auto file = texts.find(todo.back());
    todo.pop_back();
    if (file == texts.end()) continue;
    for (std::string& header : IncludesOf(file->second)) {
      if (given.insert(header).second) todo.push_back(std::move(header));
    }
  }
  return given;
}

// One line for each header that a file's names need and nothing of ours includes for it.
inline std::vector<std::string> MissingIncludes(const Texts& texts, const std::string& path) {
  const std::set<std::string> given = Given(texts, path);
  std::set<const Home*> known;
  std::vector<std::string> missing;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(texts.at(path), '\n')) {
    ++number;
    if (absl::StartsWith(line, "#")) continue;
    for (const std::string& name : NamesIn(Code(line))) {
      const Home* const home = HomeOf(name);
      if (home == nullptr || !known.insert(home).second) continue;
      const std::vector<std::string> headers = absl::StrSplit(home->headers, ' ');
      bool has = false;
      for (const std::string& header : headers) has = has || given.count(header) > 0;
      if (has) continue;
      missing.push_back(
          absl::StrCat(path, ":", number, ": uses ", name, " without including ", headers[0]));
    }
  }
  return missing;
}

}  // namespace conadv::tree

#endif  // CONADV_TESTS_TREE_INCLUDES_H_
