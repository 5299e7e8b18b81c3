// A4C_API marks what the core library exports; everything else is hidden.
#pragma once

#define A4C_API __attribute__((visibility("default")))
