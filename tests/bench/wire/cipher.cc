// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/wire/cipher.h"

#include <glog/logging.h>
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>

namespace conadv::bench {
namespace {

constexpr size_t kRecord = 16 << 10;

}  // namespace

Cipher::Cipher(size_t bytes)
    : context_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free), bytes_(bytes, 1) {}

double Cipher::Seal() {
  const auto begin = std::chrono::steady_clock::now();
  const uint8_t key[32] = {};
  uint8_t nonce[12] = {};
  uint8_t record[kRecord];
  uint8_t tag[16];
  EVP_EncryptInit_ex(context_.get(), EVP_aes_256_gcm(), nullptr, key, nonce);
  for (size_t offset = 0; offset < bytes_.size(); offset += kRecord) {
    ++nonce[offset / kRecord % sizeof(nonce)];
    int size = 0;
    EVP_EncryptInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce);
    EVP_EncryptUpdate(context_.get(), record, &size, bytes_.data() + offset,
                      static_cast<int>(std::min(kRecord, bytes_.size() - offset)));
    EVP_EncryptFinal_ex(context_.get(), record, &size);
    CHECK_EQ(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_GET_TAG, sizeof(tag), tag), 1);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace conadv::bench
