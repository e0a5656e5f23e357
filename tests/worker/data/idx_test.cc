// SPDX-License-Identifier: Apache-2.0
#include "worker/data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/os/file.h"
#include "tests/support/idx_files.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Header(uint32_t magic, const std::vector<uint32_t>& extents) {
  std::vector<uint32_t> numbers = {magic};
  numbers.insert(numbers.end(), extents.begin(), extents.end());
  std::string header;
  for (const uint32_t number : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(number >> shift);
  }
  return header;
}

std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string compressed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

// Three images of 2 x 2.
const std::string kImages = Header(0x803, {3, 2, 2}) + "abcdefghijkl";
const std::string kLabels = Header(0x801, {3}) + std::string("\x00\x02\x01", 3);

struct Files {
  std::string images = kImages;
  std::string labels = kLabels;
  std::string suffix = {};  // of both names
};

absl::StatusOr<ExampleArrays> Read(const Files& files, uint64_t limit = 0) {
  const TempDir directory;
  WriteFile(directory / ("train-images-idx3-ubyte" + files.suffix), files.images);
  WriteFile(directory / ("train-labels-idx1-ubyte" + files.suffix), files.labels);
  return ReadIdx(directory.path(), Split::kTrain, limit);
}

std::string IdxError(const Files& files) {
  const absl::Status status = Read(files).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(ReadIdx, ReadsPlainAndCompressedFilesAlike) {
  const auto plain = Read({});
  const auto compressed = Read({Gzip(kImages), Gzip(kLabels), ".gz"});
  ASSERT_TRUE(plain.ok()) << plain.status();
  ASSERT_TRUE(compressed.ok()) << compressed.status();
  EXPECT_EQ(plain->image_size, (ImageSize{1, 2, 2}));
  EXPECT_EQ(plain->classes, 3);
  EXPECT_EQ(std::string(plain->pixels.begin(), plain->pixels.end()), "abcdefghijkl");
  EXPECT_THAT(plain->labels, ElementsAre(0, 2, 1));
  EXPECT_EQ(FingerprintOf(*plain), FingerprintOf(*compressed));
}

TEST(ReadIdx, ACompressedFileIsKnownWithoutItsName) {
  const auto dataset = Read({Gzip(kImages), Gzip(kLabels)});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(std::string(dataset->pixels.begin(), dataset->pixels.end()), "abcdefghijkl");
}

TEST(ReadIdx, ReadsAFileOfSeveralGzipMembers) {
  const auto dataset = Read(
      {Gzip(kImages.substr(0, 20)) + Gzip("") + Gzip(kImages.substr(20)), Gzip(kLabels), ".gz"});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(std::string(dataset->pixels.begin(), dataset->pixels.end()), "abcdefghijkl");
}

TEST(ReadIdx, TakesTheFirstExamplesUpToTheLimit) {
  const auto one = Read({}, 1);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->examples(), 1);
  EXPECT_EQ(std::string(one->pixels.begin(), one->pixels.end()), "abcd");
  EXPECT_EQ(one->classes, 3) << "the model must not change with the limit";
  EXPECT_EQ(Read({}, 100)->examples(), 3);
}

TEST(ReadIdx, AFourthDimensionIsTheChannels) {
  const std::string images = Header(0x804, {3, 2, 1, 2}) + "abcdefghijkl";
  const auto decoded = DecodeIdx({"labels", kLabels}, {"images", images}, Split::kTrain, 0);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->image_size, (ImageSize{2, 1, 2}));
  EXPECT_EQ(decoded->pixels.size(), 12U);
  const TempDir directory;
  WriteFile(directory / "train-labels-idx1-ubyte", kLabels);
  WriteFile(directory / "train-images-idx4-ubyte", images);
  const auto read = ReadIdx(directory.path(), Split::kTrain, 0);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->image_size, (ImageSize{2, 1, 2}));
}

TEST(ReadIdx, SaysWhatItLookedFor) {
  const TempDir directory;
  WriteFile(directory / "train-labels-idx1-ubyte", kLabels);
  const absl::Status images = ReadIdx(directory.path(), Split::kTrain, 0).status();
  EXPECT_EQ(images.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(
      std::string(images.message()),
      AllOf(HasSubstr(directory / "train-images-idx3-ubyte "),
            HasSubstr(directory / "train-images-idx3-ubyte.gz "), HasSubstr("dataset.path")));
  const absl::Status test = ReadIdx(directory.path(), Split::kTest, 0).status();
  EXPECT_EQ(test.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(test.message()), HasSubstr("t10k-labels-idx1-ubyte.gz"));
}

TEST(ReadIdx, NamesTheFileThatIsTruncated) {
  EXPECT_THAT(IdxError({kImages.substr(0, 10)}),
              HasSubstr("train-images-idx3-ubyte: truncated: it ends in the header"));
  EXPECT_THAT(IdxError({kImages, ""}),
              HasSubstr("train-labels-idx1-ubyte: truncated: it ends in the header"));
  EXPECT_THAT(IdxError({kImages.substr(0, 27)}),
              HasSubstr("train-images-idx3-ubyte: truncated: the header says 3 x 2 x 2"));
  EXPECT_THAT(IdxError({Gzip(kImages.substr(0, 27)), Gzip(kLabels), ".gz"}),
              HasSubstr("train-images-idx3-ubyte.gz: truncated: the header says 12 bytes follow, "
                        "only 11 do"));
}

TEST(ReadIdx, NamesTheFileThatIsTooLong) {
  EXPECT_THAT(IdxError({kImages + "m"}), HasSubstr("train-images-idx3-ubyte: too long"));
  EXPECT_THAT(IdxError({Gzip(kImages), Gzip(kLabels + "m"), ".gz"}),
              HasSubstr("train-labels-idx1-ubyte.gz: too long"));
}

TEST(ReadIdx, NamesTheFileWithTheWrongMagicNumber) {
  EXPECT_THAT(IdxError({kLabels}), HasSubstr("train-images-idx3-ubyte: wrong magic number "
                                             "0x00000801, expected 0x00000803"));
  EXPECT_THAT(IdxError({kImages, kImages}), HasSubstr("train-labels-idx1-ubyte: wrong magic"));
  EXPECT_THAT(IdxError({kImages, "PK\x03\x04" + kLabels}), HasSubstr("wrong magic number 0x504b"));
}

TEST(ReadIdx, NamesTheFileWithABrokenGzipStream) {
  const std::string good = Gzip(kImages);
  std::string flipped = good;
  flipped[good.size() - 6] ^= 1;  // in the checksum
  const std::vector<std::string> broken = {flipped, good.substr(0, good.size() - 4), "", kImages,
                                           good + "rubbish"};
  for (const std::string& bytes : broken) {
    EXPECT_THAT(IdxError({bytes, Gzip(kLabels), ".gz"}),
                HasSubstr("train-images-idx3-ubyte.gz: the gzip stream"));
  }
}

TEST(ReadIdx, SurvivesAnyBitFlipInACompressedFile) {
  const std::string good = Gzip(kLabels);
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto dataset = Read({Gzip(kImages), flipped, ".gz"});
    // The header's time, flags and system are not covered by the checksum.
    if (dataset.ok()) {
      EXPECT_THAT(dataset->labels, ElementsAre(0, 2, 1)) << "bit " << bit;
    }
  }
}

TEST(ReadIdx, RefusesImagesAndLabelsOfDifferentNumber) {
  EXPECT_THAT(IdxError({kImages, Header(0x801, {2}) + "ab"}),
              AllOf(HasSubstr("train-images-idx3-ubyte: 3 images, but "),
                    HasSubstr("train-labels-idx1-ubyte has 2 labels")));
}

TEST(ReadIdx, RefusesADimensionOfZero) {
  EXPECT_THAT(IdxError({kImages, Header(0x801, {0})}),
              HasSubstr("train-labels-idx1-ubyte: no examples"));
  EXPECT_THAT(IdxError({Header(0x803, {3, 0, 2})}),
              HasSubstr("train-images-idx3-ubyte: no examples, or examples without pixels"));
}

// 2^96 bytes overflow 64 bits; 2^32 - 1 labels would be 4 GiB; 2^20 images of 64 x 64 are what 16
// KiB may inflate to.
TEST(ReadIdx, AllocatesNoMoreThanAFileCanHold) {
  const uint32_t most = UINT32_MAX;
  const std::string huge = Header(0x803, {most, most, most}) + "abcd";
  const std::string wraps = Header(0x803, {1U << 31, 1U << 31, 4}) + "abcd";
  for (const std::string& images : {huge, wraps}) {
    EXPECT_THAT(IdxError({images}), HasSubstr("the file cannot hold so many"));
    EXPECT_THAT(IdxError({Gzip(images), Gzip(kLabels), ".gz"}),
                HasSubstr("the file cannot hold so many"));
  }
  EXPECT_THAT(IdxError({kImages, Header(0x801, {most})}), HasSubstr("cannot hold so many"));
}

TEST(ReadIdx, ReadsFashionMnist) {
  const std::string path = "/usr/share/datasets/fashion-mnist";
  if (!FileSystem::Real().Exists(path)) GTEST_SKIP() << path << " is not installed";
  for (const auto& [split, per_class] : {std::pair(Split::kTrain, 6000), {Split::kTest, 1000}}) {
    const auto dataset = ReadIdx(path, split, 0);
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    EXPECT_EQ(dataset->examples(), 10 * per_class);
    EXPECT_EQ(dataset->image_size.bytes(), 28 * 28);
    EXPECT_EQ(dataset->pixels.size(), dataset->examples() * 28 * 28);
    EXPECT_EQ(dataset->classes, 10);
    std::vector<int> counts(10, 0);
    for (const uint8_t label : dataset->labels) ++counts[label];
    EXPECT_THAT(counts, Each(per_class));
  }
}

TEST(SyntheticIdx, IsBalancedDeterministicAndEasy) {
  const TempDir directory;
  ASSERT_TRUE(WriteSyntheticIdx(directory / "a", {}).ok());
  ASSERT_TRUE(WriteSyntheticIdx(directory / "b", {}).ok());
  const auto train = ReadIdx(directory / "a", Split::kTrain, 0);
  const auto test = ReadIdx(directory / "a", Split::kTest, 0);
  ASSERT_TRUE(train.ok()) << train.status();
  ASSERT_TRUE(test.ok()) << test.status();
  EXPECT_EQ(train->examples(), 512);
  EXPECT_EQ(test->examples(), 128);
  EXPECT_EQ(train->classes, 4);
  EXPECT_EQ(FingerprintOf(*ReadIdx(directory / "b", Split::kTrain, 0)), FingerprintOf(*train));

  // The nearest class mean of the training set tells every test example.
  const size_t size = train->image_size.bytes();
  std::vector<std::vector<double>> means(4, std::vector<double>(size, 0));
  for (size_t i = 0; i < train->examples(); ++i) {
    for (size_t p = 0; p < size; ++p) {
      means[train->labels[i]][p] += train->pixels[i * size + p] / 128.0;
    }
  }
  for (size_t i = 0; i < test->examples(); ++i) {
    std::vector<double> distances(4, 0);
    for (size_t c = 0; c < 4; ++c) {
      for (size_t p = 0; p < size; ++p) {
        const double difference = means[c][p] - test->pixels[i * size + p];
        distances[c] += difference * difference;
      }
    }
    const auto nearest = std::min_element(distances.begin(), distances.end());
    EXPECT_EQ(nearest - distances.begin(), test->labels[i]);
  }
}

}  // namespace
}  // namespace conadv
