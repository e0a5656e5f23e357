// SPDX-License-Identifier: Apache-2.0
// Where the members of a tar file lie: POSIX ustar and pax, and GNU's long names and large sizes
// (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"). libarchive
// does not say where a member's bytes begin. A pure function of the file.
#ifndef CONADV_WORKER_DATA_ENCODED_TAR_INDEX_H_
#define CONADV_WORKER_DATA_ENCODED_TAR_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/encoded/positioned_file.h"

namespace conadv {

struct TarMember {
  std::string name;  // without "./" before it
  uint64_t offset = 0;
  uint64_t size = 0;
};

// The plain files in it, in their order; directories and devices are left out. Reads headers, and
// seeks over the rest. The file's own errors; INVALID_ARGUMENT says at which byte it is broken, cut
// off (the mark of its end is missing), compressed, or has links or sparse files, which are not
// read; it does not name the file.
absl::StatusOr<std::vector<TarMember>> ReadTarIndex(const PositionedFile& file);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_TAR_INDEX_H_
