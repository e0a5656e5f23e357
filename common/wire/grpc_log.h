// SPDX-License-Identifier: Apache-2.0
// gRPC's own complaints among the process's other log lines, in their form.
#ifndef CONADV_COMMON_WIRE_GRPC_LOG_H_
#define CONADV_COMMON_WIRE_GRPC_LOG_H_

namespace conadv {

// From here on. Before any other thread.
void LogGrpcAmongOurs();

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_GRPC_LOG_H_
