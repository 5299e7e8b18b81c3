#include "docker/docker_frames.h"

#include <gtest/gtest.h>

namespace a4c::baremetal {
namespace {

std::string Frame(char stream, const std::string& bytes) {
  std::string frame(8, '\0');
  frame[0] = stream;
  frame[6] = static_cast<char>(bytes.size() >> 8);
  frame[7] = static_cast<char>(bytes.size() & 0xff);
  return frame + bytes;
}

TEST(DockerFrames, ArePutTogetherFromPiecesOfAnySize) {
  const std::string stream =
      Frame(1, "one\n") + Frame(2, "") + Frame(2, std::string(300, 'x')) + Frame(1, "end");
  for (size_t size = 1; size <= stream.size(); ++size) {
    FrameReader reader;
    std::string output;
    std::string errors;
    for (size_t at = 0; at < stream.size(); at += size) {
      const auto frames = reader.Add(stream.substr(at, size));
      ASSERT_TRUE(frames) << frames.error().ToString();
      for (const DockerFrame& frame : *frames) {
        (frame.stream == 1 ? output : errors) += frame.bytes;
      }
    }
    EXPECT_EQ(output, "one\nend") << size;
    EXPECT_EQ(errors, std::string(300, 'x')) << size;
    EXPECT_FALSE(reader.Within());
  }
}

TEST(DockerFrames, AFrameThatBreaksOffIsSeen) {
  FrameReader reader;
  const auto frames = reader.Add(Frame(1, "whole") + Frame(1, "broken").substr(0, 10));
  ASSERT_TRUE(frames);
  EXPECT_EQ(frames->size(), 1u);
  EXPECT_TRUE(reader.Within());
}

TEST(DockerFrames, WhatIsNoFrameIsRefused) {
  for (const std::string& text :
       {std::string("plain text, no frames"), Frame(3, "x"),
        std::string("\1\0\0\0\xff\xff\xff\xff", 8), std::string("\xff\0\0\0\0\0\0\1x", 9)}) {
    FrameReader reader;
    EXPECT_FALSE(reader.Add(text));
  }
}

}  // namespace
}  // namespace a4c::baremetal
