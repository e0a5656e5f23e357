// SPDX-License-Identifier: Apache-2.0
#include "worker/data/image/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/worker/data/images.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Pixel = std::vector<uint8_t>;

Image Decoded(const std::string& bytes, uint32_t channels) {
  const absl::StatusOr<Image> image = DecodeImage(bytes, channels);
  EXPECT_TRUE(image.ok()) << image.status();
  return image.value_or(Image());
}

Pixel FirstOf(const Image& image) {
  return {image.pixels.begin(), image.pixels.begin() + image.channels};
}

std::string DamageOf(const std::string& bytes) {
  const absl::Status status = DecodeImage(bytes, 3).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  return std::string(status.message());
}

// JPEG does not keep the bits.
void ExpectNear(const Pixel& is, const Pixel& wanted) {
  ASSERT_EQ(is.size(), wanted.size());
  for (size_t i = 0; i < is.size(); ++i) EXPECT_NEAR(is[i], wanted[i], 2) << "channel " << i;
}

TEST(DecodeImage, PngKeepsEveryPixel) {
  for (const uint32_t channels : {1, 3, 4}) {
    const Image image = Checked(3, 5, channels);
    const Image decoded = Decoded(Png(image), channels);
    EXPECT_EQ(decoded.height, 3);
    EXPECT_EQ(decoded.width, 5);
    EXPECT_EQ(decoded.pixels, image.pixels) << channels;
  }
}

TEST(DecodeImage, GivesTheChannelsThatWereAskedFor) {
  const std::string colour = Png(Flat(2, 2, {200, 100, 50}));
  EXPECT_THAT(FirstOf(Decoded(colour, 1)), ElementsAre(124));  // 0.299 R + 0.587 G + 0.114 B
  EXPECT_THAT(FirstOf(Decoded(colour, 4)), ElementsAre(200, 100, 50, 255));
  const std::string grey = Png(Flat(2, 2, {77}));
  EXPECT_THAT(FirstOf(Decoded(grey, 3)), ElementsAre(77, 77, 77));
  EXPECT_THAT(FirstOf(Decoded(Png(Flat(2, 2, {9, 8, 7, 6})), 3)), ElementsAre(9, 8, 7));

  const std::string jpeg = Jpeg(Flat(9, 9, {200, 100, 50}));
  ExpectNear(FirstOf(Decoded(jpeg, 1)), {124});
  ExpectNear(FirstOf(Decoded(jpeg, 3)), {200, 100, 50});
  ExpectNear(FirstOf(Decoded(jpeg, 4)), {200, 100, 50, 255});
  ExpectNear(FirstOf(Decoded(Jpeg(Flat(9, 9, {77})), 3)), {77, 77, 77});
}

TEST(DecodeImage, InksBecomeLight) {
  const std::string jpeg = InkJpeg(Flat(9, 9, {200, 100, 50, 128}));
  ExpectNear(FirstOf(Decoded(jpeg, 3)), {100, 50, 25});
  ExpectNear(FirstOf(Decoded(jpeg, 1)), {62});
}

TEST(DecodeImage, DoesNotTurnWhatACameraSaysIsTurned) {
  const std::string jpeg = Jpeg(Checked(8, 16, 3));
  // Exif with one entry: orientation (0x0112) is 6, a quarter turn.
  const std::string exif(
      "\xff\xe1\x00\x22"
      "Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
      36);
  const std::string turned = jpeg.substr(0, 2) + exif + jpeg.substr(2);
  EXPECT_EQ(Decoded(turned, 3).pixels, Decoded(jpeg, 3).pixels);
  EXPECT_EQ(Decoded(turned, 3).height, 8);
}

// Such files are in the data sets that people have.
TEST(DecodeImage, IdleBytesBetweenThePartsOfAJpegAreNoDamage) {
  const std::string jpeg = Jpeg(Checked(8, 16, 3));
  const std::string idle = jpeg.substr(0, 2) + std::string(5, 'x') + jpeg.substr(2);
  EXPECT_EQ(Decoded(idle, 3).pixels, Decoded(jpeg, 3).pixels);
}

TEST(DecodeImage, AFileThatIsCutOffIsDamagedWhereverTheCutIs) {
  for (const std::string& whole : {Jpeg(Checked(40, 40, 3)), Png(Checked(40, 40, 3))}) {
    for (size_t size = 0; size < whole.size(); size += 1 + whole.size() / 50) {
      DamageOf(whole.substr(0, size));
    }
    DamageOf(whole.substr(0, whole.size() - 3));
  }
}

TEST(DecodeImage, SaysWhatIsWrong) {
  EXPECT_EQ(DamageOf(""), "it is empty");
  EXPECT_EQ(DamageOf("GIF89a"), "it is neither a JPEG nor a PNG file");
  const std::string jpeg = Jpeg(Checked(40, 40, 3)), png = Png(Checked(40, 40, 3));
  EXPECT_EQ(DamageOf(jpeg.substr(0, 100)), "broken JPEG: it ends before its image begins");
  EXPECT_EQ(DamageOf(jpeg.substr(0, jpeg.size() / 2)), "broken JPEG: Premature end of JPEG file");
  EXPECT_EQ(DamageOf(png.substr(0, png.size() / 2)), "broken PNG: the file ends early");
  std::string flipped = png;
  flipped[png.size() / 2] ^= 1;
  EXPECT_THAT(DamageOf(flipped), HasSubstr("broken PNG: "));
}

TEST(DecodeImage, DoesNotMakeWhatIsTooLarge) {
  for (const std::string& bytes : {Jpeg(Checked(10, 10, 3)), Png(Checked(10, 10, 3))}) {
    EXPECT_TRUE(DecodeImage(bytes, 3, 100).ok());
    EXPECT_EQ(DecodeImage(bytes, 3, 99).status(),
              absl::DataLossError("10 x 10 pixels: it must have 1 to 99"));
  }
}

}  // namespace
}  // namespace conadv
