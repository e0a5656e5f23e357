// SPDX-License-Identifier: Apache-2.0
// System calls as disks beyond a network answer them: what they cannot do is done without, and told
// of once; a call whose answer was lost, so that it was made twice, counts as done. Stateless,
// thread-safe. docs/storage.md says what holds there.
#ifndef CONADV_COMMON_OS_NETWORK_DISK_H_
#define CONADV_COMMON_OS_NETWORK_DISK_H_

#include <string>

namespace conadv {

// Whether the error says that a file system has no such thing.
bool IsUnsupported(int error);

// All return 0, or the error.

// Makes the file or directory durable where there is such a thing. `path` is its name, for people.
int Sync(int descriptor, const std::string& path);
// Of files: whatever was at `to` is gone.
int RenameOver(const std::string& from, const std::string& to);
// Of files or directories. EEXIST if there is anything at `to`.
int RenameToNothing(const std::string& from, const std::string& to);

}  // namespace conadv

#endif  // CONADV_COMMON_OS_NETWORK_DISK_H_
