// SPDX-License-Identifier: Apache-2.0
// The tree keeps its rules, and a file that breaks one is noticed.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tree/includes.h"
#include "tests/tree/names.h"
#include "tests/tree/rules.h"

namespace conadv::tree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::filesystem::path Root() { return CONADV_SOURCE_DIR; }

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Licensed(absl::string_view text) { return absl::StrCat("// ", kLicence, "\n", text); }

std::string Including(absl::string_view header) {
  return Licensed(absl::StrCat("#include ", header, "\n"));
}

TEST(Tree, KeepsItsRules) {
  const std::set<std::string> kinds = {".cc", ".h", ".js", ".py", ".sh"};
  std::vector<std::string> broken;
  int files = 0;
  for (const char* top : {"common", "client", "clients", "server", "worker", "cli", "tests"}) {
    ASSERT_TRUE(std::filesystem::is_directory(Root() / top)) << Root() / top;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Root() / top)) {
      if (!entry.is_regular_file() || kinds.count(entry.path().extension()) == 0) continue;
      ++files;
      const std::string path = std::filesystem::relative(entry.path(), Root());
      for (std::string& line : Check(path, Read(entry.path()))) broken.push_back(std::move(line));
    }
  }
  EXPECT_GT(files, 20);
  EXPECT_THAT(broken, IsEmpty()) << absl::StrJoin(broken, "\n");
}

// "[I4]" of a line that cites it.
std::set<std::string> InvariantsIn(const std::string& text) {
  std::set<std::string> found;
  for (size_t at = text.find("[I"); at != std::string::npos; at = text.find("[I", at + 1)) {
    const bool digit = at + 3 < text.size() && std::isdigit(text[at + 2]) != 0;
    if (digit && text[at + 3] == ']') found.insert(text.substr(at, 4));
  }
  return found;
}

TEST(Tree, EveryInvariantThatIsCitedIsWrittenDown) {
  const std::set<std::string> written = InvariantsIn(Read(Root() / "docs/invariants.md"));
  EXPECT_EQ(written.size(), 8U);
  for (const char* top : {"common", "client", "server", "worker", "cli", "proto"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Root() / top)) {
      if (!entry.is_regular_file()) continue;
      for (const std::string& cited : InvariantsIn(Read(entry.path()))) {
        EXPECT_EQ(written.count(cited), 1U) << entry.path() << " cites " << cited;
      }
    }
  }
}

// "server/shard/shard.h" and "server/lease/" of a text that has them between backticks; what is no
// path of ours is left out.
std::set<std::string> PathsIn(const std::string& text) {
  std::set<std::string> found;
  const std::vector<std::string> parts = absl::StrSplit(text, '`');
  for (size_t i = 1; i < parts.size(); i += 2) {
    const std::string& path = parts[i];
    for (const char* top :
         {"proto/", "common/", "client/", "server/", "worker/", "cli/", "tests/"}) {
      if (absl::StartsWith(path, top)) found.insert(path);
    }
  }
  return found;
}

TEST(Tree, TheArchitectureNamesWhatIsThere) {
  const std::set<std::string> paths = PathsIn(Read(Root() / "docs/architecture.md"));
  EXPECT_GT(paths.size(), 40U);
  for (const std::string& path : paths) {
    EXPECT_TRUE(std::filesystem::exists(Root() / path)) << "docs/architecture.md names " << path;
  }
}

TEST(Tree, NoFolderHasMoreRoomsThanOneCanOversee) {
  constexpr size_t kMostRooms = 13;
  std::map<std::string, std::set<std::string>> rooms;
  for (const char* top : {"common", "client", "server", "worker", "cli"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Root() / top)) {
      const std::filesystem::path& path = entry.path();
      if (path.extension() != ".cc" && path.extension() != ".h") continue;
      const std::filesystem::path relative = std::filesystem::relative(path, Root());
      rooms[relative.parent_path()].insert(relative.stem());
    }
  }
  for (const auto& [folder, names] : rooms) {
    EXPECT_LE(names.size(), kMostRooms) << folder << " has " << absl::StrJoin(names, ", ");
  }
}

TEST(Tree, IncludesWhatItUses) {
  Texts texts;
  for (const char* top : {"common", "client", "server", "worker", "cli", "tests"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Root() / top)) {
      const std::filesystem::path& path = entry.path();
      if (path.extension() != ".cc" && path.extension() != ".h") continue;
      texts.emplace(std::filesystem::relative(path, Root()), Read(path));
    }
  }
  std::vector<std::string> missing;
  for (const auto& [path, unused] : texts) {
    for (std::string& line : MissingIncludes(texts, path)) missing.push_back(std::move(line));
  }
  EXPECT_THAT(missing, IsEmpty()) << absl::StrJoin(missing, "\n");
}

TEST(Tree, UnnamedFunctionsOfAFolderHaveNamesOfTheirOwn) {
  std::map<std::string, std::string> seen;  // folder and function: the file
  int functions = 0;
  for (const char* top : {"common", "client", "server", "worker", "cli", "tests"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Root() / top)) {
      if (entry.path().extension() != ".cc" || entry.path().filename() == "main.cc") continue;
      const std::filesystem::path path = std::filesystem::relative(entry.path(), Root());
      // Each a program of its own.
      if (path.parent_path() == "tests/fuzz" || path.parent_path() == "tests/bench") continue;
      for (const std::string& function : UnnamedFunctions(Read(entry.path()))) {
        ++functions;
        const auto [other, first] = seen.emplace(path.parent_path() / function, path);
        EXPECT_TRUE(first) << path << " and " << other->second << " both have " << function;
      }
    }
  }
  EXPECT_GT(functions, 300);
}

TEST(Names, FunctionsAreFoundAndCounted) {
  EXPECT_THAT(UnnamedFunctions("int Out(int a) {\n}\nnamespace {\nint A() {\n}\n"
                               "std::map<int, int> B(const F<int, int>& f,\n    int b = G(1, 2));\n"
                               "TEST(A, B) {\nconst int c = F(1);\nvoid C::D(int a) {\n"
                               "}  // namespace\nint After();\n"),
              ElementsAre("A/0", "B/2"));
}

TEST(Includes, AUseWithoutTheHeaderIsCaught) {
  const struct {
    const char* line;
    const char* header;
  } kCases[] = {
      {"return absl::StrCat(a, b);", "absl/strings/str_cat.h"},
      {"if (absl::SimpleAtoi(text, &n)) {", "absl/strings/numbers.h"},
      {"absl::StatusOr<int> Read();", "absl/status/statusor.h"},
      {"return ::absl::NotFoundError(a);", "absl/status/status.h"},
      {"f(std::move(x));", "utility"},
      {"uint64_t n = 0;", "cstdint"},
      {"std::atomic_bool done = false;", "atomic"},
      {"const std::vector<int>::iterator at;", "vector"},
      {"CHECK_EQ(a, b);", "glog/logging.h"},
      {"int a ABSL_GUARDED_BY(mutex_);", "absl/base/thread_annotations.h"},
  };
  for (const auto& c : kCases) {
    Texts texts = {{"cli/a.cc", c.line}};
    EXPECT_THAT(MissingIncludes(texts, "cli/a.cc"), ElementsAre(HasSubstr(c.header))) << c.line;
    texts["cli/a.cc"] = absl::StrCat("#include <", c.header, ">\n", c.line);
    EXPECT_THAT(MissingIncludes(texts, "cli/a.cc"), IsEmpty()) << c.line;
  }
}

TEST(Includes, AHeaderOfOursMayIncludeItAndALibrarysMayNot) {
  const Texts texts = {{"cli/a.cc", "#include \"cli/a.h\"\nstd::string a;\nstd::vector<int> b;\n"},
                       {"cli/a.h", "#include \"cli/b.h\"\n"},
                       {"cli/b.h", "#include <string>\n#include <gmock/gmock.h>\n"}};
  EXPECT_THAT(MissingIncludes(texts, "cli/a.cc"),
              ElementsAre("cli/a.cc:3: uses std::vector without including vector"));
}

TEST(Includes, OneHeaderOfSeveralIsEnough) {
  const Texts texts = {{"cli/a.cc", "#include \"absl/status/statusor.h\"\nabsl::Status a;\n"}};
  EXPECT_THAT(MissingIncludes(texts, "cli/a.cc"), IsEmpty());
}

TEST(Includes, NamesOfOursAreNotALibrarys) {
  const Texts texts = {
      {"cli/a.cc", "tree::LOG = tree::CHECK(v->min, \"std::vector\");  // std::map\n"}};
  EXPECT_THAT(MissingIncludes(texts, "cli/a.cc"), IsEmpty());
}

TEST(Rules, TheArrowsHaveNoCycle) {
  // A component that every remaining one's arrows have left is taken away, until none is left.
  auto remaining = Arrows();
  while (!remaining.empty()) {
    std::string leaf;
    for (const auto& [component, targets] : remaining) {
      bool points = false;
      for (const auto& [other, unused] : remaining) {
        points = points || (other != component && Allows(targets, other));
      }
      if (!points) leaf = component;
    }
    ASSERT_NE(leaf, "") << "a cycle among " << remaining.size() << " components";
    remaining.erase(leaf);
  }
}

TEST(Rules, AnIncludeAgainstTheArrowsIsCaught) {
  const struct {
    const char* path;
    const char* header;
  } kCases[] = {
      {"common/base/a.h", "\"common/tensor/layout.h\""},
      {"common/wire/a.h", "\"server/snapshot/store.h\""},
      {"server/shard/shard.cc", "\"client/transfer/parameter_client.h\""},
      {"worker/compute/a.cc", "\"server/snapshot/store.h\""},
      {"server/aggregate/a.h", "\"server/snapshot/store.h\""},
      {"server/aggregate/a.h", "\"server/optimize/optimizer.h\""},
      {"server/optimize/a.h", "\"server/aggregate/aggregator.h\""},
      {"server/optimize/a.h", "\"server/snapshot/store.h\""},
      {"server/snapshot/a.h", "\"server/checkpoint/checkpoint.h\""},
      {"server/checkpoint/a.h", "\"server/coordinate/coordinator.h\""},
      {"server/coordinate/a.h", "\"server/shard/shard.h\""},
      {"server/shard/shard.h", "\"server/rpc/service.h\""},
      {"worker/data/a.h", "\"client/transfer/weight_source.h\""},
      {"client/run/a.h", "\"worker/data/permutation.h\""},
      {"worker/model/a.h", "\"worker/attack/attack.h\""},
      {"worker/attack/a.h", "\"worker/schedule/executor.h\""},
      {"worker/compute/a.h", "\"worker/member/member.h\""},
      {"worker/member/a.cc", "<torch/torch.h>"},
      {"worker/evaluate/a.cc", "\"worker/schedule/executor.h\""},
      {"worker/evaluate/a.cc", "\"worker/schedule/weight_cache.h\""},
      {"worker/statistics/a.h", "\"client/transfer/sharded_push.h\""},
      {"worker/statistics/a.cc", "\"conadv/v1/stats.pb.h\""},
      {"worker/statistics/a.cc", "<grpcpp/grpcpp.h>"},
      {"cli/train/train.cc", "\"server/shard/shard.h\""},
      {"cli/train/train.cc", "\"worker/model/network.h\""},
      {"cli/client/a.cc", "\"cli/inspect/inspect.h\""},
      {"cli/results/a.cc", "\"cli/run/deployment.h\""},
      {"cli/run/a.cc", "\"cli/client/weights.h\""},
      {"cli/run/a.cc", "\"cli/train/train.h\""},
      {"cli/run/a.cc", "<grpcpp/grpcpp.h>"},
      {"cli/train/a.cc", "<grpcpp/grpcpp.h>"},
      {"cli/inspect/a.cc", "\"cli/pull/pull.h\""},
      {"server/main.cc", "\"cli/train/train.h\""},
      {"server/shard/shard.cc", "\"tests/support/peer.h\""},
      {"server/shard/shard.cc", "\"shard.h\""},
      {"server/shard/shard.cc", "\"conadv/v1/job.pb.h\""},
      {"worker/compute/a.cc", "\"conadv/v1/tensor.pb.h\""},
      {"worker/data/a.cc", "<torch/torch.h>"},
      {"worker/data/a.h", "\"worker/device/device.h\""},
      {"worker/data/augment/transform/a.h", "\"worker/data/image/image.h\""},
      {"worker/data/augment/a.h", "\"worker/data/dataset.h\""},
      {"worker/device/a.h", "\"worker/model/replica.h\""},
      {"server/shard/shard.cc", "\"worker/data/open.h\""},
      {"worker/session/a.cc", "<torch/torch.h>"},
      {"worker/main.cc", "<ATen/Parallel.h>"},
      {"server/shard/shard.cc", "<grpcpp/grpcpp.h>"},
      {"server/coordinate/a.h", "\"grpcpp/support/status.h\""},
      {"worker/compute/a.cc", "<grpc/grpc.h>"},
      {"server/rpc/a.cc", "\"c10/util/Exception.h\""},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Check(c.path, Including(c.header)), ElementsAre(HasSubstr(":2: includes ")))
        << c.path << " includes " << c.header;
  }
}

TEST(Rules, AnIncludeAlongTheArrowsIsFine) {
  const struct {
    const char* path;
    const char* header;
  } kCases[] = {
      {"common/job/parse.cc", "\"conadv/v1/job.pb.h\""},
      {"common/tensor/arena.h", "\"common/base/ids.h\""},
      {"server/shard/shard.h", "\"server/aggregate/aggregator.h\""},
      {"server/main.cc", "\"server/process/server.h\""},
      {"server/rpc/a.cc", "\"conadv/v1/parameter_server.grpc.pb.h\""},
      {"worker/data/image/a.cc", "\"worker/data/dataset.h\""},
      {"worker/data/open.cc", "\"worker/data/augment/operation.h\""},
      {"worker/compute/a.cc", "\"worker/data/augment/operation.h\""},
      {"worker/evaluate/a.cc", "<torch/torch.h>"},
      {"worker/evaluate/a.cc", "\"worker/attack/attack.h\""},
      {"worker/main.cc", "\"worker/evaluate/evaluate.h\""},
      {"cli/inspect/inspect.cc", "\"cli/client/inspector_client.h\""},
      {"cli/main.cc", "\"cli/inspect/inspect.h\""},
      {"tests/integration/a_test.cc", "\"worker/data/permutation.h\""},
      {"server/shard/shard.cc", "<vector>"},
      {"server/shard/shard.cc", "\"absl/status/status.h\""},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Check(c.path, Including(c.header)), IsEmpty());
  }
}

TEST(Rules, AFileOutsideEveryComponentIsCaught) {
  for (const char* path : {"server/extra/a.h", "server/shard.cc", "worker/a.cc", "common/misc.cc",
                           "common/base.h", "cli/extra/a.h"}) {
    EXPECT_THAT(Check(path, Licensed("")), ElementsAre(HasSubstr("no known component"))) << path;
  }
}

TEST(Rules, AMissingLicenceLineIsCaught) {
  EXPECT_THAT(Check("common/base/a.h", "int a;\n"), ElementsAre(HasSubstr(":1: must begin")));
  EXPECT_THAT(Check("tests/a.py", "#!/usr/bin/python3\nimport os\n"),
              ElementsAre(HasSubstr(":2: must begin")));
  EXPECT_THAT(Check("tests/a.py", absl::StrCat("#!/usr/bin/python3\n# ", kLicence, "\n")),
              IsEmpty());
  EXPECT_THAT(Check("common/base/a.h", ""), ElementsAre(HasSubstr("must begin")));
}

TEST(Rules, AFilePastTheLimitIsCaught) {
  const auto lines = [](int n) {
    std::string text = Licensed("");
    for (int i = 1; i < n; ++i) text += "\n";
    return text;
  };
  EXPECT_THAT(Check("common/base/a.h", lines(kMaxLines)), IsEmpty());
  EXPECT_THAT(Check("common/base/a.h", lines(kMaxLines + 1)),
              ElementsAre(HasSubstr("has 401 lines")));
}

TEST(Rules, SleepingIsCaught) {
  for (const char* line :
       {"std::this_thread::sleep_for(delay);", "std::this_thread::sleep_until(then);",
        "absl::SleepFor(delay);", "usleep(1);", "  sleep(1);", "time.sleep(1)"}) {
    EXPECT_THAT(Check("tests/cli/a_test.cc", Licensed(line)), ElementsAre(HasSubstr("sleeps")))
        << line;
  }
}

TEST(Rules, TheWallClockIsCaught) {
  for (const char* line : {"const absl::Time until = absl::Now() + time;", "time(nullptr)",
                           "std::chrono::system_clock::now()"}) {
    EXPECT_THAT(Check("server/rpc/a.cc", Licensed(line)), ElementsAre(HasSubstr("wall clock")))
        << line;
  }
  EXPECT_THAT(Check("common/base/clock.cc", Licensed("return absl::Now();")), IsEmpty());
}

TEST(Rules, ATensorOverHostMemoryIsCaughtOutsideTheDevices) {
  const std::string code = Licensed("return torch::from_blob(arena.data(), shape);");
  EXPECT_THAT(Check("worker/model/a.cc", code), ElementsAre(HasSubstr("ask the Device")));
  EXPECT_THAT(Check("worker/compute/a.cc", Licensed("at::set_num_threads(1);")),
              ElementsAre(HasSubstr("ask the Device")));
  EXPECT_THAT(Check("worker/device/cpu_device.cc", code), IsEmpty());
}

TEST(Rules, AbseilsMutexIsCaught) {
  EXPECT_THAT(Check("server/shard/shard.h", Licensed("absl::MutexLock lock(&mutex_);")),
              ElementsAre(HasSubstr("mutex")));
}

TEST(Rules, CommentsAndStringsAreNotCode) {
  EXPECT_THAT(
      Check("server/shard/shard.h", Licensed("int a;  // not absl::Mutex, never sleep_for")),
      IsEmpty());
  EXPECT_THAT(Check("server/shard/shard.h", Licensed(R"(const char* a = "\"absl::Mutex";)")),
              IsEmpty());
}

}  // namespace
}  // namespace conadv::tree
