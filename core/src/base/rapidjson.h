// RapidJSON as this project uses it: its headers are included here and nowhere else. Without its
// SIMD: in 1.1.0 that takes the bytes 0x1A to 0x1F, with ESC among them, for ordinary characters.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#pragma GCC diagnostic pop
