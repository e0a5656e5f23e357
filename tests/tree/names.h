// SPDX-License-Identifier: Apache-2.0
// What two files of a folder may not both have: they are compiled as one, and where overloads of
// one name meet, a call may mean another file's. Stateless, thread-safe.
#ifndef CONADV_TESTS_TREE_NAMES_H_
#define CONADV_TESTS_TREE_NAMES_H_

#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace conadv::tree {

// "Name/2" if `text` begins with a function of two parameters, laid out as .clang-format says; else
// nothing.
inline std::string FunctionAt(absl::string_view text) {
  for (const char* other : {"template", "using", "class", "struct", "enum", "return", "#"}) {
    if (absl::StartsWith(text, other)) return "";
  }
  const size_t open = text.find('(');
  if (open == absl::string_view::npos || text.substr(0, open).find_first_of("=;{}") != text.npos) {
    return "";
  }
  size_t begin = open;
  while (begin > 0 && (absl::ascii_isalnum(text[begin - 1]) || text[begin - 1] == '_')) --begin;
  // A macro's use, a member's definition, a constructor: no type before it.
  if (begin == open || begin == 0 || !absl::StrContains(" *&", text[begin - 1])) return "";
  int depth = 0, parameters = 0;
  for (size_t at = open; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '(' || c == '<' || c == '{') ++depth;
    if (c == ')' || c == '>' || c == '}') --depth;
    if (depth == 1 && c != '(' && c != ' ' && parameters == 0) parameters = 1;
    if (depth == 1 && c == ',') ++parameters;
    if (depth == 0) break;
  }
  return absl::StrCat(text.substr(begin, open - begin), "/", parameters);
}

// Of a source file's unnamed namespaces.
inline std::set<std::string> UnnamedFunctions(absl::string_view text) {
  std::set<std::string> functions;
  bool unnamed = false;
  size_t at = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line == "namespace {") unnamed = true;
    if (line == "}  // namespace") unnamed = false;
    if (unnamed && !line.empty() && absl::ascii_isalpha(line[0])) {
      if (std::string function = FunctionAt(text.substr(at)); !function.empty()) {
        functions.insert(std::move(function));
      }
    }
    at += line.size() + 1;
  }
  return functions;
}

}  // namespace conadv::tree

#endif  // CONADV_TESTS_TREE_NAMES_H_
