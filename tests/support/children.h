// SPDX-License-Identifier: Apache-2.0
// The processes that a process under test has started. Linux.
#ifndef CONADV_TESTS_SUPPORT_CHILDREN_H_
#define CONADV_TESTS_SUPPORT_CHILDREN_H_

#include <sys/types.h>

#include <string>

namespace conadv {

// The id of a child of `parent` whose command line has `word`; 0 if there is none.
pid_t FindChild(pid_t parent, const std::string& word);

// The id of a thread of `process` that has this name; 0 if there is none.
pid_t FindThread(pid_t process, const std::string& name);

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_CHILDREN_H_
