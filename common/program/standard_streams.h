// SPDX-License-Identifier: Apache-2.0
// Standard streams that are there. To be called first in main.
#ifndef CONADV_COMMON_PROGRAM_STANDARD_STREAMS_H_
#define CONADV_COMMON_PROGRAM_STANDARD_STREAMS_H_

namespace conadv {

// A standard stream that was closed would be the next file or connection that is opened, and get
// what is printed. Writing to the one that takes its place fails, which is what whoever closed it
// has earned.
void FillStandardStreams();

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_STANDARD_STREAMS_H_
