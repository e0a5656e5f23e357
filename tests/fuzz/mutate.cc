// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace conadv::fuzz {
namespace {

std::string Piece(const std::string& from, size_t most, Random* random) {
  if (from.empty()) return "";
  const size_t begin = random->Below(from.size());
  return from.substr(begin, 1 + random->Below(most));
}

// A number at a limit of its type, in either byte order.
std::string ExtremeNumber(Random* random) {
  constexpr uint64_t kNumbers[] = {0,          1,          0x7f,       0x80,
                                   0xff,       0x7fff,     0xffff,     0x7fffffff,
                                   0x80000000, 0xffffffff, 0xffffffff, UINT64_MAX};
  const uint64_t number = kNumbers[random->Below(std::size(kNumbers))];
  const size_t size = size_t{1} << random->Below(4);
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
  if (random->Below(2) == 0) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

void Change(std::string* input, const std::vector<std::string>& corpus, Random* random) {
  constexpr size_t kMostMoved = 64;
  const size_t at = random->Below(input->size() + 1);
  const bool inside = at < input->size();
  switch (random->Below(7)) {
    case 0:
      if (inside) (*input)[at] = static_cast<char>((*input)[at] ^ (1 << random->Below(8)));
      break;
    case 1:
      if (inside) (*input)[at] = static_cast<char>(random->Next32());
      break;
    case 2: input->insert(at, 1, static_cast<char>(random->Next32())); break;
    case 3: input->erase(at, 1 + random->Below(kMostMoved)); break;
    case 4: input->insert(at, Piece(*input, kMostMoved, random)); break;
    case 5:
      input->insert(at, Piece(corpus[random->Below(corpus.size())], kMostMoved, random));
      break;
    default: {
      const std::string number = ExtremeNumber(random);
      input->replace(at, number.size(), number);
    }
  }
}

}  // namespace

std::string Mutate(std::string input, const std::vector<std::string>& corpus, size_t limit,
                   Random* random) {
  const uint64_t changes = 1 + random->Below(8);
  for (uint64_t i = 0; i < changes; ++i) Change(&input, corpus, random);
  if (input.size() > limit) input.resize(limit);
  return input;
}

}  // namespace conadv::fuzz
