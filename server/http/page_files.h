// SPDX-License-Identifier: Apache-2.0
// The live page's files, as they were when the program was built. Constant.
#ifndef CONADV_SERVER_HTTP_PAGE_FILES_H_
#define CONADV_SERVER_HTTP_PAGE_FILES_H_

#include <cstddef>

#include "absl/types/span.h"

namespace conadv {

struct PageFile {
  const char* path;  // below server/http/page/, as in "index.html"
  const unsigned char* bytes;
  size_t size;
  const char* digest;  // changes with the bytes
};

absl::Span<const PageFile> PageFiles();

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_PAGE_FILES_H_
