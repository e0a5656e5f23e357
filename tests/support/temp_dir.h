// SPDX-License-Identifier: Apache-2.0
// A directory that is gone, with all it holds, when the test is. One thread at a time.
#ifndef CONADV_TESTS_SUPPORT_TEMP_DIR_H_
#define CONADV_TESTS_SUPPORT_TEMP_DIR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace conadv {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(absl::string_view name) const;

 private:
  std::string path_;
};

// The test fails, and the text is empty, if there is no such file.
std::string ReadFile(const std::string& path);
// Makes the file's directories too.
void WriteFile(const std::string& path, absl::string_view bytes);

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_TEMP_DIR_H_
