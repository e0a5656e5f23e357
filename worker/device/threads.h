// SPDX-License-Identifier: Apache-2.0
// How many threads the libraries under LibTorch take for themselves.
#ifndef CONADV_WORKER_DEVICE_THREADS_H_
#define CONADV_WORKER_DEVICE_THREADS_H_

namespace conadv {

// One thread for each LibTorch operation and each BLAS call: our own threads are the parallelism,
// concurrent calls of a multi-threaded OpenBLAS would wait for each other, and sums keep one order.
// Call before anything is computed; again does nothing.
void UseOneBlasThread();

// The same for operations of the calling thread: LibTorch counts its own threads per caller.
void UseOneThreadHere();

}  // namespace conadv

#endif  // CONADV_WORKER_DEVICE_THREADS_H_
