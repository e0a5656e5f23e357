// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: over a corpus, and over a fixed number of changed inputs
// that are the same in every run.
//   <target>_fuzz [--mutations=N] PATH...     files, or directories of files
// An input that breaks a property is left in ./crash-<target>_fuzz; run it again by its path.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/random.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

constexpr size_t kMostBytes = 4096;

// For the signal handler, which may only read what is ready.
std::string* crash_path = nullptr;
const std::string* current = nullptr;

void Keep(int number) {
  std::signal(number, SIG_DFL);
  const int file = ::open(crash_path->c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const bool kept = file >= 0 && ::write(file, current->data(), current->size()) >= 0;
  for (const char* text :
       {kept ? "the input is in " : "the input cannot be written to ", crash_path->c_str(), "\n"}) {
    if (::write(STDERR_FILENO, text, std::char_traits<char>::length(text)) < 0) break;
  }
  std::raise(number);
}

void Run(const std::string& input) {
  current = &input;
  // A copy of just this size, so that a checker of memory sees every step past its end.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> ReadAll(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path().string());
  }
  // The order of a directory is the disk's own.
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  for (const std::string& path : files) {
    std::ifstream file(path, std::ios::binary);
    if (file)
      inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

int Main(const std::string& program, const std::vector<std::string>& arguments) {
  uint64_t mutations = 0;
  std::vector<std::string> paths;
  for (const std::string& argument : arguments) {
    absl::string_view value = argument;
    if (!absl::ConsumePrefix(&value, "--mutations=")) {
      paths.push_back(argument);
    } else if (!absl::SimpleAtoi(value, &mutations)) {
      std::fprintf(stderr, "--mutations: must be a whole number\n");
      return 2;
    }
  }
  const std::vector<std::string> corpus = ReadAll(paths);
  if (corpus.empty()) {
    std::fprintf(stderr, "no inputs: name a corpus, as tests/fuzz/corpus/<target>\n");
    return 2;
  }
  crash_path = new std::string(absl::StrCat("crash-", program));
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, Keep);
  for (const std::string& input : corpus) Run(input);
  for (uint64_t i = 0; i < mutations; ++i) {
    Random random(i, Purpose::kAugmentation);
    Run(Mutate(corpus[random.Below(corpus.size())], corpus, kMostBytes, &random));
  }
  std::printf("%s: %zu inputs and %llu changed ones\n", program.c_str(), corpus.size(),
              static_cast<unsigned long long>(mutations));
  return 0;
}

}  // namespace
}  // namespace conadv::fuzz

int main(int argc, char** argv) {
  return conadv::fuzz::Main(std::filesystem::path(argv[0]).filename().string(),
                            {argv + 1, argv + argc});
}
